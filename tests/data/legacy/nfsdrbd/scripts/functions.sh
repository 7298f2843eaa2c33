# sourced by install.sh
HAPASS=${HAPASS:-nfs-lab-7}
IPMIPASS=${IPMIPASS:-calvin}

step () {
    echo
    echo "=== $* ==="
}

die () { echo "ERROR: $*" >&2; exit 2; }

on () {
    local host=$1
    shift
    if [ "$host" = "$(hostname -s)" ]; then
        eval "$@"
    else
        ssh -o StrictHostKeyChecking=no root@$host "$@"
    fi
}

wait_online () {
    local want=$1 tries=0 up
    while [ $tries -lt 30 ]; do
        up=$(pcs status nodes 2> /dev/null | awk '/^ Online:/ { print NF - 1; exit }')
        [ "${up:-0}" -ge $want ] && return 0
        tries=$((tries + 1))
        sleep 2
    done
    return 1
}

ping_clone () {
    pcs resource create ping ocf:pacemaker:ping dampen=5s multiplier=1000 host_list="$*" op monitor interval=10s --clone
    for g in nfs_group; do
        pcs constraint location $g rule score=-INFINITY pingd lt 1 or not_defined pingd
    done
}

finish () {
    cat <<END
Done. Look at the cluster with:
  pcs status
  pcs constraint show --full
To move the service by hand:
  pcs resource move nfs_group
  pcs resource clear nfs_group
END
}

# not used any more
old_start () {
    pcs resource create nfs_old lsb:nfs op monitor interval=30s
    pcs resource disable nfs_old
}
