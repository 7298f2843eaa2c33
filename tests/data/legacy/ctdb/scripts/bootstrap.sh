#!/bin/bash
# Samba with CTDB on OCFS2, openSUSE
NODES=(smb1 smb2 smb3)
SHARED=/dev/disk/by-path/ip-192.0.2.90-lun-1
VIPS=(192.0.2.91 192.0.2.92)

for i in ${!NODES[@]}; do
    node=${NODES[$i]}
    if [ $i -eq 0 ]; then
        ssh $node "crm cluster init -y -n smb -i eth0"
    else
        ssh $node "crm cluster join -y -c ${NODES[0]} -i eth0"
    fi
done

echo 'property no-quorum-policy=freeze stonith-enabled=true' | crm configure
crm configure primitive st-sbd stonith:external/sbd

crm configure <<-CONF
	primitive p-dlm ocf:pacemaker:controld op start timeout=90s interval=0 op stop timeout=100s interval=0 op monitor interval=60s timeout=60s
	primitive p-ocfs2 ocf:heartbeat:Filesystem params device="$SHARED" directory="/srv/smb" fstype=ocfs2 options=acl op monitor interval=20s timeout=40s
	primitive p-ctdb ocf:heartbeat:CTDB params ctdb_manages_winbind=false ctdb_recovery_lock="/srv/smb/.ctdb.lock" op monitor interval=10s timeout=20s op start timeout=90s interval=0 op stop timeout=100s interval=0
	primitive p-nmb systemd:nmb op monitor interval=60s timeout=60s
	primitive p-smb systemd:smb op monitor interval=60s timeout=60s
	group g-ctdb p-ctdb p-nmb p-smb
	group g-base p-dlm p-ocfs2
	clone c-base g-base meta interleave=true
	clone c-ctdb g-ctdb meta interleave=true
	colocation col-ctdb-on-base inf: c-ctdb c-base
	order o-base-then-ctdb Mandatory: c-base c-ctdb
CONF

n=0
for ip in "${VIPS[@]}"; do
    let n++
    crm configure primitive vip$n ocf:heartbeat:IPaddr2 params ip=$ip unique_clone_address=true op monitor interval=60s meta resource-stickiness=0
    crm configure order o-vip$n Optional: c-ctdb vip$n
    crm configure "colocation col-vip$n inf: vip$n c-ctdb"
done
crm configure location l-vip1 vip1 100: ${NODES[0]}
crm configure location l-vip2 vip2 rule 100: '#uname' eq ${NODES[1]}
crm configure < conf/monitoring.crm
crm -w -F configure load replace conf/never.crm 2>/dev/null || echo "no replacement"
crm configure verify
crm_verify -LV
