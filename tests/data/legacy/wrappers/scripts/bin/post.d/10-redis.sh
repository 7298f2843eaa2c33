remote "pcs resource create redis redis wait_last_known_master=true --master meta notify=true ordered=true interleave=true"
remote "pcs constraint colocation add vip-db with master redis-master"
remote "pcs constraint order promote redis-master then start vip-db"
