#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ./lib/log.sh
set -a; source ./cluster.env; set +a

read -ra nodes <<< "$NODES"

run pcs host auth "${nodes[@]}" -u hacluster -p "${HACLUSTER_PASSWORD:-paf}"
run pcs cluster setup "$CLUSTER_NAME" "${nodes[@]}" --force
run pcs cluster start --all --wait=60
run pcs cluster enable --all
try 10 3 pcs status

run pcs property set no-quorum-policy=stop
run pcs resource defaults update migration-threshold=5 resource-stickiness=10
run pcs property set stonith-timeout=90s

case "$FENCE_KIND" in
  virsh)
    for node in "${nodes[@]}"; do
      run pcs stonith create "fence-$node" fence_virsh \
        pcmk_host_list="$node" pcmk_reboot_action=reboot \
        ip=192.0.2.1 username=root identity_file=/root/.ssh/id_fence plug="$node" ssh=1
      run pcs constraint location "fence-$node" avoids "$node=INFINITY"
    done
    run pcs property set stonith-enabled=true
    ;;
  none)
    run pcs property set stonith-enabled=false
    ;;
  *)
    warn "FENCE_KIND: $FENCE_KIND?"
    exit 64
    ;;
esac
