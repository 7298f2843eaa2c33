#!/usr/bin/bash
su -s /bin/sh -c "keystone-manage db_sync" keystone
if [ $? -ne 0 ]
	then
	echo "db_sync failed"
	exit
fi
pcs resource delete keystone --force
pcs resource create keystone systemd:openstack-keystone --clone interleave=true
pcs constraint order start rabbitmq-clone then keystone-clone
for x in lb-haproxy memcached; do pcs constraint order start $x-clone then keystone-clone; done
pcs constraint order promote galera-master then keystone-clone
while ! openstack service list; do sleep 1; done
