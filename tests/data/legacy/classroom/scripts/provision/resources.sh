#!/bin/sh
# resources.sh ADDRESS PREFIX
VIP=$1
PREFIX=${2:-24}
pcs resource create vip ocf:heartbeat:IPaddr2 ip=$VIP cidr_netmask=$PREFIX op monitor interval=10s
pcs resource create web ocf:heartbeat:nginx configfile=/etc/nginx/nginx.conf status10url=http://127.0.0.1/health op monitor interval=20s timeout=30s
pcs constraint colocation add web with vip INFINITY
pcs constraint order vip then web
pcs constraint location vip prefers web1=50
# exercise 4: do it with a group instead
# pcs resource group add website vip web
