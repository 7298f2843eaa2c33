#!/usr/bin/bash
. ./lib.sh
vip_ceilometer=$(/usr/bin/bash readini.sh cluster_variables.ini haproxy vip-ceilomete)
vip_heat=$(/usr/bin/bash readini.sh cluster_variables.ini haproxy vip-heat)
storage=$(/usr/bin/bash readini.sh cluster_variables.ini haproxy share_dir)

# keystone, after everything that it needs
pcs resource delete keystone
pcs resource create keystone systemd:openstack-keystone --clone interleave=true
pcs constraint order start lb-haproxy-clone then keystone-clone
pcs constraint order promote galera-master then keystone-clone
pcs constraint order start rabbitmq-cluster-master then keystone-clone
pcs constraint order start memcached-clone then keystone-clone

# glance on NFS
pcs resource delete glance-fs
pcs resource create glance-fs Filesystem device="controller1:${storage}/glance" directory="/var/lib/glance" fstype="nfs" options="v3" --clone
pcs resource create glance-registry systemd:openstack-glance-registry --clone interleave=true
pcs resource create glance-api systemd:openstack-glance-api --clone interleave=true
chain glance-fs glance-registry
chain glance-registry glance-api
pcs constraint order start keystone-clone then glance-registry-clone

# cinder: the volume service runs once
create_clone cinder-api openstack-cinder-api
create_clone cinder-scheduler openstack-cinder-scheduler
pcs resource create cinder-volume systemd:openstack-cinder-volume
chain cinder-api cinder-scheduler
pcs constraint order start cinder-scheduler-clone then cinder-volume
pcs constraint colocation add cinder-volume with cinder-scheduler-clone
pcs constraint order start keystone-clone then cinder-api-clone
pcs constraint order start keystone-clone then cinder-api-clone

# neutron
systemctl enable neutron-server
create_clone neutron-server
pcs resource create neutron-scale ocf:neutron:NeutronScale --clone globally-unique=true clone-max=3 interleave=true
pcs resource create neutron-ovs-cleanup ocf:neutron:OVSCleanup --clone interleave=true
pcs resource create neutron-netns-cleanup ocf:neutron:NetnsCleanup --clone interleave=true
create_clone neutron-openvswitch-agent
create_clone neutron-dhcp-agent
create_clone neutron-l3-agent
create_clone neutron-metadata-agent
previous=neutron-scale
for agent in neutron-ovs-cleanup neutron-netns-cleanup neutron-openvswitch-agent neutron-dhcp-agent neutron-l3-agent neutron-metadata-agent; do
	chain $previous $agent
	previous=$agent
done
pcs constraint order start keystone-clone then neutron-server-clone
pcs constraint order start neutron-server-clone then neutron-scale-clone

# nova
for service in consoleauth novncproxy api scheduler conductor cert; do
	create_clone nova-$service openstack-nova-$service
done
chain nova-consoleauth nova-novncproxy
chain nova-novncproxy nova-api
chain nova-api nova-scheduler
chain nova-scheduler nova-conductor
# chain nova-api nova-cert
pcs constraint order start keystone-clone then nova-consoleauth-clone

# heat and horizon
create_clone heat-api openstack-heat-api
create_clone heat-api-cfn openstack-heat-api-cfn
create_clone heat-engine openstack-heat-engine
chain heat-api heat-api-cfn
chain heat-api-cfn heat-engine
pcs constraint order start keystone-clone then heat-api-clone
pcs resource create horizon systemd:httpd --clone interleave=true
systemctl enable httpd.service
pcs constraint order start keystone-clone then horizon-clone

# ceilometer
pcs resource create ceilometer-central systemd:openstack-ceilometer-central --clone interleave=true
pcs resource create ceilometer-api systemd:openstack-ceilometer-api --clone interleave=true
pcs resource create ceilometer-delay Delay startdelay=10 --clone interleave=true
pcs constraint order start vip-redis then ceilometer-central-clone kind=Optional
pcs constraint order start mongodb-clone then ceilometer-central-clone
chain ceilometer-central ceilometer-api
chain ceilometer-api ceilometer-delay
pcs constraint order start ceilometer-dealy-clone then ceilometer-api-clone
