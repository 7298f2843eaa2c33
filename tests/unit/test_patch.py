"""What is due on a node, the mark of a walk in the CIB, and what stands in a round's way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest

from pacefab.errors import CommandError, PacefabError, RefusedError, UsageError
from pacefab.host import patches
from pacefab.host.model import Mark, Outcome
from pacefab.host.patches import NewerPackage, PatchFacts, User
from pacefab.pacemaker import cib
from pacefab.services.memcached.memcached import LOOK
from pacefab.tasks.patch import read_until
from pacefab.transport.command import Section, Step
from pacefab.transport.connection import Host
from pacefab.workflows.transaction import entry as entries
from pacefab.workflows.transaction.entry import Entry, State
from pacefab.workflows.transaction.transaction import ways_on
from pacefab.workflows.upgrade import patch as module
from pacefab.workflows.upgrade import standby
from pacefab.workflows.upgrade.due import PatchDue
from pacefab.workflows.upgrade.patch import PatchRound
from tests.unit import captured
from tests.unit.test_view import Answers, Silent

STEPS = [step.name for step in patches.observe(["memcached.service"])]
MEMCACHED = NewerPackage("memcached", "1.6.18-1+deb12u1", "1.6.18-1+deb12u1+pacefab1")
MANAGED = frozenset({"memcached.service"})
KEPT = """\
The following packages have been kept back:
  bind9-host curl
  wget
The following NEW packages will be installed:
  linux-image-6.1.0-30-amd64
Inst linux-image-6.1.0-30-amd64 (6.1.124-1 Debian-Security:12/stable-security [amd64])
Inst linux-image-amd64 [6.1.119-1] (6.1.124-1 Debian-Security:12/stable-security [amd64])
Inst libc6:i386 [2.36-9+deb12u9] (2.36-9+deb12u10 Debian:12.10/stable [i386]) []
"""


def said(name: str) -> str:
    return captured.text("upgrade", f"patch/{name}.txt")


def facts(**others: str | Section) -> PatchFacts:
    """Return what a real node said, some steps with another answer."""
    known = {name: Section(name, 0, said(name), "") for name in STEPS}
    given = {n: o if isinstance(o, Section) else Section(n, 0, o, "") for n, o in others.items()}
    return patches.parse({**known, **given})


def users(text: str = "") -> tuple[tuple[User, ...], tuple[User, ...]]:
    return patches.parse_users(Section("users", 0, text or said("users"), ""))


def test_the_answers_of_a_real_node_are_read() -> None:
    assert facts() == PatchFacts(
        newer=(MEMCACHED,),
        active=("memcached.service", "corosync.service", "pacemaker.service"),
    )  # fmt: skip
    uses, old = users()
    assert User("corosync.service", "corosync", "corosync") in uses
    assert old == ()


def test_new_and_kept_back_packages_are_two_kinds_and_the_machine_restarts_for_a_kernel() -> None:
    found = facts(newer=KEPT)
    assert found.kept_back == ("bind9-host", "curl", "wget")
    assert [str(package) for package in found.newer] == [
        "linux-image-6.1.0-30-amd64 6.1.124-1, new",
        "linux-image-amd64 6.1.119-1 -> 6.1.124-1",
        "libc6 2.36-9+deb12u9 -> 2.36-9+deb12u10",
    ]
    due = PatchDue(found)
    assert due.machine == ("libc6 is upgraded", "linux-image-6.1.0-30-amd64 is new")
    assert due.remarks == ("kept back, as another package would go: bind9-host, curl, wget",)


@pytest.mark.parametrize(
    ("step", "text", "reason"),
    [
        ("since", "100\n90 dbus.list\n101 libc6:amd64.list\n", "libc6 was upgraded since it sta"),
        ("since", "100\n90 dbus.list\n", ""),
        ("since", "n/a\n90 dbus.list\n", ""),
        ("requested", "asked\nlinux-base\n", "/run/reboot-required is there (linux-base)"),
        ("requested", "asked\n", "/run/reboot-required is there"),
        ("kernel", "6.1.0-28-amd64\n6.1.0-30-amd64\n", "kernel 6.1.0-30-amd64 is installed, 6.1"),
        ("kernel", "6.1.0-30-amd64\n6.1.0-30-amd64\n", ""),
        ("kernel", "6.1.0-30-amd64\n", ""),
    ],
)
def test_why_a_machine_has_to_restart_as_it_is(step: str, text: str, reason: str) -> None:
    found = facts(**{step: text}).machine
    assert [why.startswith(reason) for why in found] == [True] * bool(reason)


def test_an_apt_that_cannot_plan_is_an_error_with_a_way_out() -> None:
    with pytest.raises(RefusedError, match="Unmet dependencies") as caught:
        facts(newer=Section("newer", 100, "", "E: Unmet dependencies."))
    assert "apt-get -f install" in str(caught.value.next_step)


def test_an_index_that_cannot_be_fetched_is_an_error() -> None:
    failed = Section(patches.observe_index().name, 100, "E: Failed to fetch http://m/\n", "")
    with pytest.raises(RefusedError, match="Failed to fetch") as caught:
        patches.check_index(failed)
    assert "mirror cannot be reached" in str(caught.value.next_step)
    patches.check_index(replace(failed, status=0))


def test_what_restarts_is_what_uses_newer_packages() -> None:
    due = PatchDue(facts(), *users(), MANAGED)
    assert due.cluster == ("corosync.service uses corosync",)
    assert due.services == {
        "pcsd-ruby.service": "pcsd-ruby.service uses libssl3",
        "pcsd.service": "pcsd.service uses libssl3",
        "ssh.service": "ssh.service uses libssl3",
        "systemd-journald.service": "systemd-journald.service uses libssl3",
    }
    assert due.left == ("init.scope",)
    assert due.machine == due.at_boot == ()
    restart = "the cluster services restart: corosync.service uses corosync"
    assert due.changes[:2] == (str(MEMCACHED), restart)


@pytest.mark.parametrize(
    ("row", "changes"),
    [
        ("old corosync.service corosync /usr/lib/libqb.so.100",
         "the cluster services restart: corosync.service runs with files that were replaced"),
        ("old memcached.service memcached /usr/bin/memcached",
         "memcached starts anew: it runs with files that were replaced"),
        # What an agent started is in the unit of Pacemaker, and no part of it.
        ("old pacemaker.service mariadbd /usr/sbin/mariadbd",
         "mariadbd starts anew: it runs with files that were replaced"),
        ("old pacemaker.service pacemaker-attrd /usr/lib/libqb.so.100",
         "the cluster services restart: pacemaker.service runs with files that were replaced"),
        ("old ssh.service sshd /usr/sbin/sshd",
         "ssh.service restarts: ssh.service runs with files that were replaced"),
        ("old session-3.scope bash /usr/bin/bash", ""),
        ("old user@0.service systemd /usr/lib/systemd/systemd", ""),
        ("old dbus.service dbus-daemon /usr/bin/dbus-daemon", ""),
    ],
)  # fmt: skip
def test_a_node_that_runs_with_old_files_is_due(row: str, changes: str) -> None:
    due = PatchDue(facts(newer=""), *users(f"{row}\n"), MANAGED)
    assert due.changes == ((changes,) if changes else ())
    assert bool(due) is bool(changes)


def test_what_the_machines_restart_brings_along_is_said_once() -> None:
    found = replace(facts(newer=""), machine=("/run/reboot-required is there",))
    due = PatchDue(found, *users("old ssh.service sshd /usr/sbin/sshd\n"), MANAGED)
    assert due.changes == ("the machine restarts: /run/reboot-required is there",)


def test_a_unit_that_pacemaker_runs_and_that_starts_at_boot_is_due() -> None:
    due = PatchDue(replace(facts(newer=""), enabled=("memcached.service", "ssh.service")),
                   managed=MANAGED)  # fmt: skip
    assert due.at_boot == ("memcached.service",)
    assert due.changes == ("memcached.service is disabled: Pacemaker runs it",)


def test_the_mark_of_a_walk_is_found_by_its_id_and_lifted() -> None:
    fresh = cib.parse(captured.text("word", "resources-cib.xml"))
    name = next(iter(fresh.configuration.iterfind("nodes/node"))).get("uname", "")
    marked = standby.put(fresh, name)
    assert marked is not None
    assert standby.found(fresh) == ()
    assert standby.found(marked) == (name,)
    assert standby.put(marked, name) is None
    lifted = standby.lift(marked, name)
    assert lifted is not None
    assert lifted.is_configured_as(fresh)
    assert standby.lift(fresh, name) is None


def test_what_pcs_leaves_of_a_mark_is_none_and_goes_with_the_next() -> None:
    fresh = cib.parse(captured.text("word", "resources-cib.xml"))
    name = next(iter(fresh.configuration.iterfind("nodes/node"))).get("uname", "")
    left = standby.put(fresh, name)
    assert left is not None
    (nvset,) = left.configuration.findall(f".//*[@id='{standby.PREFIX}{name}']")
    nvset.remove(nvset[0])  # as pcs node unstandby does it
    assert standby.found(left) == ()
    again = standby.put(left, name)
    assert again is not None
    assert len(again.configuration.findall(f".//*[@id='{standby.PREFIX}{name}']")) == 1


def test_until_is_the_next_time_of_the_day() -> None:
    now = datetime.fromisoformat("2026-11-30T23:10:00+01:00")
    assert read_until("05:00", now).isoformat() == "2026-12-01T05:00:00+01:00"
    assert read_until("23:30", now).isoformat() == "2026-11-30T23:30:00+01:00"
    for wrong in ("5", "24:00", "05:60", "soon", "05:00:00"):
        with pytest.raises(UsageError, match=f"--until {wrong}"):
            read_until(wrong, now)


def entry(task: str) -> Entry:
    return Entry("s00000001-20261130T120000.000000Z", "web", "me", ("c1: x",), task)


def test_an_unfinished_patch_is_ended_by_patch_alone() -> None:
    left = [entry("patch"), entry("deploy")]
    assert [e.task for e in entries.finishing("deploy", left)] == ["deploy"]
    assert [e.task for e in entries.finishing("rollback", left)] == ["deploy"]
    assert [e.task for e in entries.finishing("patch", left)] == ["patch"]
    assert ways_on([entry("patch")]) == "finish it: fab patch"


def test_what_is_left_of_a_node_that_is_done_is_said() -> None:
    before = PatchDue(facts(beside="/etc/old.dpkg-dist\n"))
    now = PatchDue(
        facts(newer="", beside="/etc/default/x.dpkg-dist\n/etc/old.dpkg-dist\n",
              kernel="6.1.0-28-amd64\n6.1.0-30-amd64\n")
    )  # fmt: skip
    assert list(module._left(now, before)) == [  # noqa: SLF001
        "/etc/default/x is kept, the new one is /etc/default/x.dpkg-dist",
        "after its restart still: kernel 6.1.0-30-amd64 is installed, 6.1.0-28-amd64 runs",
    ]


class Heard:
    """An operator who agrees to nothing; what is shown and reported is kept."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.agrees = False

    def note(self, host: str, text: str) -> None:
        """Keep what goes on."""
        self.lines.append(f"{host}: {text}")

    def waiting(self, host: str, text: str) -> None:
        """Hear what is waited for."""

    def finished(self, outcome: Outcome) -> None:
        """Hear that a host is done."""

    def preview(self, lines: Sequence[str]) -> None:
        """Keep what would be done."""
        self.lines += lines

    def ask(self, step: str, question: str) -> None:
        """Say no, unless it agrees."""
        if not self.agrees:
            raise RefusedError(step, question, "nothing was changed")


def host(number: int, **given: str | Section) -> Answers:
    """Return a node of a healthy cluster without resources, for which memcached is newer."""
    return Answers(f"c{number}", number, **{**usual(), **given})


def usual() -> dict[str, str | Section]:
    """Return what such a node says."""
    empty = captured.text("debian12", "monitor-empty.xml")
    restart = captured.text("debian12", "simulation-restart.xml")
    return {
        **{name: said(name) for name in STEPS},
        patches.observe_index().name: "", "users": said("users"),
        "files": "absent\n" * len(LOOK.files),
        "cib": captured.text("debian12", "cib-empty.xml"), "monitor": empty,
        "managers": "/usr/bin/apt-get\n", "units": "LoadState=not-found\n\n",
        "simulation": f"{empty}\n--\n{restart}\n--\n<transition_graph/>",
    }  # fmt: skip


def run(*hosts: Answers, heard: Heard | None = None, **options: object) -> list[Outcome]:
    known = cast("dict[str, Host]", {one.name: one for one in hosts})
    patching = replace(PatchRound(dry_run=True), **options)  # type: ignore[arg-type]
    return patching.run(known, known.get, heard or Heard())


class Noting(Answers):
    """A host that keeps what it was given to do."""

    def __init__(self, name: str, number: int, **given: str | Section) -> None:
        """Take what `Answers` does."""
        super().__init__(name, number, **given)
        self.done: list[Step] = []

    def change(self, steps: Sequence[Step], **options: Any) -> Mapping[str, Section]:
        """Keep it, and do it."""
        self.done += steps
        return super().change(steps, **options)


def three(**given: str | Section) -> list[Answers]:
    return [host(1), host(2, **given), host(3)]


def test_a_dry_run_shows_every_node_in_the_order_of_the_walk() -> None:
    found = run(*three())
    assert [one.mark for one in found] == [Mark.PLANNED] * 3
    assert {one.host for one in found} == {"c1", "c2", "c3"}
    assert found[0].notes[0] == str(MEMCACHED)
    assert "the cluster services restart: corosync.service uses corosync" in found[0].notes


def test_one_node_alone_is_asked_and_shown() -> None:
    hosts = three()
    assert [one.host for one in run(*hosts, nodes=frozenset({"c2"}))] == ["c2"]
    with pytest.raises(RefusedError, match="no node is called c9"):
        run(*hosts, nodes=frozenset({"c9"}))


def test_nothing_is_begun_that_is_not_agreed_to() -> None:
    heard = Heard()
    with pytest.raises(RefusedError, match="one after the other"):
        run(*three(), heard=heard, dry_run=False)
    assert "patch would, node by node:" in heard.lines
    assert any(str(MEMCACHED) in line for line in heard.lines)


def test_a_cluster_that_is_up_to_date_is_asked_nothing() -> None:
    none = {"newer": "", "users": "\n"}
    hosts = [host(number, **none) for number in (1, 2, 3)]
    assert [one.mark for one in run(*hosts, dry_run=False)] == [Mark.UNCHANGED] * 3


def test_the_end_of_a_run_that_was_cut_off_after_its_last_step_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    left = replace(entry("patch"), state=State.BEGUN)
    given = {"newer": "", "users": "\n", "changes": f"begun {left.id} {left.note()}\n"}
    hosts = [Noting(f"c{number}", number, **{**usual(), **given}) for number in (1, 2, 3)]
    assert [one.mark for one in run(*hosts, dry_run=False)] == [Mark.UNCHANGED] * 3
    for one in hosts:
        ends = [step.argv for step in one.done if left.id in step.argv]
        assert any("done" in words for words in ends)


def test_after_the_given_time_no_further_node_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    heard = Heard()
    heard.agrees = True
    found = run(*three(), heard=heard, dry_run=False, until=datetime.now().astimezone())
    assert [one.mark for one in found] == [Mark.SKIPPED] * 3
    assert found[0].notes[0].startswith("not begun: it is past")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"audit": "The following packages are only half configured:\n x\n"}, "half installed"),
        ({"managers": "/usr/bin/dnf\n", "os": 'ID="rocky"\nID_LIKE="rhel centos fedora"\n'},
         "of apt-get alone"),
        ({patches.observe_index().name: Section("x with apt-get", 100, "Failed to fetch x", "")},
         "Failed to fetch x"),
    ],
)  # fmt: skip
def test_what_one_node_cannot_do_stops_the_round_before_it_begins(
    given: dict[str, str | Section], message: str
) -> None:
    with pytest.raises(PacefabError, match=message) as caught:
        run(*three(**given))
    assert caught.value.host == "c2"


def test_a_node_that_does_not_answer_stops_the_round_before_it_begins() -> None:
    with pytest.raises(PacefabError, match="no route"):
        run(host(1), Silent("c2", 2), host(3))


def test_an_answer_that_makes_no_sense_is_an_error() -> None:
    with pytest.raises(CommandError, match="makes no sense"):
        run(*three(since="100\nsoon libc6.list\n"))
