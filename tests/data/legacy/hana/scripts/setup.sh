#!/bin/bash
# SAP HANA scale-up, performance optimised, SLES 12 and 15
BASE=$(cd $(dirname $0); pwd)
. $BASE/00-vars

TMP=$(mktemp)
trap 'rm -f $TMP' EXIT

fill() {
    sed -e "s/@SID@/$SID/g" -e "s/@sid@/$sid/g" -e "s/@INST@/$INST/g" -e "s/@VIP@/$VIP/g" $BASE/templates/$1
}

echo "--- cluster"
ssh root@$NODE_A "crm cluster init --yes --name hana_$sid --interface eth0"
ssh root@$NODE_B "crm cluster join --yes --cluster-node $NODE_A --interface eth0"
sleep 10
crm_mon -1 | grep -q "Online:.*$NODE_A" || echo "node $NODE_A is not online yet"

echo "--- basics"
crm configure property stonith-enabled=true stonith-action=reboot stonith-timeout=150s
crm configure property no-quorum-policy=ignore
crm configure rsc_defaults resource-stickiness=1000 migration-threshold=5000
crm configure op_defaults timeout=600

echo "--- fencing by $STONITH"
if [ "$STONITH" = sbd ]; then
    crm configure primitive stonith-sbd stonith:external/sbd params pcmk_delay_max=15s sbd_device=$SBD_DEV op monitor interval=15s timeout=15s
elif [ "$STONITH" = ipmi ]; then
    crm configure primitive st-$NODE_A stonith:external/ipmi params hostname=$NODE_A ipaddr=10.0.8.1 userid=root passwd=secret interface=lan
    crm configure primitive st-$NODE_B stonith:external/ipmi params hostname=$NODE_B ipaddr=10.0.8.2 userid=root passwd=secret interface=lan
    crm configure location l-st-$NODE_A st-$NODE_A -inf: $NODE_A
    crm configure location l-st-$NODE_B st-$NODE_B -inf: $NODE_B
fi

echo "--- topology, database and address"
fill topology.crm > $TMP
crm configure load update $TMP
fill database.crm | crm configure load update -
fill address.crm > /root/address.crm
crm -f /root/address.crm

echo "--- constraints"
crm configure <<EOF
colocation col_ip_with_primary_$SID 2000: rsc_ip_${SID}_HDB$INST:Started msl_SAPHana_${SID}_HDB$INST:Master
order ord_topology_first_$SID Optional: cln_SAPHanaTopology_${SID}_HDB$INST msl_SAPHana_${SID}_HDB$INST
location loc_prefer_$NODE_A msl_SAPHana_${SID}_HDB$INST 50: $NODE_A
commit
EOF
crm resource refresh
crm configure show > /root/cluster-$(date +%F).crm
