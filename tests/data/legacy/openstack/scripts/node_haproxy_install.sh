#!/usr/bin/bash
yum install -y haproxy
systemctl enable haproxy
cat > /etc/sysctl.d/haproxy.conf <<EOF
net.ipv4.ip_nonlocal_bind = 1
EOF
sysctl -p /etc/sysctl.d/haproxy.conf
