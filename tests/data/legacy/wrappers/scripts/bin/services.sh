#!/bin/bash
. ../lib/functions.sh
INTERLEAVE=${INTERLEAVE:-interleave=true}
proj=$1
shift
prev=
for part in "$@"; do
	flag=${part##*:}
	part=${part%%:*}
	name=$proj-$part
	if [ "$flag" = noclone ]; then
		remote pcs resource create $name systemd:openstack-$name
		id=$name
	else
		mkclone $name
		id=$name-clone
	fi
	[ -n "$prev" ] && order $prev $id
	prev=$id
done
