#!/bin/bash
# run me second, written on a laptop
NODES="web1 web2"
for n in $NODES
do
	ssh root@$n "yum -y install httpd"
done
ssh root@web1 "pcs resource create www apache configfile=/etc/httpd/conf/httpd.conf --clone"
