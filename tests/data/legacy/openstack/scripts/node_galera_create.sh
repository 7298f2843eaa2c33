#!/usr/bin/bash
ha_node1=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_node1)
ha_node2=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_node2)
ha_node3=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_node3)
node_list="$ha_node1,$ha_node2,$ha_node3"
# node_list=$(echo $ALL_NODES | sed -e 's/ /,/g')

pcs resource create galera galera enable_creation=true wsrep_cluster_address="gcomm://${node_list}" additional_parameters='--open-files-limit=16384' meta master-max=3 ordered=true op promote timeout=300s on-fail=block --master

pcs resource enable lb-haproxy
pcs constraint order start lb-haproxy-clone then galera-master

loop=0; while ! clustercheck > /dev/null 2>&1 && [ "$loop" -lt 60 ]; do
	echo waiting for galera
	loop=$((loop + 1))
	sleep 5
done
for db in keystone glance cinder; do
    mysql -e "CREATE DATABASE ${db};"
done
# pcs resource cleanup
