#!/bin/sh
# One of everything that pcs makes, run on node c1 of c1, c2, c3: for cib-stack.xml of tests/captured.
# The units need to be there, and need not work: pcs asks for their metadata alone.
set -e
pcs property set stonith-enabled=false no-quorum-policy=stop cluster-recheck-interval=5min
pcs resource defaults update resource-stickiness=100 migration-threshold=3
pcs node attribute c1 rack=a
pcs node attribute c2 rack=b
pcs resource create lb-haproxy systemd:haproxy op monitor timeout=10s clone interleave=true
n=101
for v in db rabbitmq keystone; do
pcs resource create vip-$v ocf:heartbeat:IPaddr2 ip=192.0.2.$n cidr_netmask=24 nic=eth0
pcs constraint order start vip-$v then lb-haproxy-clone kind=Optional
pcs constraint colocation add vip-$v with lb-haproxy-clone
n=$((n+1))
done
pcs resource create galera ocf:heartbeat:galera enable_creation=true wsrep_cluster_address=gcomm://c1,c2,c3 meta master-max=3 ordered=true op promote timeout=300s on-fail=block promotable
pcs resource create memcached systemd:memcached clone interleave=true
pcs resource create web ocf:pacemaker:Dummy fake=x --group grp
pcs resource create web2 ocf:pacemaker:Dummy --group grp
pcs constraint location memcached-clone avoids c3=1000
pcs constraint location web2 prefers c1
pcs constraint location grp rule score=INFINITY rack eq a
pcs constraint order promote galera-clone then start memcached-clone symmetrical=false
pcs constraint colocation add Promoted galera-clone with memcached-clone 50
pcs constraint colocation add vip-db with Promoted galera-clone
pcs resource create ngx ocf:heartbeat:nginx configfile=/etc/nginx/nginx.conf
pcs constraint colocation add vip-keystone with vip-db score=50
pcs constraint location add loc-x vip-keystone c2 7 resource-discovery=never
pcs constraint location vip-keystone rule score=-INFINITY defined rack
pcs resource meta grp priority=5
