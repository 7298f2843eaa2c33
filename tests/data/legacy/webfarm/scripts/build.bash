#!/bin/bash
# web farm: everything in one go, as it grew over ten years
exec > >(tee -a /tmp/build.log) 2>&1
umask 022
alias p='pcs resource'
shopt -s expand_aliases
export LC_ALL=C
WORK=/var/tmp/webfarm
HOSTS="$(grep -v '^#' hosts.list | awk '{ print $1 }' | xargs)"
LEAD=${HOSTS%% *}

# --- preparation
[ -d $WORK ] || mkdir -p $WORK
cd $WORK && pcs cluster cib start.xml
cd - > /dev/null
test -f /etc/corosync/authkey && pcs cluster authkey corosync /etc/corosync/authkey
command -v pcs > /dev/null || { echo "no pcs here, see: pcs cluster auth"; exit 1; }
if ! id hacluster > /dev/null 2>&1; then echo "no user hacluster: pcs cannot log in"; fi
yes | pcs cluster auth $HOSTS -u hacluster -p farm
pcs cluster setup --name farm $HOSTS <<< y
timeout 60 pcs cluster start --all &
wait $!
pcs cluster enable --all > /dev/null && echo enabled
for try in 1 2 3; do
    pcs status > /dev/null && break
    sleep 1
done
while :; do
    crm_mon -1 | grep -q 'partition with quorum' && break
    (( ++tries > 20 )) && { pcs cluster start --all; break; }
    sleep 1
done

# --- properties
{
    pcs property set stonith-enabled=false
    pcs property set no-quorum-policy=ignore
    pcs property set default-resource-stickiness=100
} | tee $WORK/properties.log
pcs property set pe-warn-series-max=1000 pe-input-series-max=1000 pe-error-series-max=1000
grep -q maintenance=yes farm.conf && pcs property set maintenance-mode=true
mkdir /etc/farm 2> /dev/null || pcs property set enable-acl=false
cp farm.conf /etc/farm/ && pcs property set placement-strategy=balanced
rm -f /etc/farm/old || pcs property set stop-all-resources=true
false && pcs property set symmetric-cluster=false
true || pcs property set symmetric-cluster=false
[ -z "$NOPE" ] && pcs property set batch-limit=30
! false && pcs property set migration-limit=4

# --- addresses
n=10
for site in shop blog wiki; do
    n=$((n + 1))
    p create vip-$site ocf:heartbeat:IPaddr2 ip=203.0.113.$n cidr_netmask=32 op monitor interval=20s
done
sed -n 's/^redirect //p' farm.conf | while read name address; do
    pcs resource create vip-$name ocf:heartbeat:IPaddr2 ip=$address cidr_netmask=32 </dev/null
done
printf '%s\n' ftp git | xargs -I{} pcs resource create vip-{} ocf:heartbeat:IPaddr2 ip=203.0.113.99 nic={}0
echo shop blog wiki | xargs -n1 sh -c 'pcs resource meta vip-$0 resource-stickiness=50'

# --- servers
cmd="pcs resource create nginx ocf:heartbeat:nginx"
cmd="$cmd configfile=/etc/nginx/nginx.conf"
cmd+=" op monitor interval=10s"
eval "$cmd" && eval "pcs resource clone nginx interleave=true"
opts="op monitor interval=30s"
eval pcs resource create php systemd:php-fpm '$opts' clone
bash -c 'pcs resource create $1 systemd:$1 clone' _ varnish
sh <<'EOS'
pcs constraint order nginx-clone then varnish-clone
pcs constraint order php-clone then nginx-clone
EOS
bash -s memcached <<< 'pcs resource create $1 systemd:$1 clone clone-max=1'
source bin/extras.inc "redis sentinel"
. <(echo 'pcs resource create cron systemd:crond')
( cd bin; ./order.bash shop blog wiki )
bin/colocate vip-ftp vip-git
ssh $LEAD "bash -s" < bin/remote.bash
ssh $LEAD <<EOS
$(cat bin/lines.txt)
EOS
nohup pcs resource cleanup > /dev/null 2>&1 &
cat bin/tail.txt | sudo bash
find bin -name '*.run' | sort | while read -r one; do bash "$one" "$LEAD"; done
result=$(pcs resource create late ocf:pacemaker:Dummy 2>&1) || echo "late: $result"
if out=$(pcs resource group add tools vip-ftp vip-git); then echo "$out"; else pcs resource ungroup tools; fi
case $(uname -s) in
    Linux) pcs resource create linux ocf:pacemaker:Dummy ;;
    *BSD)  pcs resource create bsd ocf:pacemaker:Dummy ;;
esac
case "$LEAD" in
    farm*) pcs resource defaults migration-threshold=3 ;;
    *) pcs resource defaults migration-threshold=1 ;;
esac
read -p "create the spare address? " answer
if [ "$answer" = yes ]; then
    pcs resource create vip-spare ocf:heartbeat:IPaddr2 ip=203.0.113.200
fi
select what in standby nothing; do
    [ $what = standby ] && pcs cluster standby $LEAD
    break
done
trap 'pcs resource cleanup late' EXIT
sudo -u root env LANG=C pcs constraint location vip-shop prefers $LEAD=100
test "$1" = --no-ping || pcs resource create ping ocf:pacemaker:ping host_list=203.0.113.1 clone
[[ -e /etc/farm/extra ]] && . /etc/farm/extra || pcs resource create plain ocf:pacemaker:Dummy
if [ -f /etc/redhat-release ]; then
    pcs resource create rhel ocf:pacemaker:Dummy
elif [ -f /etc/debian_version ]; then
    pcs resource create debian ocf:pacemaker:Dummy
fi
function unused { pcs resource delete nginx; }
: "pcs resource create comment ocf:pacemaker:Dummy"
echo "pcs resource move vip-shop" > /tmp/howto.txt
echo pcs resource move vip-blog
cat <<NOTE
When all is done: pcs resource clear vip-shop
NOTE
if false; then
    pcs resource create dead ocf:pacemaker:Dummy
fi
: <<'OFF'
pcs resource create off ocf:pacemaker:Dummy
OFF
exit 0
pcs resource delete php
