"""Platforms: what the packages' code knows, and the node images that the tests run on."""

from __future__ import annotations

from docs.generator.markdown import code, table
from pacefab.harness import image

_NODES = {
    "debian12": ("Debian 12", "Pacemaker 2.1, pcs 0.11 (the generation of EL 9)", "yes"),
    "debian13": ("Debian 13", "Pacemaker 3.0, pcs 0.12 (the generation of EL 10)", "yes"),
    "rpm": ("Debian 12 with dnf and rpm, and RPMs by EL's names", "as debian12", "yes"),
    "centos9": ("CentOS Stream 9", "its HighAvailability repository", "where a registry is"),
    "centos10": ("CentOS Stream 10", "its HighAvailability repository", "where a registry is"),
}


def render() -> str:
    """Return a table of the node images."""
    kinds = (kind for kind in image.KINDS if kind != "auto")
    rows = ((code(kind), *_NODES[kind], _bare(kind)) for kind in kinds)
    return table(("`--image`", "Nodes are", "Cluster software", "Tested", "Bare hosts"), rows)


def _bare(kind: str) -> str:
    return "yes" if kind in image.BARE else "no"
