#!/bin/bash
#
# setup_cluster.sh - build the db cluster. v2.3 jk
#
set -e
set -o pipefail
PROG=$(basename $0)
BASEDIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LOG=/var/log/${PROG%.sh}.log
CIB=/root/new_cib.xml
FORCE=no
DRYRUN=

usage() {
    cat <<EOF
Usage: $PROG [-f] [-n] [-c FILE]
   -f  force: pcs cluster destroy --all first
   -n  print pcs commands only
Example: pcs resource create foo ...
EOF
    exit 1
}

log()  { echo "$(date '+%F %T') $*" | tee -a $LOG; }
die()  { log "ERROR: $*" >&2; exit 1; }
run()  { log "+ $*"; $DRYRUN "$@" || die "$* failed"; }
cleanup() { rm -f /tmp/$$.*; }
trap cleanup EXIT INT TERM

while getopts "fnc:h" opt; do
    case $opt in
        f) FORCE=yes ;;
        n) DRYRUN=echo ;;
        c) CONF=$OPTARG ;;
        h|*) usage ;;
    esac
done
shift $((OPTIND - 1))

CONF=${CONF:-$BASEDIR/conf/cluster.conf}
[ -r "$CONF" ] || die "no $CONF"
source "$CONF"

[[ $EUID -eq 0 ]] || die "must be root"

# ---------------------------------------------------------------------------
auth_nodes() {
    local n
    for n in "${NODES[@]}"; do
        ssh -n -o StrictHostKeyChecking=no root@$n 'systemctl enable --now pcsd; echo hacluster | passwd --stdin hacluster' || return 1
    done
    pcs cluster auth ${NODES[*]} -u hacluster -p hacluster --force
}

create_cluster() {
    if [ "$FORCE" = yes ]; then
        pcs cluster destroy --all || true
    fi
    run pcs cluster setup --name "$CLUSTER_NAME" "${NODES[@]}" --transport udpu --token 10000
    run pcs cluster start --all --wait=60
    run pcs cluster enable --all
    pcs property set stonith-enabled=true no-quorum-policy=stop cluster-recheck-interval=3min
    pcs property set symmetric-cluster=true
    pcs resource defaults resource-stickiness=$STICKINESS migration-threshold=3
    pcs resource op defaults timeout=60s
    pcs quorum update wait_for_all=1
}

fencing() {
    local node ip
    for node in "${!IPMI[@]}"; do :; done      # order is not defined, walk NODES
    for node in ${NODES[@]}; do
        ip=${IPMI[$node]}
        pcs -f $CIB stonith create ipmi-${node} fence_ipmilan pcmk_host_list="$node" ipaddr=$ip \
            login=$IPMI_USER passwd="$IPMI_PASS" lanplus=1 op monitor interval=60s
        pcs -f $CIB constraint location ipmi-$node avoids $node=INFINITY
    done
}

filesystems() {
    while IFS=: read -r name export mnt opts; do
        [[ -z "$name" || $name == \#* ]] && continue
        pcs -f $CIB resource create fs-$name Filesystem \
            device="${NFS_SERVER}:$export" directory=$mnt fstype=nfs options=${opts:-defaults} \
            op monitor interval=$MONITOR_INTERVAL OCF_CHECK_LEVEL=10 on-fail=fence
    done <<-EOT
	# name:export:mount:options
	data:/export/pgdata:/var/lib/pgsql/data:rw,hard
	arch:/export/pgarch:/var/lib/pgsql/archive:
	#old:/export/old:/mnt/old:ro
	EOT
}

vips() {
    local i=0 name
    while read name role; do
        ip=${VIP_NET}.$((VIP_START + i))
        pcs -f $CIB resource create vip-$name ocf:heartbeat:IPaddr2 ip=$ip cidr_netmask=$NETMASK op monitor interval=${MONITOR_INTERVAL%s}
        let i+=1
        case "$role" in
            rw) pcs -f $CIB constraint colocation add vip-$name with master pgsql-ms INFINITY
                pcs -f $CIB constraint order promote pgsql-ms then start vip-$name symmetrical=false score=INFINITY ;;
            ro) pcs -f $CIB constraint colocation add vip-$name with slave pgsql-ms 100 ;;
            -)  ;;
            *)  die "role $role" ;;
        esac
    done << EOT
rw rw
ro ro
mon -
EOT
}

database() {
    local opts='interval=7s timeout=30s'
    pcs -f $CIB resource create pgsql pgsql \
        pgctl="/usr/pgsql-9.6/bin/pg_ctl" \
        psql=/usr/pgsql-9.6/bin/psql \
        rep_mode=sync \
        node_list="${NODES[*]}" \
        master_ip=$VIP_NET.$VIP_START \
        restart_on_promote=true \
        op start timeout=60s op stop timeout=60s \
        op monitor interval=7s timeout=30s \
        op monitor $opts role=Master \
        op promote timeout=30s on-fail=restart \
        op demote timeout=30s on-fail=stop
    pcs -f $CIB resource master pgsql-ms pgsql master-max=1 master-node-max=1 clone-max=${#NODES[@]} clone-node-max=1 notify=true
}

web() {
    pcs -f $CIB resource create httpd apache configfile=/etc/httpd/conf/httpd.conf statusurl="http://127.0.0.1/server-status" --group web
    pcs -f $CIB resource create web-vip IPaddr2 ip=$VIP_NET.60 --group web --before httpd
    pcs -f $CIB resource create web-fs Filesystem device=/dev/vg/web directory=/var/www fstype=xfs --group web
    pcs -f $CIB resource group add web web-mon --after httpd 2>/dev/null || true
    pcs -f $CIB resource create web-mail MailTo email=root@example.com subject="web moved" --disabled
    pcs -f $CIB resource group add web web-mail
    pcs -f $CIB constraint location web prefers ${NODES[0]}=100 ${NODES[1]}=50
    pcs -f $CIB constraint order web then pgsql-ms kind=Optional
}

infra() {
    pcs -f $CIB resource create dlm ocf:pacemaker:controld op monitor interval=30s on-fail=fence
    pcs -f $CIB resource clone dlm interleave=true ordered=true
    pcs -f $CIB resource create clvmd ocf:heartbeat:clvm op monitor interval=30s on-fail=fence clone interleave=true ordered=true
    pcs -f $CIB constraint order start dlm-clone then clvmd-clone
    pcs -f $CIB constraint colocation add clvmd-clone with dlm-clone
    pcs -f $CIB resource create ping ocf:pacemaker:ping host_list="10.20.30.1 10.20.30.2" dampen=5s multiplier=1000 --clone
    pcs -f $CIB constraint location web rule score=-INFINITY pingd lt 1 or not_defined pingd
    pcs -f $CIB constraint order set dlm-clone clvmd-clone sequential=true set web require-all=false setoptions kind=Mandatory
    pcs -f $CIB constraint colocation set web vip-mon setoptions score=100
}

tune() {
    pcs resource update pgsql rep_mode=async op monitor interval=9s
    pcs resource meta web migration-threshold=5 failure-timeout=120s
    pcs resource op add pgsql notify timeout=60s
    pcs resource op remove pgsql monitor interval=7s role=Master
    pcs resource update web-vip nic=
    pcs resource ungroup web web-mail
    pcs resource enable web-mail
    pcs resource unmanage web-mail && pcs resource manage web-mail
    pcs resource move web db02 && sleep 5 && pcs resource clear web
    pcs resource ban vip-mon db03
    pcs resource cleanup
    pcs resource cleanup web-vip
    crm_attribute --type crm_config --name dc-deadtime --update 30s
    crm_attribute -N db01 -n site -v north
    pcs node attribute db02 site=south
    pcs property set --node db03 site=south rack=r9
    pcs node standby db03; pcs node unstandby db03
    pcs node maintenance db03
    pcs alert create id=mail path=/usr/local/bin/alert_mail.sh
    pcs alert recipient add mail value=ops@example.com
    pcs acl role create readers description="read only" read xpath /cib
    pcs acl user create nagios readers
    pcs acl enable
    pcs tag create webtag web vip-mon
    pcs resource bundle create httpd-bundle container docker image=pcmk:http replicas=3 network ip-range-start=10.20.30.70
    pcs stonith level add 1 db01 ipmi-db01
    pcs constraint ticket add T1 web loss-policy=stop
    pcs resource relocate run
    pcs resource debug-start pgsql
    pcs resource failcount reset web
    pcs config backup /root/before
}

main() {
    auth_nodes && create_cluster || die "cluster"
    pcs cluster cib $CIB || exit 2
    for step in fencing filesystems database vips web infra; do
        log "step $step"
        $step
    done
    pcs cluster verify -V $CIB && pcs cluster cib-push $CIB || die "push failed"
    until pcs status | grep -q "Masters: \[ db01"; do
        sleep 5
        (( ++tries > 60 )) && break
    done
    tune
    # pcs property set maintenance-mode=true
    log "done, see: pcs status --full"
}

main "$@"
exit 0
pcs resource create never Dummy
