"""A fence agent whose power switch is a file on the node: it writes down what it is asked."""

from __future__ import annotations

PROGRAM = "/usr/sbin/fence_test"
LOG = "/var/log/fence_test"
BROKEN = "192.0.2.66"
"""The address of a switch that never does what it is asked."""

AGENT = rf"""#!/bin/sh
while read -r line; do
  case $line in
  action=*) action=${{line#*=}} ;;
  plug=*) plug=${{line#*=}} ;;
  ip=*) ip=${{line#*=}} ;;
  esac
done
case ${{action:-$2}} in
metadata)
  cat <<'XML'
<?xml version="1.0" ?>
<resource-agent name="fence_test" shortdesc="Fence agent of a test">
<longdesc>Writes down its orders.</longdesc><vendor-url/>
<parameters>
<parameter name="action" unique="0" required="1"><getopt mixed="-o"/>
<content type="string" default="reboot"/><shortdesc lang="en">Fencing action</shortdesc></parameter>
<parameter name="plug" unique="0" required="0"><getopt mixed="-n"/>
<content type="string"/><shortdesc lang="en">Which machine</shortdesc></parameter>
<parameter name="ip" unique="0" required="1"><getopt mixed="-a"/>
<content type="string"/><shortdesc lang="en">Where its switch is</shortdesc></parameter>
</parameters>
<actions><action name="on" automatic="0"/><action name="off"/><action name="reboot"/>
<action name="status"/><action name="monitor"/><action name="metadata"/></actions>
</resource-agent>
XML
  ;;
on | off | reboot)
  printf '%s %s %s\n' "$action" "$plug" "$ip" >>{LOG}
  [ "$ip" != {BROKEN} ]
  ;;
esac
"""
