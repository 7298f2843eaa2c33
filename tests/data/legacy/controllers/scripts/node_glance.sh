#!/usr/bin/bash
su -s /bin/sh -c "glance-manage db_sync" glance
if [ $? -ne 0 ]
	then
	echo "db_sync failed"
	exit
fi
pcs resource delete glance-registry --force
pcs resource delete glance-api --force
pcs resource create glance-registry systemd:openstack-glance-registry --clone interleave=true
pcs resource create glance-api systemd:openstack-glance-api --clone interleave=true
pcs constraint order start keystone-clone then glance-registry-clone
pcs constraint order start glance-registry-clone then glance-api-clone
pcs constraint colocation add glance-api-clone with glance-registry-clone
pcs resource create glance-fs Filesystem device="ctl1:/export/glance" directory="/var/lib/glance" fstype="nfs" options="v3" --clone
pcs constraint order start glance-fs-clone then glance-registry-clone
pcs constraint colocation add glance-registry-clone with glance-fs-clone
