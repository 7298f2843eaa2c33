"""Newer packages in a node's own repository: the installed ones once more, as later versions."""

from __future__ import annotations

import shlex

from pacefab.harness.cluster import Cluster

SUFFIX = "+pacefab1"

# $1 is the package; what else is given is run in the unpacked one, before it is packed again.
_NEWER = r"""
set -e
cd /srv/packages
old=$(ls "$1"_[0-9]*.deb | head -n 1)
dpkg-deb --raw-extract "$old" /tmp/newer
sed -i "s/^Version: .*/&$2/" /tmp/newer/DEBIAN/control
(cd /tmp/newer && eval "$3")
dpkg-deb -Znone --build /tmp/newer "newer_$1.deb" >/dev/null
{ dpkg-deb --field "newer_$1.deb"
  printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "newer_$1.deb" \
    "$(stat -c %s "newer_$1.deb")" "$(sha256sum "newer_$1.deb" | cut -d' ' -f1)"
} >>Packages
rm -r /tmp/newer
"""


def offer(
    cluster: Cluster, node: str, package: str, change: str = "", suffix: str = SUFFIX
) -> None:
    """Put a package into a node's repository as a newer version.

    `change` are shell commands that edit its files first; `suffix` makes the version.
    """
    words = shlex.join((package, suffix, change))
    cluster.run(node, f"cat >/tmp/offer <<'END'\n{_NEWER}\nEND\nsh /tmp/offer {words}")


def version(cluster: Cluster, node: str, package: str) -> str:
    """Return the version of an installed package."""
    return cluster.run(node, f"dpkg-query -W -f '${{Version}}' {package}").stdout
