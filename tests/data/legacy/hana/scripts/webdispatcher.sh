#!/bin/bash
. ./00-vars
CRM="crm configure"
$CRM primitive rsc_wd_fs Filesystem params device=nfs:/wd directory=/usr/sap/W00 fstype=nfs4 op monitor interval=20s timeout=40s
$CRM primitive rsc_wd_ip IPaddr2 params ip=203.0.113.21 cidr_netmask=24 op monitor interval=10s
$CRM primitive rsc_wd_app SAPInstance params InstanceName=W00_W00_wd START_PROFILE=/sapmnt/W00/profile/W00_W00_wd AUTOMATIC_RECOVER=false op monitor interval=120s timeout=60s
$CRM group grp_wd rsc_wd_fs rsc_wd_ip rsc_wd_app meta resource-stickiness=3000
$CRM "colocation col_wd_apart -5000: grp_wd rsc_ip_${SID}_HDB$INST"
echo "order ord_wd_after_db Serialize: msl_SAPHana_${SID}_HDB$INST:promote grp_wd:start" | crm configure
crm resource meta grp_wd set target-role Started
crm --force configure modgroup grp_wd add rsc_wd_app
crm node attribute $NODE_A set site $PRIMARY_SITE
for n in $NODE_A $NODE_B; do
    crm node attribute $n set rack ${n#hana-}
done
crm ra list ocf suse | grep -q SAPHana && echo "agents are there"
