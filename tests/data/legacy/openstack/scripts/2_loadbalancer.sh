#!/usr/bin/bash
# HAProxy on all nodes, then its clone and the VIPs

master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)-vm
for host in controller{1..3}-vm; do
	ssh -o StrictHostKeyChecking=no root@$host "/usr/bin/bash node_haproxy_install.sh" || exit 1
done
ssh root@$master "/usr/bin/bash node_haproxy_create.sh"
ssh root@$master "pcs status"
