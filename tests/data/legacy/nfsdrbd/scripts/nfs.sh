# sourced by install.sh: needs EXPORT, CLIENTS, VIP, PREFIX
pcs resource create nfsd ocf:heartbeat:nfsserver nfs_shared_infodir=/srv/$EXPORT/nfsinfo nfs_ip=$VIP --group nfs_group
fsid=1
for c in ${CLIENTS//,/ }; do
    name=exp_${c//[.\/]/_}
    pcs resource create $name ocf:heartbeat:exportfs clientspec=$c options=rw,sync,no_root_squash directory=/srv/$EXPORT/data fsid=$fsid --group nfs_group
    fsid=$(expr $fsid + 1)
done
pcs resource create nfs_vip ocf:heartbeat:IPaddr2 ip=$VIP cidr_netmask=$PREFIX op monitor interval=10s --group nfs_group
pcs resource create nfs_notify ocf:heartbeat:nfsnotify source_host=$VIP --group nfs_group
pcs constraint order fs_$EXPORT then nfs_group
pcs constraint colocation add nfs_group with fs_$EXPORT
pcs resource update nfs_vip nic=bond0
pcs resource meta nfs_group target-role=Started
pcs resource op add nfsd monitor interval=30s timeout=40s
if pcs resource show nfs_old > /dev/null 2>&1; then
    pcs resource delete nfs_old
fi
