#!/usr/bin/bash
# compute nodes as remote nodes
for i in 1 2 3; do
	scp readini.sh cluster_variables.ini node_compute.sh controller$i-vm:/root
done
ssh controller1-vm "/usr/bin/bash node_compute.sh"
