#!/bin/bash
# takes everything down again
for r in memcached galera lb-haproxy keystone; do
	pcs resource delete $r --force
done
pcs cluster stop --all
pcs cluster destroy
