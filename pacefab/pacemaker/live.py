"""The one doorway to Pacemaker's programs on a node: query, simulate, patch.

Steps and parsers only; `deploy` decides on which host they run. Exit statuses are crm_exit_t
(Pacemaker's include/crm/common/results.h).
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from pacefab.errors import CommandError, RefusedError
from pacefab.pacemaker import cib, cib_text, metadata, monitor
from pacefab.pacemaker.metadata import Metadata
from pacefab.pacemaker.nouns.status import ClusterStatus, Transition
from pacefab.pacemaker.placement import graph, outcome, simulation
from pacefab.pacemaker.word import Placement
from pacefab.transport.answers import MISUNDERSTOOD
from pacefab.transport.command import Section, Step, shell, step

_T = TypeVar("_T")

CRM_EX_OLD = 103  # "Update was older than existing configuration": another change was faster
# What cibadmin ends with when the DC, or its own daemon, was lost on the way: CRM_EX_DISCONNECT,
# CRM_EX_QUORUM, CRM_EX_TIMEOUT.
_UNKNOWN = {102, 106, 124}
_NO_PROGRAM = 127
_TOO_LARGE = 128 + 25  # ended by SIGXFSZ


class NoAnswerError(RefusedError):
    """Pacemaker runs on a node and gives no answer: it is busy, or the CIB is too large for it."""


def read_cib(sections: Mapping[str, Section]) -> cib.Cib:
    """Return the live CIB.

    Raises:
        RefusedError: no Pacemaker, or its cluster does not run here. An unreadable CIB is never
            taken for an empty one.
        NoAnswerError: it runs here, and did not answer.
    """
    section = sections["cib"]
    if not section.ok:
        raise _no_cluster(section)
    try:
        return cib.parse(section.out)
    except MISUNDERSTOOD as error:
        raise RefusedError("read the CIB", str(error), "look at: cibadmin --query") from error


def read_cib_even_offline(sections: Mapping[str, Section]) -> cib.Cib | None:
    """Return the live CIB, else the one that a stopped Pacemaker left; None where there is none.

    A Pacemaker that was stopped in maintenance mode leaves its services running, and will take
    them up again.

    Raises:
        RefusedError: Pacemaker runs and its CIB cannot be read. That is not "nothing is managed".
    """
    section = sections["cib"]
    if section.ok or cib_text.is_unanswered(section):
        return read_cib(sections)
    if cib_text.is_absent(section):
        return None
    try:
        return cib.parse(section.out)
    except MISUNDERSTOOD as error:
        advice = "start the cluster, run again"
        raise RefusedError(f"read {cib_text.FILE}", str(error), advice) from error


def observe_status() -> list[Step]:
    """Return the step of `read_status`; stopped resources included."""
    return [step("monitor", "crm_mon", "-1", "-r", "--output-as=xml")]


def read_status(sections: Mapping[str, Section]) -> ClusterStatus:
    """Return nodes, quorum and resources. Same errors as `read_cib`."""
    section = sections["monitor"]
    if not section.ok:
        raise _no_cluster(section)
    try:
        return monitor.parse(section.out)
    except MISUNDERSTOOD as error:
        raise RefusedError("read crm_mon", str(error), "look at: crm_mon -1 --output-as=xml") from (
            error
        )


# What stands in $dir/cib.xml, and what Pacemaker says of it. The graph is what it would do; to have
# it carried out (--simulate) takes minutes where hundreds of resources are new.
_FORESEE = r"""
CIB_file="$dir/cib.xml" crm_mon -1 -r --output-as=xml > "$dir/monitor.xml" & monitor=$!
crm_simulate --xml-file "$dir/cib.xml" --save-graph "$dir/graph.xml" --output-as=xml \
  > "$dir/simulation.xml"
status=$?
wait "$monitor" || status=$?
for part in $parts; do cat "$dir/$part.xml" && echo --; done
exit "$status"
"""
_CUT = "\n--\n"
_PARTS = ("cib", "monitor", "graph")
_SIMULATED = ("monitor", "simulation", "graph")
_MOST_BLOCKS = 65536  # of 512 bytes, in a file: 32 MiB, as much as is read (see `execution`)
_WORD = rf"""
dir=$(mktemp -d) || exit; trap 'rm -rf "$dir"' EXIT; trap 'exit 143' TERM
ulimit -f {_MOST_BLOCKS}
cibadmin --query > "$dir/cib.xml" || {{{cib_text.LEFT}}}
parts='{" ".join(_PARTS)}'
{_FORESEE}
"""


def observe_word() -> list[Step]:
    """Return the step of `read_word`: CIB, status and what Pacemaker would do, of one moment.

    After `unfold` it is one of `read_cib` and `read_cib_even_offline`, too.
    """
    return [shell("word", _WORD)]


def unfold(sections: Mapping[str, Section]) -> dict[str, Section]:
    """Return sections with the parts of a word as sections of their own, the CIB among them.

    Where Pacemaker's other programs fail, the CIB is there all the same.
    """
    if "word" not in sections:
        return dict(sections)
    word = sections["word"]
    found = _parts(word, _PARTS)
    if _CUT in word.out:
        found["cib"] = replace(found["cib"], status=0)
    return {**sections, **found}


def _parts(section: Section, names: Sequence[str]) -> dict[str, Section]:
    texts = dict(zip(names, section.out.split(_CUT), strict=False))
    return {name: replace(section, name=name, out=texts.get(name, "")) for name in names}


def read_word(of: cib.Cib, sections: Mapping[str, Section]) -> ClusterStatus:
    """Return the status, what Pacemaker still has to begin, and where everything is then.

    `of` is the CIB of the same sections, which are unfolded. Same errors as `read_cib`.
    """
    section = sections["monitor"]
    if not section.ok:
        raise _no_cluster(section)
    try:
        return _foreseen(of, sections)
    except MISUNDERSTOOD as error:
        advice = "look at: crm_mon -1 --output-as=xml; crm_simulate -LS"
        raise RefusedError("ask Pacemaker what it is doing", str(error), advice) from error


def _foreseen(of: cib.Cib, sections: Mapping[str, Section]) -> ClusterStatus:
    """Return what `_FORESEE` printed of a CIB. Raises ValueError."""
    status, due = monitor.parse(sections["monitor"].out), graph.parse(sections["graph"].out)
    return replace(status, due=due.operations, placement=outcome.read(of, status, due))


def _output(section: Section) -> str:
    if not section.ok:
        raise ValueError(section.text)
    return section.out


def _no_cluster(section: Section) -> RefusedError:
    if section.status == _TOO_LARGE:
        return RefusedError(
            "ask Pacemaker",
            "one of its programs prints more than 32 MiB on this node",
            "see what they print: cibadmin --query; crm_mon -1 --output-as=xml; crm_simulate -LS",
        )
    if section.status == _NO_PROGRAM:
        return RefusedError(
            "ask Pacemaker",
            "its programs (cibadmin, crm_mon) are not installed on this node",
            "install pacemaker and pcs and form the cluster, or name the right hosts with -H",
        )
    if cib_text.is_unanswered(section):
        return NoAnswerError(
            "ask Pacemaker",
            f"it runs on this node, and gives no answer: {section.err}",
            "where it is busy, run this again; where the CIB has outgrown its messages "
            "(journalctl -u pacemaker names PCMK_ipc_buffer): set that, in /etc/default/pacemaker "
            "or /etc/sysconfig/pacemaker of every node",
        )
    return RefusedError(
        "ask Pacemaker",
        f"the cluster does not run on this node: {section.err or section.text}",
        "see why: systemctl status pacemaker corosync; start it: pcs cluster start --all",
    )


def observe_metadata(agents: Iterable[str]) -> list[Step]:
    """Return the steps of `find_metadata`, one per agent."""
    return [step(f"metadata {agent}", "crm_resource", "--show-metadata", agent) for agent in agents]


def find_metadata(agent: str, sections: Mapping[str, Section]) -> Metadata | None:
    """Return what an agent says of itself; None when the node has no such agent.

    Raises:
        RefusedError: it has, and what it says cannot be understood.
    """
    section = sections[f"metadata {agent}"]
    if not section.ok:
        return None
    try:
        return metadata.parse(agent, section.out)
    except MISUNDERSTOOD as error:
        advice = f"look at: crm_resource --show-metadata {agent}"
        raise RefusedError(f"read the metadata of {agent}", str(error), advice) from error


# crm_verify looks at the configuration alone: with the status it complains of what runs. A warning
# (require-all is deprecated since 2.1.5) has the exit code of an error, and only its words differ.
# crm_diff: 1 means that they differ, as diff does.
_PATCH = r"""
set -e
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; trap 'exit 143' TERM
cat > "$dir/packed"
sed -n 1p "$dir/packed" | base64 -d | gunzip > "$dir/old.xml"
sed -n 2p "$dir/packed" | base64 -d | gunzip > "$dir/new.xml"
if [ "$1" = checked ]; then
  crm_verify --xml-file "$dir/new.xml" -V > "$dir/said" 2>&1 ||
    grep -q '^crm_verify: Warnings found' "$dir/said" || { cat "$dir/said" >&2; exit 78; }
fi
crm_diff --original "$dir/old.xml" --new "$dir/new.xml" > "$dir/diff.xml" || [ $? = 1 ]
[ -s "$dir/diff.xml" ] || exit 0
cibadmin --patch --xml-file "$dir/diff.xml"
"""
_SIMULATE = rf"""
dir=$(mktemp -d) || exit; trap 'rm -rf "$dir"' EXIT; trap 'exit 143' TERM
base64 -d | gunzip > "$dir/cib.xml" || exit
parts='{" ".join(_SIMULATED)}'
{_FORESEE}
"""


def pack(text: str) -> str:
    """Return a CIB as one short line. It may hold passwords: it travels by stdin, never in argv."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def plan_patch(old: cib.Cib, new: cib.Cib, *, check: bool = True) -> list[Step]:
    """Return the step that checks `new` and changes the cluster to it, as one atomic patch.

    What stood before is put back unchecked: Pacemaker calls its own first CIB wrong, as it has no
    fencing device.
    """
    packed = [pack(cib.text(status=False)) + "\n" for cib in (old, new)]
    return [shell("patch", _PATCH, "checked" if check else "unchecked", stdin="".join(packed))]


def read_patch(sections: Mapping[str, Section]) -> bool:
    """Return whether the patch went in.

    False: another user changed the CIB in between, or Pacemaker lost the DC and cannot say.

    Raises:
        CommandError: Pacemaker refused the new CIB; the old one stands.
    """
    section = sections["patch"]
    if section.status in {CRM_EX_OLD, *_UNKNOWN}:
        return False
    if not section.ok:
        raise CommandError(
            "change the CIB", section.text, "the old CIB stands; please report this with the text"
        )
    return True


def observe_simulation(new: cib.Cib) -> list[Step]:
    """Return the step of `read_simulation`: nothing is changed."""
    return [shell("simulation", _SIMULATE, stdin=pack(new.text()))]


def read_simulation(
    new: cib.Cib, sections: Mapping[str, Section]
) -> tuple[tuple[Transition, ...], Placement]:
    """Return what Pacemaker would do, action by action, and what would run where then.

    Raises:
        CommandError: Pacemaker refused the new CIB.
    """
    section = sections["simulation"]
    try:
        _output(section)
        parts = _parts(section, _SIMULATED)
        found = _foreseen(new, parts).placement or Placement()
        return simulation.parse(parts["simulation"].out), found
    except MISUNDERSTOOD as error:
        raise CommandError("simulate the change", str(error), "nothing was changed") from error


def observe_departure(node: str) -> list[Step]:
    """Return the step of `read_lost` and `read_departure`: nothing is changed."""
    words = ("--live-check", "--node-down", node, "--simulate", "--output-as=xml")
    return [step("departure", "crm_simulate", *words)]


def read_lost(sections: Mapping[str, Section]) -> tuple[str, ...]:
    """Return the resources that run now and would run nowhere without the node.

    Raises:
        CommandError: Pacemaker did not simulate it.
    """
    return _departure(sections, simulation.parse_lost)


def read_departure(sections: Mapping[str, Section]) -> tuple[Transition, ...]:
    """Return what Pacemaker would do on the others without the node. Errors of `read_lost`."""
    return _departure(sections, simulation.parse)


def _departure(
    sections: Mapping[str, Section], parse: Callable[[str], tuple[_T, ...]]
) -> tuple[_T, ...]:
    section = sections["departure"]
    try:
        return parse(_output(section))
    except MISUNDERSTOOD as error:
        raise CommandError(
            "simulate that a node leaves", str(error), "nothing was changed"
        ) from error


_LOOK_AGAIN = r"""
attrd_updater --name pacefab-look-again --update "$(date +%s)" &&
attrd_updater --name pacefab-look-again --delete
"""


def plan_spread() -> Step:
    """Return the step after which every node has the DC's CIB: run it on the DC.

    A change that does not fit what a node has makes that ask for the whole; this one counts the
    epoch up and changes nothing else (cibadmin(8); 2.1 and newer have no --sync).
    """
    return step("spread", "cibadmin", "--bump")


def plan_look_again() -> list[Step]:
    """Return the step that lets Pacemaker decide again, by a passing attribute of this node.

    Seen with Pacemaker 3.0: a resource taken away within moments of its creation stayed "Started,
    orphaned", and nothing stopped it. `crm_resource --refresh` is no way out: it makes Pacemaker
    forget the resource, whose process then runs on for ever.
    """
    return [shell("look again", _LOOK_AGAIN)]
