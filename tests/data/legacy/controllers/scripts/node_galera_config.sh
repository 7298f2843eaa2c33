#!/usr/bin/bash
me=`hostname`
pcs resource delete galera --force
lsof -i:3306 | grep mysql | awk '{print "kill",$2}' | sh
yum install -y mariadb-galera-server xinetd rsync
pcs resource disable lb-haproxy
cat > /etc/my.cnf.d/galera.cnf << EOF
[mysqld]
bind_address=$me
EOF
