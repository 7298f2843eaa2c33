#!/bin/bash
# Step 2 of 3 of the classic procedure, see install.sh: create.sh HOST...   The first host does it for the cluster.
set -euo pipefail

# The delete fails where there is nothing to delete, and pcs has no other way of saying "unless it is there".
ssh -n ${SSH_CONFIG:+-F "$SSH_CONFIG"} "$1" 'pcs resource delete memcached
    pcs resource create memcached systemd:memcached clone interleave=true'
