#!/usr/bin/bash
password=$(/usr/bin/bash readini.sh cluster_variables.ini default galera_password)
section=`hostname`
bind_ip=$(/usr/bin/bash readini.sh cluster_variables.ini $section int_ip)

pcs resource delete galera --force
yum install -y mariadb-galera-server rsync xinetd
systemctl disable mariadb
# the balancer must not ask while the database is initialised
pcs resource disable lb-haproxy

cat > /etc/sysconfig/clustercheck << EOF
MYSQL_USERNAME="clustercheck"
MYSQL_PASSWORD="$password"
EOF

cat > /etc/my.cnf.d/galera.cnf << EOF
[mysqld]
binlog_format=ROW
bind_address=$bind_ip
wsrep_provider=/usr/lib64/galera/libgalera_smm.so
wsrep_cluster_name="galera_cluster"
wsrep_sst_method=rsync
EOF
systemctl enable xinetd
