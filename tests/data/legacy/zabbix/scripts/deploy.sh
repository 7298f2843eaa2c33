#!/bin/bash
cd $(dirname $(readlink -f $0))
source lib.sh
for step in steps/*.sh; do
    echo ">>> $step"
    source $step
done
