#!/usr/bin/bash

hacluster_node[1]=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_node1)
hacluster_node[2]=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_node2)
hacluster_node[3]=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_node3)
ha_cluster_node_num=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_cluster_node_num)
master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)-vm

for (( i = 1; i <= $ha_cluster_node_num; i++ ))
do
	ssh root@${hacluster_node[i]} "yum install -y memcached"
done
ssh root@$master "pcs resource delete memcached --force"
ssh root@$master "pcs resource create memcached systemd:memcached --clone interleave=true"
