"""Look at the nodes of a cluster of the harness, without SSH and without the product."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from pacefab.harness.campaign import snapshot
from pacefab.harness.campaign.snapshot import Snapshot
from pacefab.harness.cluster import Cluster
from pacefab.harness.parallel import on_all

_LOOK_SECONDS: Final = 90
_REST_SECONDS: Final = 240
# $@: names of units. What is asked about a run's leftovers is said in words, a line each; pymp-*
# is the folder of the pcsd that runs: another one after a restart of the node.
_LOOK: Final = r"""
export LC_ALL=C
section() { printf '\n== %s\n' "$1"; }
section files
cd /
find etc usr/local var/lib/pacefab -xdev \( -path var/lib/pacefab/history \
    -o -name '*.cache' -o -name '*.previous' -o -path etc/mtab -o -path etc/resolv.conf \
    -o -path etc/.pwd.lock \
    -o -path 'etc/passwd*' -o -path 'etc/group*' -o -path 'etc/*shadow*' -o -path 'etc/sub?id*' \
    -o -path 'etc/ssh/*' -o -path etc/machine-id -o -path etc/.updated \) -prune \
    -o -type f -printf '%m:%u:%g /%p\n' -o -type l -printf 'link:%l /%p\n' 2>/dev/null |
  sort -k 2 >/run/campaign-modes
grep -v ^link: /run/campaign-modes | cut -d ' ' -f 2- | tr '\n' '\0' |
  xargs -0 -r md5sum 2>/dev/null | sed 's/  / /' | sort -k 2 >/run/campaign-digests
join -1 2 -2 2 -o 1.1,2.1,1.2 /run/campaign-modes /run/campaign-digests | sed 's/ /:/'
grep ^link: /run/campaign-modes
rm -f /run/campaign-modes /run/campaign-digests
section packages
for package in memcached haproxy; do
  if command -v dpkg-query >/dev/null; then
    dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' "$package" 2>/dev/null |
      grep -v -e ^not-installed -e ^config-files
  else rpm -q "$package" | grep -v 'not installed'; fi
done
section cib
cibadmin --query --local 2>/dev/null
section units
for unit; do
  drop_in=/run/systemd/system/$unit.service.d/50-pacemaker.conf
  printf '%s %s %s\n' "$unit" "$(systemctl is-active "$unit")" \
    "$([ ! -e "$drop_in" ] || echo "under Pacemaker's drop-in")"
done
section begun
cd /var/lib/pacefab/history 2>/dev/null && grep -l '^begun' */state 2>/dev/null | sed 's,/state,,'
section leftovers
find /var/lib/pacefab /run/pacefab /etc -name '*.new' -printf 'file %p\n' 2>/dev/null
find /tmp /var/tmp -mindepth 1 -maxdepth 1 ! -name 'systemd-private-*' ! -name '.*-unix' \
  ! -name 'pymp-*' -printf 'temporary file %p\n' 2>/dev/null
[ ! -e /run/pacefab.lock ] || flock -n /run/pacefab.lock true || echo "the lock of a change is held"
read -r uptime rest </proc/uptime
awk -v now="${uptime%.*}" '$1 == "take" { held = $2; at = $3 } $1 == "renew" { at = $3 }
  $1 == "release" && $2 == held { held = "" }
  END { if (held && now - at < 30) print "the lease is held" }' /run/pacefab/lease 2>/dev/null
pgrep -af 'pacefab #[p]acefab' | sed 's/^[0-9]* /process /' | cut -c 1-80
systemctl list-units --all --plain --no-legend 'pacefab*' | cut -d ' ' -f 1 | sed 's/^/unit /'
find /run/systemd/system /run/systemd/transient -lname /dev/null -printf 'mask %p\n' 2>/dev/null
[ ! -e /var/lib/pacefab/drill ] || echo "a drill that was not undone"
[ ! -e /var/lib/pacefab/drill-record ] || echo "a recorder of a drill that was not removed"
cibadmin --query --local --xpath '//transient_attributes//nvpair[@name="standby"]' 2>/dev/null |
  grep -o 'name="standby"' | sort -u | sed 's/.*/the node attribute standby/'
crm_attribute --type crm_config --name maintenance-mode --query --quiet 2>/dev/null |
  grep -x true | sed 's/.*/maintenance mode/'
true
"""
# What a run sent to a node may still be at work there; then Pacemaker follows what it was given.
_REST: Final = """
until flock -w 1 /run/pacefab.lock true 2>/dev/null || [ ! -e /run/pacefab.lock ]; do :; done
"""
_SETTLED: Final = "crm_resource --wait --timeout=200 >/dev/null 2>&1"
UNITS: Final = ("memcached", "haproxy")


def look(cluster: Cluster, nodes: Iterable[str] = ()) -> Snapshot:
    """Return what the nodes are now, by default all. Raises `HarnessError`."""
    chosen = list(nodes or cluster.nodes)
    script = f"set -- {' '.join(UNITS)}\n{_LOOK}"
    ask = partial(cluster.run, command=script, timeout=_LOOK_SECONDS, check=False)
    return dict(zip(chosen, (snapshot.parse(d.stdout) for d in on_all(ask, chosen)), strict=True))


def await_rest(cluster: Cluster, nodes: Iterable[str] = ()) -> None:
    """Wait until no script is at work on the nodes and Pacemaker has nothing left to do.

    Raises `HarnessError` when a script does not end.
    """
    chosen = list(nodes or cluster.nodes)
    on_all(partial(cluster.run, command=_REST, timeout=_REST_SECONDS), chosen)
    cluster.run(chosen[0], _SETTLED, check=False, timeout=_REST_SECONDS)
