#!/bin/sh
# pcs cluster setup for the two web boxes; run from the jump host
USER=centos
PW=changeme
HOSTS="web1 web2"
SSH="ssh -t -o StrictHostKeyChecking=no -o ConnectTimeout=5"
KEY=~/.ssh/id_rsa
first=`echo $HOSTS | awk '{ print $1 }'`
n=`echo $HOSTS | wc -w`
second=$(echo $HOSTS | cut -d' ' -f2)

for h in $HOSTS; do
	sshpass -p "$PW" ssh-copy-id $USER@$h
	sshpass -p $PW ssh $USER@$h "sudo yum install -y pcs pacemaker"
	$SSH $USER@$h sudo bash -c "'echo hacluster:hapass | chpasswd; systemctl start pcsd'"
done

$SSH $USER@$first sudo pcs cluster auth $HOSTS -u hacluster -p hapass
$SSH -i $KEY $USER@$first "sudo pcs cluster setup --start --enable --name webfarm $HOSTS"
ssh $USER@$first <<'EOF'
sudo pcs property set stonith-enabled=false
sudo pcs property set no-quorum-policy=ignore
VIP=172.16.5.100
sudo pcs resource create ClusterIP ocf:heartbeat:IPaddr2 ip=$VIP cidr_netmask=24 op monitor interval=30s
for i in 1 2 3; do
  sudo pcs resource create extra_ip$i ocf:heartbeat:IPaddr2 ip=172.16.5.$((100+i)) cidr_netmask=24
done
EOF
ssh $USER@$first << EOF
sudo pcs resource create dummy_$second Dummy
sudo pcs constraint location dummy_$second prefers \$(hostname)=10
sudo pcs constraint location dummy_$second avoids $second
EOF
ssh $USER@$first 'sudo su - root -c '\''pcs resource create quoted Dummy fake="a b"'\'''
ssh $USER@$first "sudo -u root -i pcs resource create quoted2 Dummy fake=\"x y\" meta resource-stickiness=\"50\""
ssh $USER@$first "sudo bash -c 'pcs resource meta quoted2 target-role=Stopped && pcs resource enable quoted2'"
ssh $USER@$first "for r in quoted quoted2; do sudo pcs constraint colocation add \$r with ClusterIP; done"
ssh -q $USER@$first -- sudo pcs constraint order ClusterIP then quoted
ssh -l $USER $first 'sudo pcs constraint order start quoted then start quoted2 kind=Serialize'
eval "ssh $USER@$first sudo pcs resource op defaults timeout=90"
pdsh -w web[1-2] -l root 'yum install -y fence-agents-all'
clush -w $first "pcs resource defaults migration-threshold=3 failure-timeout=60"
parallel-ssh -H "$first" -i "pcs node attribute web1 zone=a"
echo "pcs node attribute web2 zone=b" | ssh root@$first bash
echo 'pcs resource create piped Dummy' | ssh root@$first
cat <<PCS | ssh root@$first "bash -s"
pcs resource create catpiped Dummy op monitor interval=$(( n * 15 ))s
PCS
