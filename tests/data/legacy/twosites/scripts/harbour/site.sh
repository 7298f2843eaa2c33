#!/bin/bash
cd ${0%/*}
SITE=harbour NODES="pbx-h1 pbx-h2" NET=192.0.2
. ../common/base.sh
make_cluster
make_proxy 60

remote <<'END'
pcs resource create asterisk ocf:heartbeat:asterisk user=asterisk group=asterisk op monitor interval=30s
pcs resource create media-vip ocf:heartbeat:IPaddr2 ip=192.0.2.61 cidr_netmask=24
pcs resource group add media media-vip asterisk
pcs constraint colocation add media with proxy -200
pcs constraint order proxy then media kind=Optional
END
remote 'for p in 1 2; do pcs constraint location proxy prefers pbx-h$p=$((300 - 100 * p)); done'
scp voicemail.sh root@$first:/tmp/
remote "bash /tmp/voicemail.sh /srv/voicemail"
