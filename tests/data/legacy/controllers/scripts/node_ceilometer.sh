#!/usr/bin/bash
su -s /bin/sh -c "ceilometer-manage db_sync" ceilometer
if [ $? -ne 0 ]
	then
	echo "db_sync failed"
	exit
fi
pcs resource delete ceilometer-central --force
pcs resource delete ceilometer-collector --force
pcs resource delete ceilometer-api --force
pcs resource delete ceilometer-notification --force
pcs resource create ceilometer-central systemd:openstack-ceilometer-central --clone interleave=true
pcs resource create ceilometer-collector systemd:openstack-ceilometer-collector --clone interleave=true
pcs resource create ceilometer-api systemd:openstack-ceilometer-api --clone interleave=true
pcs resource create ceilometer-notification systemd:openstack-ceilometer-notification --clone interleave=true
pcs constraint order start keystone-clone then ceilometer-central-clone
pcs constraint order start ceilometer-central-clone then ceilometer-collector-clone
pcs constraint colocation add ceilometer-collector-clone with ceilometer-central-clone
pcs constraint order start ceilometer-collector-clone then ceilometer-api-clone
pcs constraint colocation add ceilometer-api-clone with ceilometer-collector-clone
pcs constraint order start ceilometer-api-clone then ceilometer-notification-clone
pcs constraint colocation add ceilometer-notification-clone with ceilometer-api-clone
pcs constraint order start mongod-clone then ceilometer-central-clone
pcs constraint order start vip-redis then ceilometer-central-clone kind=Optional
