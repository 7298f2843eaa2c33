#!/bin/bash
# Step 1 of 3 of the classic procedure: install.sh HOST...   (SSH_CONFIG=FILE: another ssh configuration)
#
# install.sh, create.sh and status.sh, called one after the other with the same hosts, are the baseline that
# pacefab replaces. They are kept to be measured and compared (scripts/benchmark, tests/cluster/test_legacy.py), not to be
# used. What is wrong with them:
# - memcached listens where its package says: on the loopback address. Pacemaker calls it Started on every node, and no
#   client on another host reaches any of them.
# - The package enables the unit at boot (Debian starts it, too), beside Pacemaker.
# - Every run deletes the resource and creates it again: an outage and an empty cache each time, also when there was
#   nothing to change; constraints that name the resource are gone.
# - The run ends while memcached is still Starting, and ends well when it never starts.
# - Hosts are done one after the other, and the first that fails keeps the rest from being tried.
set -euo pipefail

for host in "$@"; do
    ssh -n ${SSH_CONFIG:+-F "$SSH_CONFIG"} "$host" 'if command -v yum >/dev/null; then
        yum install -y memcached
    else
        DEBIAN_FRONTEND=noninteractive apt-get install -y memcached
    fi'
done
