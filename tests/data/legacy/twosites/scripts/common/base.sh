# common to all sites; SITE, NODES and NET are set by the caller
: ${SITE:?} ${NODES:?} ${NET:?}
first=${NODES%% *}
remote() { ssh -q root@$first "$@"; }

make_cluster() {
    remote pcs host auth $NODES -u hacluster -p "$(cat /root/.hapass)"
    remote pcs cluster setup tel-$SITE $NODES --start --enable
    remote "pcs property set stonith-enabled=false"
    remote "pcs property set cluster-recheck-interval=5min"
    remote "pcs resource defaults update resource-stickiness=100"
}

make_proxy() {
    remote "pcs resource create sip-vip ocf:heartbeat:IPaddr2 ip=$NET.$1 cidr_netmask=24 op monitor interval=5s"
    remote "pcs resource create kamailio systemd:kamailio op monitor interval=10s timeout=20s"
    remote "pcs resource group add proxy sip-vip kamailio"
}
