#!/usr/bin/bash
systemctl start neutron-server
if [ $? -eq 0 ]
	then
	echo ok
else
	exit
fi
agents="neutron-ovs-cleanup neutron-netns-cleanup neutron-openvswitch-agent neutron-dhcp-agent neutron-l3-agent neutron-metadata-agent"
pcs resource create neutron-server systemd:neutron-server op start timeout=180 --clone interleave=true
pcs resource create neutron-scale ocf:neutron:NeutronScale --clone globally-unique=true clone-max=3 interleave=true
pcs resource create neutron-ovs-cleanup ocf:neutron:OVSCleanup --clone interleave=true
pcs resource create neutron-netns-cleanup ocf:neutron:NetnsCleanup --clone interleave=true
for a in openvswitch dhcp l3 metadata; do
	pcs resource create neutron-$a-agent systemd:neutron-$a-agent --clone interleave=true
done
prev=neutron-scale
for a in $agents; do
	pcs constraint order start ${prev}-clone then ${a}-clone
	pcs constraint colocation add ${a}-clone with ${prev}-clone
	prev=$a
done
pcs constraint order start neutron-server-clone then neutron-scale-clone
pcs constraint order start keystone-clone then neutron-server-clone
if neutron router-list
	then
	neutron router-delete admin-router
fi
