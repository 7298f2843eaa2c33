#!/usr/bin/bash
master=$(/usr/bin/bash readini.sh cluster_variables.ini default master)
ssh root@$master "pcs resource delete horizon --force"
ssh root@$master "pcs resource create horizon apache --clone interleave=true"
