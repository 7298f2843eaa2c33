#!/bin/sh
set -e
dnf config-manager --set-enabled ha
dnf -y install pcs pacemaker nginx
echo classroom | passwd --stdin hacluster
systemctl enable --now pcsd
systemctl disable --now nginx
cat > /usr/share/nginx/html/index.html <<HTML
served by $(hostname)
HTML
