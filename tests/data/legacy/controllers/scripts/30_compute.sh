#!/usr/bin/bash
n=$(/usr/bin/bash readini.sh cluster_variables.ini compute count)
names=$(/usr/bin/bash readini.sh cluster_variables.ini compute names)
master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)
for ((i=1;i<=$n;i++))
do
	host=$(echo $names|cut -d ";" -f $i)
	ssh $host "ls -l /etc/configured.tag"
	if [ $? -eq 0 ]
		then
		continue
	fi
	ssh $host "yum install -y pacemaker-remote openstack-nova-compute"
done
ssh $master "/usr/bin/bash node_compute.sh"
