#!/usr/bin/bash
node[1]=$(/usr/bin/bash readini.sh cluster_variables.ini default node1)
node[2]=$(/usr/bin/bash readini.sh cluster_variables.ini default node2)
node[3]=$(/usr/bin/bash readini.sh cluster_variables.ini default node3)
num=$(/usr/bin/bash readini.sh cluster_variables.ini default nodes_count)
master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)
ssh root@$master "/usr/bin/bash node_cluster.sh"
sleep 10
ssh root@$master "pcs status"
