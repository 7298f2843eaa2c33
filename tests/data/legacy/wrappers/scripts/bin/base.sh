#!/bin/bash
echo "nodes: $@ ($#) master $MASTER"
args=("$@")
for ((i=0; i<$#; i++)); do
	ssh root@${args[$i]} "yum -y -q install pcs pacemaker corosync && systemctl enable pcsd && systemctl start pcsd"
done
ssh root@$1 "pcs cluster auth $* -u hacluster -p ${HAPASS:-hapass123}"
ssh root@$1 "pcs cluster setup --name d_cluster $* && pcs cluster start --all"
ssh root@$1 "pcs property set stonith-enabled=false; pcs property set start-failure-is-fatal=false"
