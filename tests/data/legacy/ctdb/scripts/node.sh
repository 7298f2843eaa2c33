#!/bin/bash
# node.sh away|back [NODE]
node=${2:-$(hostname)}
case "$1" in
    away) crm node standby $node && crm_mon -1 ;;
    back) crm node online $node ;;
    fence) read -p "fence $node? " yes; [ "$yes" = y ] && stonith_admin --reboot $node ;;
    *) sed -n '2s/^# //p' "$0"; exit 1 ;;
esac
