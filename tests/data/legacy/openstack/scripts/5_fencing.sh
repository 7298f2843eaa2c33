#!/usr/bin/bash
# power switches of the three machines

ip=()
for n in 1 2 3; do
	ip+=($(/usr/bin/bash readini.sh cluster_variables.ini controller$n-vm ipmi_ip))
done

ssh -T root@controller1-vm <<EOF
	pcs stonith create ipmi-1 fence_ipmilan pcmk_host_list="controller1-vm" ipaddr=${ip[0]} login=fence passwd=Pow3rSwitch lanplus=1 op monitor interval=60s
	pcs stonith create ipmi-2 fence_ipmilan pcmk_host_list="controller2-vm" ipaddr=${ip[1]} login=fence passwd=Pow3rSwitch lanplus=1 op monitor interval=60s
	pcs stonith create ipmi-3 fence_ipmilan pcmk_host_list="controller3-vm" ipaddr=${ip[2]} login=fence passwd=Pow3rSwitch lanplus=1 op monitor interval=60s
	pcs stonith create fence-all fence_xvm multicast_address=225.0.0.1
	pcs stonith level add 1 controller1-vm ipmi-1,fence-all
	pcs constraint location ipmi-1 avoids controller1-vm
EOF
