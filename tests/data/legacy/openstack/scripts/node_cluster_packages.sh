#!/usr/bin/bash
yum install -y pacemaker pcs corosync fence-agents-all resource-agents
systemctl enable pcsd
systemctl start pcsd
hacluster_passwd=$(/usr/bin/bash readini.sh cluster_variables.ini default hacluster_passwd)
echo $hacluster_passwd | passwd --stdin hacluster
