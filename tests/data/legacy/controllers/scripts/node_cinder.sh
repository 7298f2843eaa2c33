#!/usr/bin/bash
su -s /bin/sh -c "cinder-manage db_sync" cinder
if [ $? -ne 0 ]
	then
	echo "db_sync failed"
	exit
fi
pcs resource delete cinder-api --force
pcs resource delete cinder-scheduler --force
pcs resource create cinder-api systemd:openstack-cinder-api --clone interleave=true
pcs resource create cinder-scheduler systemd:openstack-cinder-scheduler --clone interleave=true
pcs constraint order start keystone-clone then cinder-api-clone
pcs constraint order start cinder-api-clone then cinder-scheduler-clone
pcs constraint colocation add cinder-scheduler-clone with cinder-api-clone
# A/P for now
pcs resource delete cinder-volume --force
pcs resource create cinder-volume systemd:openstack-cinder-volume
pcs constraint order start cinder-scheduler-clone then cinder-volume
pcs constraint colocation add cinder-volume with cinder-scheduler-clone
