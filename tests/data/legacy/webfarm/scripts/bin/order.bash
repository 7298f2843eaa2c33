#!/bin/bash
previous=
for one; do
    [ -n "$previous" ] && pcs constraint order vip-$previous then vip-$one kind=Optional
    previous=$one
done
until [ $# -eq 0 ]; do
    pcs constraint colocation add vip-$1 with nginx-clone
    shift
done
