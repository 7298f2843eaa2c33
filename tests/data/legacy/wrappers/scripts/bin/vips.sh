#!/bin/bash
NIC=$1; NET=$2; LAST=$3; shift 3
while [ -n "$1" ]; do
	ssh root@$MASTER "pcs resource create vip-$1 IPaddr2 ip=$NET.$LAST cidr_netmask=32 nic=$NIC op monitor interval=10s"
	LAST=$((LAST+1))
	shift
done
ssh root@$MASTER pcs resource create haproxy systemd:haproxy --clone
for v in api db mq; do
	ssh root@$MASTER "pcs constraint colocation add vip-$v with haproxy-clone; pcs constraint order vip-$v then haproxy-clone kind=Optional"
done
