#!/bin/bash
# entry point: ./install.sh
export TOP=$(dirname $(readlink -f $0))
. $TOP/env/vars.sh
. ${TOP}/lib/functions.sh
export MASTER NODES DOMAIN

step() { echo "=== $1"; shift; "$@"; }

step "base" bash $TOP/bin/base.sh ${NODES}
step "vips" $TOP/bin/vips.sh eth0 10.1.1 10 api db mq
(
  cd $TOP/bin
  ./services.sh nova api scheduler conductor
  ./services.sh glance api registry
  ./services.sh cinder api scheduler "volume:noclone"
)
bin/order.sh glance-api nova-api
source bin/attributes.sh
case $(hostname) in
	admin*) bash bin/admin_only.sh ;;
	*)      pcs property set site=other ;;
esac
for s in bin/post.d/*.sh; do
	[ -x $s ] && . $s
done
for n in $NODES; do echo $n; done | xargs -I{} ssh root@{} "pcs status nodes"
echo "$NODES" | tr ' ' '\n' | xargs -n1 -I % ssh root@$MASTER pcs node attribute % az=az-%
remote 'pcs resource create last Dummy'
remote "pcs constraint order nova-conductor-clone then last"
remote pcs resource disable last
