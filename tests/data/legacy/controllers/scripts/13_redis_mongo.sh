#!/usr/bin/bash
master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)
vip_redis=$(/usr/bin/bash readini.sh cluster_variables.ini vip vip-redi)
run() { ssh root@$master "$1"; }
run "pcs resource create redis redis wait_last_known_master=true --master meta notify=true ordered=true interleave=true"
run "pcs resource create vip-redis IPaddr2 ip=$vip_redis"
run "pcs constraint order promote redis-master then start vip-redis"
run "pcs constraint colocation add vip-redis with master redis-master"
run "pcs resource create mongod systemd:mongod op start timeout=300s --clone"
