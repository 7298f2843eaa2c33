#!/bin/bash
# Lustre: a pair of metadata servers and two pairs of storage servers
shopt -s nullglob
PAIRS=("mds1 mds2" "oss1 oss2" "oss3 oss4")
declare -A TARGETS
TARGETS["mds1 mds2"]="MGS:/dev/mapper/mgs MDT0000:/dev/mapper/mdt0"
TARGETS["oss1 oss2"]="OST0000:/dev/mapper/ost0 OST0001:/dev/mapper/ost1"
TARGETS["oss3 oss4"]="OST0002:/dev/mapper/ost2 OST0003:/dev/mapper/ost3"
ALL=mds[1-2],oss[1-4]
FS=scratch

function nodes_of() {
    echo $1 | tr ' ' '\n'
}

function base() {
    pdsh -w $ALL "yum -y install lustre pcs pacemaker fence-agents-all"
    pdsh -w $ALL systemctl start pcsd
    local list=()
    for pair in "${PAIRS[@]}"; do
        for n in $(nodes_of "$pair"); do list+=($n); done
    done
    pcs cluster auth ${list[@]} -u hacluster -p lustre
    pcs cluster setup --name lustre ${list[@]} --token 17000
    pcs cluster start --all && pcs cluster enable --all
    pcs property set symmetric-cluster=true
    pcs property set stonith-enabled=true
    pcs property set no-quorum-policy=freeze
    pcs property set start-failure-is-fatal=false
    pcs resource op defaults timeout=300
}

function fencing() {
    local outlet=1
    for pair in "${PAIRS[@]}"; do
        set -- $pair
        while (( $# )); do
            pcs stonith create st-$1 fence_apc_snmp ipaddr=pdu-$(( (outlet + 7) / 8 )) port=$outlet pcmk_host_list=$1 pcmk_host_check=static-list
            pcs constraint location st-$1 avoids $1
            (( outlet++ ))
            shift
        done
    done
}

function targets() {
    for pair in "${PAIRS[@]}"; do
        read -r first second <<< "$pair"
        turn=0
        for entry in ${TARGETS[$pair]}; do
            name=${entry%%:*}; dev=${entry#*:}
            [[ -n $name && -n $dev ]] || continue
            pcs resource create ${FS}-$name ocf:heartbeat:Filesystem device=$dev directory=/lustre/$FS/$name fstype=lustre \
                op start timeout=450 op stop timeout=300 op monitor interval=120 timeout=300 --disabled
            if (( turn++ % 2 == 0 )); then a=$first b=$second; else a=$second b=$first; fi
            pcs constraint location ${FS}-$name prefers $a=100 $b=50
            for pairs in "${PAIRS[@]}"; do
                [[ $pairs == "$pair" ]] && continue
                for n in $pairs; do pcs constraint location ${FS}-$name avoids $n; done
            done
        done
    done
    pcs constraint order scratch-MGS then scratch-MDT0000
    for ost in OST000{0..3}; do
        pcs constraint order scratch-MDT0000 then scratch-$ost kind=Optional
    done
}

function lnet() {
    pcs resource create lnet ocf:lustre:healthLNET lctl=true multiplier=1001 device=ib0 host_list="10.4.0.1 10.4.0.2" op monitor interval=15s --clone
    pcs resource create health ocf:lustre:healthLUSTRE dampen=5s op monitor interval=25s clone interleave=true
    local f
    for f in MGS MDT0000 OST000{0,1,2,3}; do
        pcs constraint location scratch-$f rule score=-INFINITY pingd lte 0 or not_defined pingd
        pcs constraint location scratch-$f rule score=-INFINITY lustred lte 0 or not_defined lustred
    done
}

function enable_all() {
    for f in MGS MDT0000 OST000{0..3}; do pcs resource enable scratch-$f; done
}

function drop() {
    for t in "$@"; do pcs resource delete scratch-$t; done
}

base
fencing
targets
lnet
enable_all
[ "$1" = drop ] && drop OST0003
exit 0
pcs config
