#!/usr/bin/bash
# 1. packages on all nodes  2. the cluster, from the first one

for i in `more /etc/hosts|grep vm|awk -F " " '{print $2}'`
do
	scp readini.sh cluster_variables.ini lib.sh $i:/root
	scp node_* $i:/root
done

hacluster_node[1]=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_node1)
hacluster_node[2]=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_node2)
hacluster_node[3]=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_node3)
ha_cluster_node_num=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_cluster_node_num)
master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)-vm

for (( i = 1; i <= $ha_cluster_node_num; i++ )); do
	echo "packages on ${hacluster_node[i]}"
	ssh root@${hacluster_node[i]} "/usr/bin/bash node_cluster_packages.sh"
done

ssh root@$master "/usr/bin/bash node_cluster_create.sh"
sleep 10
ssh root@$master "pcs status"
