for n in $NODES; do
    at $n <<-EOS
	dnf -y install pcs pacemaker haproxy mariadb-server-galera rabbitmq-server zabbix-server-mysql
	echo 'hacluster:$(get cluster password)' | chpasswd
	systemctl enable --now pcsd
	EOS
done
p host auth $NODES -u hacluster -p $(get cluster password)
p cluster setup $(get cluster name) $NODES
p cluster start --all
p cluster enable --all
p property set stonith-enabled=false no-quorum-policy=stop
p resource defaults update resource-stickiness=INFINITY
