#!/usr/bin/bash
su -s /bin/sh -c "heat-manage db_sync" heat
if [ $? -ne 0 ]
	then
	echo "db_sync failed"
	exit
fi
pcs resource delete heat-api --force
pcs resource delete heat-api-cfn --force
pcs resource delete heat-engine --force
pcs resource create heat-api systemd:openstack-heat-api --clone interleave=true
pcs resource create heat-api-cfn systemd:openstack-heat-api-cfn --clone interleave=true
pcs resource create heat-engine systemd:openstack-heat-engine --clone interleave=true
pcs constraint order start ceilometer-notification-clone then heat-api-clone
pcs constraint order start heat-api-clone then heat-api-cfn-clone
pcs constraint colocation add heat-api-cfn-clone with heat-api-clone
pcs constraint order start heat-api-cfn-clone then heat-engine-clone
pcs constraint colocation add heat-engine-clone with heat-api-cfn-clone
