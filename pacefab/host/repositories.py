"""dnf's repositories of a node: which there are, and the step that enables one for good."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from pacefab.transport.command import Section, Step, shell

_LOOK = r"""
cat /etc/yum.repos.d/*.repo 2>/dev/null | grep -E '^(\[|enabled[[:space:]]*=)'
true
"""
# By distribution: Stream, Rocky and Alma 9 and 10; the same of 8; RHEL, and RHEL in a cloud's
# images ("Configuring and managing high availability clusters", "Installing cluster software").
_HIGH_AVAILABILITY = re.compile(
    r"highavailability|ha|rhel-\d+-for-\w+-highavailability-(rhui-)?rpms", re.ASCII
)
# RHEL's are subscription-manager's, which would undo what dnf changes. Where dnf cannot change any,
# its plugin is missing, which is in the base repositories.
_SET = r"""
manager=$1 id=$2 to=$3
case $id in
rhel-*-highavailability-rpms)
  ! command -v subscription-manager >/dev/null || exec subscription-manager repos "--$to=$id" ;;
esac
"$manager" config-manager --help >/dev/null 2>&1 ||
  timeout -k 10 600 "$manager" -y install 'dnf-command(config-manager)' || exit
"$manager" config-manager "--set-${to}d" "$id"
"""


def observe() -> list[Step]:
    """Return the step that `parse` understands."""
    return [shell("repositories", _LOOK)]


def parse(sections: Mapping[str, Section]) -> dict[str, bool]:
    """Return whether each repository is enabled, by id; one that does not say is (dnf.conf(5))."""
    found: dict[str, bool] = {}
    name = ""
    for line in sections["repositories"].out.splitlines():
        if line.startswith("["):
            name = line.strip().strip("[]")
            found[name] = True
        else:
            found[name] = line.partition("=")[2].strip().lower() in {"1", "yes", "true", "on"}
    return found


def high_availability(repositories: Mapping[str, bool]) -> str:
    """Return the id of the one with a cluster's packages where it is there and not enabled."""
    known = [name for name in repositories if _HIGH_AVAILABILITY.fullmatch(name)]
    if any(repositories[name] for name in known):
        return ""
    return next(iter(known), "")


def plan_set(manager: str, name: str, to: Literal["enable", "disable"]) -> Step:
    """Return the step that enables or disables a repository; undone when a later one fails."""
    undo = shell("", _SET, manager, name, "disable" if to == "enable" else "enable").argv
    return replace(
        shell(f"{to} repository {name} with {manager}", _SET, manager, name, to), undo=undo
    )
