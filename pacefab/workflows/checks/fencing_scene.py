"""The fencing of a cluster that was asked: its scene."""

from __future__ import annotations

from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.corosync import conf
from pacefab.pacemaker.corosync.conf import Values
from pacefab.pacemaker.fencing.findings import FencingScene
from pacefab.pacemaker.fencing.reading import read_scene
from pacefab.workflows.nodes.view import ClusterView


def scene_of(seen: ClusterView, cib: Cib) -> FencingScene:
    """Return the scene that a CIB is on the cluster's nodes."""
    return read_scene(cib, seen.membership.names, corosync_of(seen))


def corosync_of(seen: ClusterView) -> Values:
    """Return what the first readable corosync.conf of the nodes says; nothing: none is."""
    for view in seen.views.values():
        section = view.sections.get("corosync")
        try:
            if section and section.ok:
                return conf.values(conf.parse(section.out))
        except ValueError:  # which is refused elsewhere
            continue
    return {}
