#!/bin/bash
#
# NFS on DRBD for two CentOS 7 nodes.
#   ./install.sh NODE1 NODE2 ADDRESS/PREFIX EXPORT CLIENTS
#
if [ $# -lt 5 ]; then
    echo "usage: $0 NODE1 NODE2 ADDRESS/PREFIX EXPORT CLIENTS"
    echo "afterwards:  pcs status"
    exit 1
fi

NODE1=$1
NODE2=$2
VIP=${3%/*}
PREFIX=${3#*/}
EXPORT=$4
CLIENTS=$5
CLUSTER=${CLUSTER:-nfsha}
PCS=/usr/sbin/pcs
here=$(dirname $0)

. $here/functions.sh

step "packages"
for n in $NODE1 $NODE2; do
    on $n yum -y -q install pcs pacemaker drbd84-utils kmod-drbd84 nfs-utils
    on $n systemctl enable pcsd
    on $n systemctl start pcsd
    on $n "echo $HAPASS | passwd --stdin hacluster"
done

step "cluster"
$PCS cluster auth $NODE1 $NODE2 -u hacluster -p "$HAPASS" --force
$PCS cluster setup --force --name $CLUSTER $NODE1 $NODE2 || die "pcs cluster setup failed"
$PCS cluster start --all
$PCS cluster enable --all
wait_online 2
$PCS property set stonith-enabled=true
$PCS property set no-quorum-policy=ignore
$PCS resource defaults resource-stickiness=200 migration-threshold=3

step "fencing"
i=1
for n in $NODE1 $NODE2; do
    $PCS stonith create fence_$n fence_ipmilan pcmk_host_list=$n ipaddr=10.9.0.$((100 + i)) login=ADMIN passwd=$IPMIPASS lanplus=1 op monitor interval=60s
    $PCS constraint location fence_$n avoids $n
    i=$((i+1))
done

step "storage"
mkdir -p /srv/$EXPORT || $PCS property set maintenance-mode=true
$PCS cluster cib drbd_cfg
$PCS -f drbd_cfg resource create drbd_$EXPORT ocf:linbit:drbd drbd_resource=$EXPORT \
    op monitor interval=29s role=Master op monitor interval=31s role=Slave
$PCS -f drbd_cfg resource master ms_drbd_$EXPORT drbd_$EXPORT \
    master-max=1 master-node-max=1 clone-max=2 clone-node-max=1 notify=true
$PCS cluster cib-push drbd_cfg
rm -f drbd_cfg

$PCS cluster cib fs_cfg
pcs -f fs_cfg resource create fs_$EXPORT Filesystem device=/dev/drbd0 directory=/srv/$EXPORT fstype=xfs \
    options=noatime op monitor interval=20s timeout=40s
pcs -f fs_cfg constraint colocation add fs_$EXPORT with ms_drbd_$EXPORT INFINITY with-rsc-role=Master
pcs -f fs_cfg constraint order promote ms_drbd_$EXPORT then start fs_$EXPORT
pcs cluster cib-push fs_cfg

step "nfs"
. $here/nfs.sh

step "ping"
ping_clone 10.9.0.1 10.9.0.2
finish
