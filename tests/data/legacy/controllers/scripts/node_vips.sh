#!/usr/bin/bash
components=$(/usr/bin/bash readini.sh cluster_variables.ini vip list)
net=$(/usr/bin/bash readini.sh cluster_variables.ini vip net)
pcs resource delete lb-haproxy --force
pcs resource create lb-haproxy systemd:haproxy --clone
offset=150
for c in ${components}; do
    case $c in
	lb|memcache|mongo)
	    echo "no VIP for $c"
	    ;;
	*)
	    pcs resource delete vip-${c} --force
	    pcs resource create vip-${c} IPaddr2 ip=${net}.${offset} nic=eth1
	    pcs constraint order start vip-${c} then lb-haproxy-clone kind=Optional
	    pcs constraint colocation add vip-${c} with lb-haproxy-clone
	    ;;
    esac
    offset=$(( $offset + 1 ))
done
