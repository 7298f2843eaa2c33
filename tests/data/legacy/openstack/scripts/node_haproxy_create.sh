#!/usr/bin/bash

components=$(/usr/bin/bash readini.sh cluster_variables.ini haproxy components)
internal_network=$(/usr/bin/bash readini.sh cluster_variables.ini haproxy internal_network)
section=`hostname`
log_ip=$(/usr/bin/bash readini.sh cluster_variables.ini $section int_ip)
hacluster_node[1]=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_node1)
hacluster_node[2]=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_node2)
hacluster_node[3]=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_node3)

if [ -f /etc/haproxy/haproxy.cfg ]; then
	cp /etc/haproxy/haproxy.cfg /etc/haproxy/haproxy.cfg.bak
fi

cat > /etc/haproxy/haproxy.cfg << EOF
global
    daemon
    maxconn  4000
    log      $log_ip local0
defaults
    mode tcp
    timeout connect 10s
    timeout client  1m
    timeout server  1m
listen stats
    mode http
    bind $log_ip:8080
    stats enable
    stats uri /stats
    stats auth admin:admin

frontend vip-db
    bind ${internal_network}.101:3306
    timeout client 90m
    default_backend db-vms-galera

frontend vip-rabbitmq
    bind ${internal_network}.102:5672
    timeout client 900m
    default_backend rabbitmq-vms
EOF

# name:last octet:port[:timeout]
mappings="
keystone-public:103:5000
keystone-admin:103:35357
glance-api:104:9292
horizon:109:80:108s
heat-api:110:8004
heat-srv:110:8004
"

for mapping in $mappings; do
    service=$(echo $mapping | cut -d : -f 1)
    octet=$(echo $mapping | awk -F: '{print $2}')
    port=$(echo $mapping | awk -F: '{print $3}')
    timeout=$(echo $mapping | awk -F: '{print $4}')
    echo "frontend vip-${service}" >> /etc/haproxy/haproxy.cfg
    echo "    bind ${internal_network}.${octet}:${port}" >> /etc/haproxy/haproxy.cfg
    echo "    default_backend ${service}-vms" >> /etc/haproxy/haproxy.cfg
    echo "backend ${service}-vms" >> /etc/haproxy/haproxy.cfg
    echo "    balance roundrobin" >> /etc/haproxy/haproxy.cfg
    if [ ! -z $timeout ]; then
	echo "    timeout server ${timeout}" >> /etc/haproxy/haproxy.cfg
    fi
    for ((i=1;i<=3;i++)); do
	echo "    server ${hacluster_node[i]} ${internal_network}.1$i:${port} check inter 1s" >> /etc/haproxy/haproxy.cfg
    done
done

cat >> /etc/haproxy/haproxy.cfg << EOF
backend db-vms-galera
    option httpchk
    stick-table type ip size 1000
    stick on dst
    timeout server 90m
    server controller1-vm ${internal_network}.11:3306 check inter 1s port 9200 backup on-marked-down shutdown-sessions
    server controller2-vm ${internal_network}.12:3306 check inter 1s port 9200 backup on-marked-down shutdown-sessions
    server controller3-vm ${internal_network}.13:3306 check inter 1s port 9200 backup on-marked-down shutdown-sessions
backend rabbitmq-vms
    balance leastconn
    timeout server 900m
    server controller1-vm ${internal_network}.11:5672 check inter 1s
    server controller2-vm ${internal_network}.12:5672 check inter 1s
    server controller3-vm ${internal_network}.13:5672 check inter 1s
EOF

scp /etc/haproxy/haproxy.cfg ${hacluster_node[2]}:/etc/haproxy/haproxy.cfg
scp /etc/haproxy/haproxy.cfg ${hacluster_node[3]}:/etc/haproxy/haproxy.cfg
pcs resource delete lb-haproxy
pcs resource create lb-haproxy systemd:haproxy --clone

# a VIP for each component, the last octet counts from 100
offset=100
for component in ${components}; do
    case $component in
	lb|memcache|mongodb)
	    echo "no VIP for $component"
	    ;;
	*)
	    pcs resource delete vip-${component}
	    pcs resource create vip-${component} IPaddr2 ip=${internal_network}.${offset} cidr_netmask=24 nic=eth0
	    pcs constraint order start vip-${component} then lb-haproxy-clone kind=Optional
	    pcs constraint colocation add vip-${component} with lb-haproxy-clone
	    ;;
    esac
    offset=$(( $offset + 1 ))
done
