#!/bin/bash
# copy then run
IFS=',' read -r -a NODES <<< "web1,web2"
MASTER=${NODES[0]}
SHORT=${MASTER%%.*}
declare -A port=([http]=80 [https]=443)
for f in scripts/*.sh; do
	for n in "${NODES[@]}"; do
		scp -q $f root@$n:/tmp/
	done
done
ssh root@$MASTER "chmod +x /tmp/*.sh; /tmp/mk_fs.sh data /dev/sdb1 /srv/data"
ssh root@$MASTER 'cd /tmp && ./mk_fs.sh logs /dev/sdb2 /srv/logs ext4'
ssh root@$MASTER "VG=vg0 bash /tmp/mk_lvm.sh"
for svc in http https; do
	printf -v id 'check-%s' $svc
	ssh root@$MASTER "pcs resource create $id ocf:heartbeat:portblock protocol=tcp portno=${port[$svc]} action=unblock"
done
ids=$(printf 'check-%s ' "${!port[@]}")
arr=(a b c)
arr+=(d)
ssh root@$MASTER pcs resource create count Dummy state=/run/count-${#arr[@]}-${arr[-1]}-${arr[@]:1:2}
cat > /tmp/gen.sh <<EOF
#!/bin/bash
pcs resource create generated Dummy
pcs constraint location generated prefers $SHORT=200
EOF
scp /tmp/gen.sh root@$MASTER:/tmp/gen.sh && ssh root@$MASTER "bash /tmp/gen.sh"
{
	echo '#!/bin/bash'
	echo "pcs resource create grouped1 Dummy --group g1"
	echo "pcs resource create grouped2 Dummy --group g1"
} > group.sh
chmod 755 group.sh
scp group.sh $MASTER:
ssh root@$MASTER ./group.sh
until ssh root@$MASTER "pcs status" | grep -q Started; do sleep 1; done
i=0
while [ $i -lt 3 ]; do
	ssh -n root@$MASTER "pcs resource create w$i Dummy"
	i=`expr $i + 1`
done
let "j = i * 2"
ssh root@$MASTER "pcs property set cluster-recheck-interval=${j}min"
cat /etc/motd | grep pcs
# ssh root@$MASTER "pcs resource create notme Dummy"
ssh root@$MASTER "pcs contraint order w0 then w1"
ssh root@$MASTER "pcs resource crate w9 Dummy"
ssh root@$MASTER "tee /etc/cron.d/x" <<< "* * * * * root pcs status"
ssh root@$MASTER "pcs constraint order w0 then w1 && pcs constraint colocation add w1 with w0 50 ; pcs constraint location w2 prefers web2"
yes | ssh root@$MASTER pcs resource delete extra_ip3
ssh root@$MASTER "nohup pcs resource restart ClusterIP >/dev/null 2>&1"
ssh root@$MASTER "if pcs resource show w1 >/dev/null 2>&1; then pcs resource meta w1 priority=5; else pcs resource create w1 Dummy; fi"
ssh root@$MASTER "[ -f /etc/ha.flag ] && pcs resource create flagged Dummy"
