#!/usr/bin/bash
names=$(/usr/bin/bash readini.sh cluster_variables.ini compute names)
n=$(/usr/bin/bash readini.sh cluster_variables.ini compute count)
nfs=$(/usr/bin/bash readini.sh cluster_variables.ini compute nfs)
master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)
vip_keystone=$(/usr/bin/bash readini.sh cluster_variables.ini vip vip-keystone)
for r in nova-evacuate libvirtd-compute nova-compute-fs nova-compute; do pcs resource delete $r --force; done
pcs resource create nova-evacuate ocf:openstack:NovaEvacuate auth_url=http://$vip_keystone:35357 username=admin password=admin tenant_name=admin
for i in vip-glance vip-cinder vip-nova cinder-volume; do
 pcs constraint order start $i then nova-evacuate
done
for i in glance-api-clone neutron-metadata-agent-clone nova-conductor-clone; do
  pcs constraint order start $i then nova-evacuate require-all=false
done
controllers=$(cibadmin --query --scope nodes | grep -o 'uname="[^"]*"' | cut -d '"' -f 2)
for c in $controllers; do
    pcs property set --node $c osprole=controller
done
fencing=$(pcs stonith | awk '{print $1}')
for r in $(cibadmin --query --xpath //primitive --node-path | sed -e "s/.*id='//" -e "s/'.*//" | sort -u); do
    if ! echo "$fencing" | grep -qx $r; then
	pcs constraint location $r rule resource-discovery=exclusive score=0 osprole eq controller --force
    fi
done
pcs resource create libvirtd-compute systemd:libvirtd --clone interleave=true --disabled --force
pcs constraint location libvirtd-compute-clone rule resource-discovery=exclusive score=0 osprole eq compute
pcs resource create nova-compute-fs Filesystem device="$master:$nfs" directory="/var/lib/nova/instances" fstype="nfs" options="v3" op start timeout=240 --clone interleave=true --disabled --force
pcs constraint location nova-compute-fs-clone rule resource-discovery=exclusive score=0 osprole eq compute
pcs resource create nova-compute-checkevacuate ocf:openstack:nova-compute-wait auth_url=http://$vip_keystone:35357 username=admin password=admin tenant_name=admin op start timeout=300 --clone interleave=true --disabled --force
pcs resource create nova-compute ocf:openstack:NovaCompute auth_url=http://$vip_keystone:35357 username=admin password=admin tenant_name=admin op start timeout=300 --clone interleave=true --disabled --force
pcs constraint location nova-compute-clone rule resource-discovery=exclusive score=0 osprole eq compute
pcs constraint order start libvirtd-compute-clone then nova-compute-clone require-all=false
pcs constraint colocation add nova-compute-clone with libvirtd-compute-clone
pcs stonith create fence-nova fence_compute auth-url=http://$vip_keystone:35357 login=admin passwd=admin tenant-name=admin record-only=1 action=off --force
pcs property set cluster-recheck-interval=1min
compute=$(echo $names | awk -F ";" '{ \
	for (k = 1; k <= NF; k++)
	{
		print $k;
	}
}')
for host in $(echo $compute|cut -d " " -f -$n)
do
	pcs resoure delete $host --force
	pcs resource create $host ocf:pacemaker:remote reconnect_interval=60 op monitor interval=20
	pcs property set --node $host osprole=compute
done
for r in libvirtd-compute nova-compute-fs nova-compute-checkevacuate nova-compute; do
	pcs resource enable $r
done
