#!/usr/bin/bash
compute_nodes=$(/usr/bin/bash readini.sh cluster_variables.ini compute compute_nodes)
node_num=$(/usr/bin/bash readini.sh cluster_variables.ini compute node_num)
vip_keystone=$(/usr/bin/bash readini.sh cluster_variables.ini haproxy vip-keystone)

pcs resource delete nova-evacuate --force
pcs stonith delete fence-nova --force
pcs resource create nova-evacuate ocf:openstack:NovaEvacuate auth_url=http://$vip_keystone:35357 username=admin password=admin tenant_name=admin
for i in vip-glance vip-db vip-keystone cinder-volume; do
 pcs constraint order start $i then nova-evacuate
done
for i in glance-api-clone nova-conductor-clone; do
  pcs constraint order start $i then nova-evacuate require-all=false
done

# tell controllers from compute nodes
controllers=$(cibadmin -Q -o nodes | grep uname | sed s/.*uname..// | awk -F\" '{print $1}' | grep -v comput*)
for controller in ${controllers}; do
    pcs property set --node ${controller} osprole=controller
done
for n in 1 2 3; do pcs property set --node controller$n-vm rack=r$n; done

stonithdevs=$(pcs stonith | awk '{print $1}')
for i in $(cibadmin -Q --xpath //primitive --node-path | tr ' ' '\n' | awk -F "id='" '{print $2}' | awk -F "'" '{print $1}' | uniq); do
    found=0
    for x in $stonithdevs; do
	if [ $x = $i ]; then found=1; fi
    done
    if [ $found = 0 ]; then
	pcs constraint location $i rule resource-discovery=exclusive score=0 osprole eq controller --force
    fi
done

pcs resource create neutron-openvswitch-agent-compute systemd:neutron-openvswitch-agent --clone interleave=true --disabled --force
pcs constraint location neutron-openvswitch-agent-compute-clone rule resource-discovery=exclusive score=0 osprole eq compute
pcs constraint order start neutron-server-clone then neutron-openvswitch-agent-compute-clone require-all=false

pcs resource create libvirtd-compute systemd:libvirtd --clone interleave=true --disabled --force
pcs constraint location libvirtd-compute-clone rule resource-discovery=exclusive score=0 osprole eq compute
pcs constraint order start neutron-openvswitch-agent-compute-clone then libvirtd-compute-clone
pcs constraint colocation add libvirtd-compute-clone with neutron-openvswitch-agent-compute-clone

pcs resource create nova-compute ocf:openstack:NovaCompute auth_url=http://$vip_keystone:35357 username=admin password=admin tenant_name=admin op start timeout=300 --clone interleave=true --disabled --force
pcs constraint location nova-compute-clone rule resource-discovery=exclusive score=0 osprole eq compute
pcs constraint order start libvirtd-compute-clone then nova-compute-clone
pcs constraint colocation add nova-compute-clone with libvirtd-compute-clone
pcs constraint order start nova-compute-clone then nova-evacuate require-all=false

# case ${NETWORK} in
#     east-*)
# 	pcs stonith create fence-compute fence_apc ipaddr=east-apc login=apc passwd=apc pcmk_host_map="east-01:2;east-02:3;"
#     ;;
# esac
pcs stonith create fence-nova fence_compute auth-url=http://$vip_keystone:35357 login=admin passwd=admin tenant-name=admin record-only=1 action=off --force

compute_node=$(echo $compute_nodes|awk -F ";" '{\
for (i=1;i<=NF;i++)
{
print $i;
}
}')
for node in $(echo $compute_node|cut -d " " -f -$node_num)
do
	pcs resoure delete $node --force
	pcs resource create $node ocf:pacemaker:remote reconnect_interval=60 op monitor interval=20
	pcs property set --node $node osprole=compute
done

pcs resource enable keystone
pcs resource enable neutron-openvswitch-agent-compute
pcs resource enable libvirtd-compute
pcs resource enable nova-compute
sleep 60
pcs status
