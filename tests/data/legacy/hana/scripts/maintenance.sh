#!/bin/bash
# maintenance.sh on|off
case $1 in
on)
    crm configure property maintenance-mode=true
    crm resource maintenance msl_SAPHana_PRD_HDB00 on
    ;;
off)
    crm resource refresh msl_SAPHana_PRD_HDB00
    crm resource maintenance msl_SAPHana_PRD_HDB00 off
    crm configure property maintenance-mode=false
    ;;
status)
    crm status
    crm configure show
    ;;
*)
    echo "$0 on|off|status"
esac
