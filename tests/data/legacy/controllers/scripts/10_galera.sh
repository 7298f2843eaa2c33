#!/usr/bin/bash
node[1]=$(/usr/bin/bash readini.sh cluster_variables.ini default node1)
node[2]=$(/usr/bin/bash readini.sh cluster_variables.ini default node2)
node[3]=$(/usr/bin/bash readini.sh cluster_variables.ini default node3)
num=$(/usr/bin/bash readini.sh cluster_variables.ini default nodes_count)
master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)
for (( i = 1; i <= $num; i++ )); do
	ssh root@${node[i]} "/usr/bin/bash node_galera_config.sh"
done
ssh root@$master "/usr/bin/bash node_galera.sh"
