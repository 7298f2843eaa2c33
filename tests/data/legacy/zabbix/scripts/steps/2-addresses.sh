for key in frontend server db; do
    ip=$(get2 vip $key)
    p resource create vip-$key ocf:heartbeat:IPaddr2 ip=$ip cidr_netmask=24 op monitor interval=5s
done
p resource create lb systemd:haproxy op monitor interval=10s --clone
for key in frontend server db; do
    p constraint order start vip-$key then lb-clone kind=Optional
    p constraint colocation add vip-$key with lb-clone
done
