#!/usr/bin/bash
# the control plane, all on the first controller
ssh root@controller1-vm "/usr/bin/bash node_openstack.sh"
ssh root@controller1-vm "pcs resource cleanup; pcs status | grep -i stopped"
