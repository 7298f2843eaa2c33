#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ./lib/log.sh
set -a; source ./cluster.env; set +a

declare -A vips=([pgsql-rw]="$VIP_RW" [pgsql-ro]="$VIP_RO")

if ! exists pgsqld; then
  pcs cluster cib paf.xml
  pcs -f paf.xml resource create pgsqld ocf:heartbeat:pgsqlms \
      bindir="$PGBIN" pgdata="$PGDATA" \
      op start timeout=60s op stop timeout=60s \
      op promote timeout=30s op demote timeout=120s \
      op monitor interval=15s timeout=10s role="Master" \
      op monitor interval=16s timeout=10s role="Slave" \
      op notify timeout=60s \
      promotable notify=true
  for vip in pgsql-rw pgsql-ro; do
    pcs -f paf.xml resource create "$vip" ocf:heartbeat:IPaddr2 \
        ip="${vips[$vip]}" cidr_netmask="$VIP_MASK" op monitor interval=10s
  done
  pcs -f paf.xml constraint colocation add pgsql-rw with master pgsqld-clone INFINITY
  pcs -f paf.xml constraint order promote pgsqld-clone then start pgsql-rw symmetrical=false kind=Mandatory
  pcs -f paf.xml constraint order demote pgsqld-clone then stop pgsql-rw symmetrical=false kind=Mandatory
  pcs -f paf.xml constraint colocation add pgsql-ro with slave pgsqld-clone 100
  pcs cluster cib-push paf.xml --wait=120
fi

weight=100
for node in $NODES; do
  pcs constraint location pgsql-rw prefers "$node=$weight"
  (( weight -= 25 )) || true
done

# connection poolers beside the addresses
for pool in rw ro; do
  exists "pgbouncer-$pool" || \
    pcs resource create "pgbouncer-$pool" "systemd:pgbouncer@$pool" op monitor interval=20s meta failure-timeout=60s
  pcs constraint colocation add "pgbouncer-$pool" with "pgsql-$pool"
  pcs constraint order "pgsql-$pool" then "pgbouncer-$pool"
done

pcs alert create id=mail path=/usr/share/pacemaker/alerts/alert_smtp.sh
pcs alert recipient add mail value=dba@lab.example
pcs resource config || true
