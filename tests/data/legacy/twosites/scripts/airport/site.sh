#!/bin/bash
cd ${0%/*}
SITE=airport NODES="pbx-a1 pbx-a2 pbx-a3" NET=198.51.100
. ../common/base.sh
make_cluster
make_proxy 80

for queue in sales support night; do
    remote "pcs resource create q-$queue systemd:callqueue@$queue op monitor interval=15s clone clone-max=2 interleave=true"
    remote "pcs constraint order proxy then q-$queue-clone"
done
remote "pcs node attribute pbx-a3 role=witness"
remote "pcs constraint location proxy rule score=-INFINITY role eq witness"
remote "pcs quorum config"
remote "test -e /etc/corosync/qdevice || pcs quorum device add model net host=qnet.example algorithm=ffsplit"
if [ "$WITH_RECORDER" = yes ]; then
    remote "pcs resource create recorder systemd:oreka op monitor interval=60s"
    remote "pcs constraint colocation add recorder with proxy"
fi
