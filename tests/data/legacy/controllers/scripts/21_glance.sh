#!/usr/bin/bash
master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)
ssh root@$master "/usr/bin/bash node_glance.sh"
ssh root@$master "pcs status"
