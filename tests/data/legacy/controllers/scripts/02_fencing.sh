#!/usr/bin/bash
node[1]=$(/usr/bin/bash readini.sh cluster_variables.ini default node1)
node[2]=$(/usr/bin/bash readini.sh cluster_variables.ini default node2)
node[3]=$(/usr/bin/bash readini.sh cluster_variables.ini default node3)
num=$(/usr/bin/bash readini.sh cluster_variables.ini default nodes_count)
master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)
user=$(/usr/bin/bash readini.sh cluster_variables.ini default ipmi_user)
pass=$(/usr/bin/bash readini.sh cluster_variables.ini default ipmi_pass)
i=1
while [ $i -le $num ]
do
	ssh root@$master "pcs stonith create ipmi-${node[$i]} fence_ipmilan pcmk_host_list=${node[$i]} ipaddr=192.0.2.$((40 + i)) login=$user passwd=$pass lanplus=1 op monitor interval=60s"
	let i++
done
ssh root@$master "pcs property set stonith-enabled=true"
