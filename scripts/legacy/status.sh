#!/bin/bash
# Step 3 of 3 of the classic procedure, see install.sh: status.sh HOST...   Asks the first host.
set -euo pipefail

ssh -n ${SSH_CONFIG:+-F "$SSH_CONFIG"} "$1" 'pcs resource'
