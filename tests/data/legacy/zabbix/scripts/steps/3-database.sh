p "resource create galera ocf:heartbeat:galera enable_creation=true wsrep_cluster_address='$(get galera address)' additional_parameters='--open-files-limit=16384' op promote timeout=300s on-fail=block promotable promoted-max=3"
if [ -n "$(get galera root)" ]; then
    p resource update galera check_user=root check_passwd=$(get galera root)
fi
p resource create rabbitmq ocf:heartbeat:rabbitmq-cluster set_policy="'ha-all ^(?!amq\.).* {\"ha-mode\":\"all\"}'" clone notify=true
for n in $NODES; do
    at $n pcs node attribute $n rmq-node-attr-last-known-rabbitmq=rabbit@$n
done
at $FIRST "timeout 300 bash -c 'until pcs resource | grep -q galera; do sleep 5; done'"
p constraint order promote galera-clone then vip-db
