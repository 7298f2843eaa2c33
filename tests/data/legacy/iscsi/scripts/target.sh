#!/usr/bin/env bash
# iSCSI targets with LIO on DRBD; pcs 0.11
#   target.sh -n NAME -i IQN -a ADDRESS [-l SIZE]... [-c CLUSTER] [-D]
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit 2> /dev/null || true

cluster=san dry= name= iqn= address= luns=()
usage() {
    cat >&2 <<EOF
${0##*/} -n NAME -i IQN -a ADDRESS [-l DEVICE]...
It runs pcs resource create and pcs constraint for you.
EOF
    exit "${1:-0}"
}
while getopts ":n:i:a:l:c:Dh" opt; do
    case $opt in
        n) name=$OPTARG ;;
        i) iqn=$OPTARG ;;
        a) address=$OPTARG ;;
        l) luns+=("$OPTARG") ;;
        c) cluster=$OPTARG ;;
        D) dry=echo ;;
        h) usage ;;
        *) usage 64 ;;
    esac
done
shift $((OPTIND - 1))
[[ -n $name && -n $iqn && -n $address ]] || usage 64

PCS=(${dry:+"$dry"} pcs)
members=(san-1 san-2)

have() { [[ -n $("${PCS[@]}" resource config "$1" 2> /dev/null) ]]; }

if ! pcs cluster status > /dev/null 2>&1; then
    "${PCS[@]}" host auth "${members[@]/%/.storage.example}" -u hacluster -p "$(< /etc/san/secret)"
    "${PCS[@]}" cluster setup "$cluster" san-1 addr=10.3.0.1 addr=10.4.0.1 san-2 addr=10.3.0.2 addr=10.4.0.2 transport knet link_mode=active
    "${PCS[@]}" cluster start --all --wait
fi

"${PCS[@]}" property set stonith-enabled=true stonith-watchdog-timeout=0
for m in "${members[@]}"; do
    "${PCS[@]}" stonith create "ipmi-$m" fence_ipmilan ip="bmc-$m" username=fence password_script=/etc/san/bmc lanplus=true pcmk_host_list="$m" pcmk_delay_base=$([[ $m == san-1 ]] && echo 5s || echo 0s)
    "${PCS[@]}" stonith create "pdu-$m" fence_apc_snmp ip=pdu plug="${m#san-}" pcmk_host_list="$m"
    "${PCS[@]}" stonith level add 1 "$m" "ipmi-$m"
    "${PCS[@]}" stonith level add 2 "$m" "pdu-$m"
done

"${PCS[@]}" resource create "drbd-$name" ocf:linbit:drbd drbd_resource="$name" op monitor interval=29s role=Promoted op monitor interval=31s role=Unpromoted promotable "ha-$name" promoted-max=1 promoted-node-max=1 clone-max=2 clone-node-max=1 notify=true

group=(--group "tgt-$name")
"${PCS[@]}" resource create "block-$name" ocf:heartbeat:portblock protocol=tcp portno=3260 action=block ip="$address" "${group[@]}"
"${PCS[@]}" resource create "ip-$name" ocf:heartbeat:IPaddr2 ip="$address" cidr_netmask=24 op monitor interval=10s "${group[@]}"
"${PCS[@]}" resource create "iscsi-$name" ocf:heartbeat:iSCSITarget iqn="$iqn" implementation=lio-t portals="$address:3260" op monitor interval=20s "${group[@]}"
n=0
for lun in "${luns[@]}"; do
    "${PCS[@]}" resource create "lun$((n++))-$name" ocf:heartbeat:iSCSILogicalUnit target_iqn="$iqn" lun="$n" path="$lun" op monitor interval=20s "${group[@]}"
done
"${PCS[@]}" resource create "unblock-$name" ocf:heartbeat:portblock protocol=tcp portno=3260 action=unblock ip="$address" "${group[@]}"

"${PCS[@]}" constraint colocation add "tgt-$name" with Promoted "ha-$name"
"${PCS[@]}" constraint order promote "ha-$name" then start "tgt-$name"
"${PCS[@]}" resource defaults set create id=san meta resource-stickiness=1000
"${PCS[@]}" resource op defaults update timeout=60s
[[ -z $dry ]] || exit 0
pcs constraint config --full
