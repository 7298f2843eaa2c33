#!/bin/sh
# rabbitmq, redis and mongodb
ssh controller1-vm bash <<'EOF'
cookie=$(/usr/bin/bash readini.sh cluster_variables.ini default erlang_cookie)
vip_redis=$(/usr/bin/bash readini.sh cluster_variables.ini haproxy vip-redis)

pcs resource delete rabbitmq-cluster --force
pcs resource create rabbitmq-cluster ocf:rabbitmq:rabbitmq-server-ha --master erlang_cookie=$cookie node_port=5672 \
op monitor interval=30 timeout=120 \
op monitor interval=27 role=Master timeout=120 \
op monitor interval=103 role=Slave timeout=120 OCF_CHECK_LEVEL=30 \
op start interval=0 timeout=120 \
op stop interval=0 timeout=120 \
op promote interval=0 timeout=60 \
op demote interval=0 timeout=60 \
op notify interval=0 timeout=60 \
meta notify=true ordered=false interleave=false master-max=1 master-node-max=1

# pcs resource create rabbitmq-server rabbitmq-cluster set_policy='HA ^(?!amq\.).* {"ha-mode":"all"}' --clone ordered=true

pcs resource create redis-server redis wait_last_known_master=true --master meta notify=true ordered=true interleave=true
pcs resource create vip-redis IPaddr2 ip=$vip_redis
pcs constraint order promote redis-server-master then start vip-redis
pcs constraint colocation add vip-redis with master redis-server-master

pcs resource create mongodb systemd:mongod op start timeout=300s --clone
for node in $(/usr/bin/bash readini.sh cluster_variables.ini default mongodb_host | tr ',' ' '); do
	echo "rs.add(\"$node\");" >> /root/mongo.js
done
EOF
