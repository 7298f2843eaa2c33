#!/usr/bin/bash
node[1]=$(/usr/bin/bash readini.sh cluster_variables.ini default node1)
node[2]=$(/usr/bin/bash readini.sh cluster_variables.ini default node2)
node[3]=$(/usr/bin/bash readini.sh cluster_variables.ini default node3)
num=$(/usr/bin/bash readini.sh cluster_variables.ini default nodes_count)
master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)
for n in ${node[@]}; do ssh root@$n "yum -y install haproxy; echo net.ipv4.ip_nonlocal_bind=1 >> /etc/sysctl.conf"; done
ssh root@$master "/usr/bin/bash node_vips.sh"
