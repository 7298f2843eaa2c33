#!/bin/bash
# what was added by hand over the years; started on the first controller

pcs cluster cib /root/web.xml
pcs -f /root/web.xml resource create web-fs ocf:heartbeat:Filesystem device=/dev/vg0/web directory=/srv/www fstype=xfs
pcs -f /root/web.xml resource create web-server systemd:nginx
pcs -f /root/web.xml resource group add web web-fs web-server
pcs cluster cib-push /root/web.xml

pcs cluster cib /root/draft.xml
pcs -f /root/draft.xml resource create unfinished ocf:heartbeat:Dummy

pcs resource create ping-gw ocf:pacemaker:ping host_list=192.0.2.1 dampen=5s multiplier=1000
pcs resource clone ping-gw interleave=true
pcs resource create drbd-data ocf:linbit:drbd drbd_resource=data op monitor interval=29s role=Master op monitor interval=31s role=Slave
pcs resource master drbd-master drbd-data master-max=1 clone-max=2 notify=true
pcs constraint location drbd-master prefers controller1-vm=100 controller2-vm=50
pcs constraint colocation add web with master drbd-master INFINITY
pcs constraint order promote drbd-master then start web

pcs resource update vip-redis cidr_netmask=24
pcs resource meta web-server migration-threshold=3 failure-timeout=60s
pcs resource op add web-server monitor interval=10s timeout=30s on-fail=restart
pcs resource meta mongodb interleave=true

pcs resource move web controller2-vm
pcs resource ban vip-redis controller3-vm
pcs resource unmanage cinder-volume
pcs resource manage cinder-volume
pcs resource failcount reset galera
pcs resource utilization nova-compute memory=4096

pcs constraint order set keystone-clone heat-api-clone horizon-clone
pcs constraint location web rule score=INFINITY pingd defined or pingd gt 0
pcs constraint colocation add vip-redis with ping-gw-clone score=200
pcs constraint remove colocation-vip-redis-ping-gw-clone-200
pcs constraint order remove vip-redis ceilometer-central-clone

if ! pcs resource show memcached > /dev/null 2>&1; then
	pcs resource create memcached systemd:memcached --clone
fi
if [ -e /etc/sysconfig/watchdog ]; then
	pcs property set stonith-watchdog-timeout=10
fi
if grep -q flat /root/network_mode; then
	pcs resource create route-flat ocf:heartbeat:Route destination=198.51.100.0/24 gateway=192.0.2.1
else
	pcs resource create route-vlan ocf:heartbeat:Route destination=203.0.113.0/24 gateway=192.0.2.1
fi
crm_attribute --type crm_config --name shutdown-escalation --update 20min
crm configure primitive p_old ocf:heartbeat:Dummy

cat > /root/rescue.sh <<EOF
#!/bin/bash
pcs resource cleanup
pcs cluster stop --all
EOF
expect <<EOF
spawn ssh controller2-vm
send "pcs cluster standby controller2-vm\r"
EOF
echo "now run: pcs resource restart web"
exit 0
pcs resource create never ocf:heartbeat:Dummy
