#!/usr/bin/bash
node[1]=$(/usr/bin/bash readini.sh cluster_variables.ini default node1)
node[2]=$(/usr/bin/bash readini.sh cluster_variables.ini default node2)
node[3]=$(/usr/bin/bash readini.sh cluster_variables.ini default node3)
num=$(/usr/bin/bash readini.sh cluster_variables.ini default nodes_count)
master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)
ssh root@$master << 'EOF'
pcs resource delete rabbitmq --force
pcs resource create rabbitmq rabbitmq-cluster set_policy='ha-all ^(?!amq\.).* {"ha-mode":"all"}' meta notify=true --clone ordered=true interleave=true
EOF
ssh root@$master "rabbitmqctl list_users | grep openstack || rabbitmqctl add_user openstack openstack"
