#!/usr/bin/bash

master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)-vm
n=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_cluster_node_num)
for (( i = 1; i <= n; i++ )); do
	node=$(/usr/bin/bash readini.sh cluster_variables.ini default ha_node$i)
	ssh root@$node "/usr/bin/bash node_galera_install.sh"
done
scp node_galera_create.sh root@$master:/root && ssh root@$master bash /root/node_galera_create.sh
