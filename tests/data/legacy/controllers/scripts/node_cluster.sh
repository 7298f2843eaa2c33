#!/usr/bin/bash
node[1]=$(/usr/bin/bash readini.sh cluster_variables.ini default node1)
node[2]=$(/usr/bin/bash readini.sh cluster_variables.ini default node2)
node[3]=$(/usr/bin/bash readini.sh cluster_variables.ini default node3)
num=$(/usr/bin/bash readini.sh cluster_variables.ini default nodes_count)
master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)
name=$(/usr/bin/bash readini.sh cluster_variables.ini default cluster)
hapass=$(/usr/bin/bash readini.sh cluster_variables.ini default hapass)
rpm -qa | grep pacemaker
if [ $? -ne 0 ]
	then
	echo "install the packages first"
	exit
fi
list=""
for (( i = 1; i <= $num; i++ )); do
	list="$list ${node[i]}"
done
echo $hapass | passwd --stdin hacluster
for i in `echo $list | awk '{print $2,$3}'`
do
expect << EOF
spawn ssh-copy-id root@$i
expect "yes/no" {send "yes\r"}
EOF
done
pcs cluster auth $list -u hacluster -p ${hapass} --force
pcs cluster setup --force --name $name $list
pcs cluster enable --all
pcs cluster start --all
pcs property set no-quorum-policy=stop pe-warn-series-max=1000
pcs resource defaults resource-stickiness=INFINITY
