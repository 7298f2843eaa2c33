#!/usr/bin/env bash
# Move the primary: 90-switch.sh NODE
set -eu
source "$(dirname "$0")/lib/log.sh"
target=${1:?usage: 90-switch.sh NODE}
pcs resource move pgsqld-clone --master "$target"
try 20 2 crm_resource --resource pgsqld --locate
pcs resource clear pgsqld-clone
crm_attribute -l reboot -N "$target" -n master-pgsqld --query || crm_resource -C -r pgsqld
