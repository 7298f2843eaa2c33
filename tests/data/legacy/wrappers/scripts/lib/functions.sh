remote() { ssh -o BatchMode=yes root@$MASTER "$@"; }
function mkclone {
	local name=$1 unit=${2:-openstack-$1}
	shift; [ $# -gt 0 ] && shift
	remote "pcs resource create $name systemd:$unit $* --clone $INTERLEAVE"
}
order() { remote pcs constraint order start "$1" then "$2"; }
