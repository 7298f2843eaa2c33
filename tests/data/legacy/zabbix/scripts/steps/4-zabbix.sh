cat > /tmp/zbx.sh <<'EOF'
#!/bin/bash
pcs resource create zabbix-server systemd:zabbix-server op monitor interval=20s op start timeout=120s
pcs resource create zabbix-web systemd:php-fpm clone interleave=true
pcs constraint order promote galera-clone then zabbix-server
pcs constraint order rabbitmq-clone then zabbix-server kind=Optional
pcs constraint colocation add zabbix-server with vip-server
pcs constraint order vip-server then zabbix-server
EOF
scp -q /tmp/zbx.sh $FIRST:/tmp/zbx.sh
at $FIRST bash /tmp/zbx.sh && rm -f /tmp/zbx.sh
for n in $NODES; do
    score=$(( ${score:-400} - 100 ))
    p constraint location zabbix-server prefers $n=$score
done
if ask "create the trapper as well?"; then
    p resource create trapper ocf:heartbeat:anything binfile=/usr/local/bin/trapper user=zabbix
    p constraint colocation add trapper with zabbix-server
fi
p status | grep -A3 Failed && echo "look at the failures"
