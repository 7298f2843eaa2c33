#!/usr/bin/bash
node[1]=$(/usr/bin/bash readini.sh cluster_variables.ini default node1)
node[2]=$(/usr/bin/bash readini.sh cluster_variables.ini default node2)
node[3]=$(/usr/bin/bash readini.sh cluster_variables.ini default node3)
num=$(/usr/bin/bash readini.sh cluster_variables.ini default nodes_count)
master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)
list="${node[1]},${node[2]},${node[3]}"
pcs resource delete galera --force
pcs resource create galera galera enable_creation=true wsrep_cluster_address="gcomm://${list}" \
	additional_parameters='--open-files-limit=16384' \
	meta master-max=$num ordered=true op promote timeout=300s on-fail=block --master
pcs resource enable lb-haproxy
pcs constraint order start lb-haproxy-clone then start galera-master
loop=0; while ! clustercheck > /dev/null 2>&1 && [ "$loop" -lt 60 ]; do
	loop=$((loop + 1))
	sleep 5
done
# pcs resource cleanup galera
