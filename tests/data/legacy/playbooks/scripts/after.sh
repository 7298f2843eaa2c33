#!/bin/bash
# what no module does
for fs in home data; do
    pcs resource update fs_$fs op monitor interval=20s on-fail=fence
done
pcs resource create nfs-server systemd:nfs-server clone
pcs constraint order shared-clone then nfs-server-clone
pcs resource create smb-vip IPaddr2 ip=192.0.2.70
crm_attribute --type crm_config --name migration-limit --update 2
pcs tag create storage shared-clone locking-clone
