#!/bin/bash
name=$1; dev=$2; dir=$3
type=${4:-xfs}
[ $# -ge 3 ] || { echo "usage: $0 name dev dir"; exit 1; }
pcs resource create fs_$name Filesystem device="$dev" directory="$dir" fstype=$type
shift 3
pcs constraint colocation add fs_$name with ClusterIP
