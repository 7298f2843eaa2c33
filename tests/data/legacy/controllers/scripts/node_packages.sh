#!/usr/bin/bash
yum install -y pcs pacemaker corosync fence-agents-all resource-agents
systemctl enable pcsd
systemctl start pcsd
