#!/usr/bin/bash
su -s /bin/sh -c "nova-manage db_sync" nova
if [ $? -ne 0 ]
	then
	echo "db_sync failed"
	exit
fi
pcs resource delete nova-consoleauth --force
pcs resource delete nova-novncproxy --force
pcs resource delete nova-api --force
pcs resource delete nova-scheduler --force
pcs resource delete nova-conductor --force
pcs resource create nova-consoleauth systemd:openstack-nova-consoleauth --clone interleave=true
pcs resource create nova-novncproxy systemd:openstack-nova-novncproxy --clone interleave=true
pcs resource create nova-api systemd:openstack-nova-api --clone interleave=true
pcs resource create nova-scheduler systemd:openstack-nova-scheduler --clone interleave=true
pcs resource create nova-conductor systemd:openstack-nova-conductor --clone interleave=true
pcs constraint order start keystone-clone then nova-consoleauth-clone
pcs constraint order start nova-consoleauth-clone then nova-novncproxy-clone
pcs constraint colocation add nova-novncproxy-clone with nova-consoleauth-clone
pcs constraint order start nova-novncproxy-clone then nova-api-clone
pcs constraint colocation add nova-api-clone with nova-novncproxy-clone
pcs constraint order start nova-api-clone then nova-scheduler-clone
pcs constraint colocation add nova-scheduler-clone with nova-api-clone
pcs constraint order start nova-scheduler-clone then nova-conductor-clone
pcs constraint colocation add nova-conductor-clone with nova-scheduler-clone
# pcs constraint order start nova-api-clone then nova-cert-clone
pcs constraint order start galera-master then nova-consoleauth-clone
pcs constraint order start galera-master then nova-consoleauth-clone
