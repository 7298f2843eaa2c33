#!/usr/bin/bash

rpm -qa | grep pacemaker
if [ $? -ne 0 ]; then
	echo "install the packages first"
	exit 1
fi

nodes_list=""
ha_cluster_node_num=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_cluster_node_num)
ha_cluster_name=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_cluster_name)
hacluster_passwd=$(/usr/bin/bash readini.sh cluster_variables.ini default hacluster_passwd)
for i in $(seq 1 $ha_cluster_node_num); do
	nodes_list="$nodes_list $(/usr/bin/bash readini.sh cluster_variables.ini default ha_node$i)"
done

pcs cluster auth $nodes_list -u hacluster -p ${hacluster_passwd} --force
pcs cluster setup --force --name $ha_cluster_name $nodes_list
pcs cluster enable --all
pcs cluster start --all
loop=0
while ! pcs status > /dev/null 2>&1 && [ "$loop" -lt 60 ]; do
	loop=$((loop + 1))
	sleep 5
done

pcs property set pe-warn-series-max=1000 \
  pe-input-series-max=1000 \
  pe-error-series-max=1000 \
  cluster-recheck-interval=5min
pcs property set no-quorum-policy=ignore
pcs property set stonith-enabled=false
# pcs property set stonith-enabled=true
pcs resource defaults resource-stickiness=INFINITY
pcs resource op defaults timeout=90s
pcs propery set maintenance-mode=false
