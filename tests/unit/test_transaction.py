"""The lease and the history: what is read and decided; the pieces of shell are run by a shell."""

from __future__ import annotations

import base64
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacefab.errors import RefusedError, UsageError
from pacefab.host import kept_files
from pacefab.host.model import FileState, HostFacts
from pacefab.pacemaker import cib as cibs
from pacefab.pacemaker.model import Membership
from pacefab.services.service import DesiredNode
from pacefab.transport import command, lease
from pacefab.transport.command import Section, Step, parse_sections, render_change, shell
from pacefab.workflows.nodes.node_plan import plan_rollback
from pacefab.workflows.rollout import rollback
from pacefab.workflows.rollout.history import History
from pacefab.workflows.rollout.rollback import Restoring
from pacefab.workflows.transaction import entry as entries
from pacefab.workflows.transaction import head as heads
from pacefab.workflows.transaction import here, log
from pacefab.workflows.transaction.entry import Damaged, Entry, State
from pacefab.workflows.transaction.head import Head, Holder
from pacefab.workflows.transaction.lease import check_lease
from pacefab.workflows.transaction.transaction import Hosts, Transaction, ways_on
from tests.unit import captured

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
OLD = "20261128T120000.000000Z"
CIB = cibs.parse(captured.text("debian12", "cib-clone.xml"))


def entry(number: int, task: str = "deploy", state: State = State.DONE, **rest: Any) -> Entry:
    """Return an entry by its number."""
    name = f"s{number:08}-20261129T120000.000000Z"
    return Entry(name, "demo", "anna@ops1", ("a change",), task, state=state, **rest)


def local(step: Step, folder: Path) -> Step:
    """Return a step that works in a folder of the test's."""
    places = {kept_files.FOLDER: str(folder / "history"), lease.FILE: str(folder / "run" / "lease")}
    return replace(step, argv=tuple(places.get(word, word) for word in step.argv))


def run(step: Step, folder: Path) -> Section:
    """Run a step; return what it said."""
    argv = local(step, folder).argv
    done = subprocess.run(argv, input=step.stdin, capture_output=True, text=True, check=False)
    return Section(step.name, done.returncode, done.stdout, done.stderr)


def head(folder: Path) -> Head:
    """Return what a node whose files are in a folder says of changes."""
    return heads.parse({"changes": run(heads.observe(), folder)})


def take(folder: Path, token: str, over: str = "", note: str = "bm8=") -> int:
    """Take a lease; return how that ended."""
    step = shell("take", lease.READ + lease.TAKE, lease.FILE, token, over, note)
    return run(step, folder).status


# --- ids


@given(st.timedeltas(timedelta(-4000), timedelta(4000)))
def test_a_later_entry_sorts_last_whatever_the_operators_clock_says(skew: timedelta) -> None:
    seen = [OLD]
    for _ in range(3):
        seen.append(entries.next_id(seen, NOON + skew))
    assert seen == sorted(seen)
    assert entries.next_id(seen, NOON - skew) > seen[-1]


def test_entries_of_the_time_before_numbers_are_read_and_done() -> None:
    note = '{"id": "x", "cluster": "demo", "by": "anna@ops1", "changes": ["a", "b"]}'
    found = entries.read(OLD, note)
    assert (found.id, found.state, found.task) == (OLD, State.DONE, "")
    assert found.when == datetime(2026, 11, 28, 12, tzinfo=UTC)
    assert found.sentence == "a; and 1 more change"


def test_a_note_is_read_as_it_was_written() -> None:
    written = entry(7, target=entry(3).id, token="t")  # noqa: S106
    again = entries.read(written.id, written.note(), "undone " + entry(8).id)
    assert again == replace(written, state=State.UNDONE, ended_by=entry(8).id)


@pytest.mark.parametrize(
    "note", ["", '{"id": ', "[]", "7", '{"cluster": "c"}', "\0", '{"by": 1}', "[" * 100_000]
)
def test_a_damaged_note_is_no_entry(note: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        entries.read(OLD, note)


def test_a_folder_whose_name_is_no_moment_is_no_entry() -> None:
    assert entries.is_id(entry(1).id)
    assert not entries.is_id("s00000001-20261399T996000.000000Z")


def test_whose_a_lease_is_by_a_note_without_end_is_not_known() -> None:
    note = base64.b64encode(b"[" * 100_000).decode()
    assert heads.read_holder(note).by == "an unknown operator"


def test_a_change_whose_note_is_damaged_on_one_node_is_known_by_the_others() -> None:
    good = entry(1, state=State.BEGUN, token="t")  # noqa: S106
    said = {"changes": Section("changes", 0, f"begun {good.id} " + "{", "")}
    damaged = heads.parse(said)
    holder = Holder("deploy", "a@b", "12:00", "", "t")
    assert heads.unfinished([Head("t", holder, (good,)), damaged]) == ()
    (left,) = heads.unfinished([damaged])
    assert left.name.startswith("apply of 2026-11-29")
    assert "fab deploy" in ways_on([left])


# --- the lease, by a shell


def test_a_lease_is_one_runs_until_it_is_given_back(tmp_path: Path) -> None:
    assert head(tmp_path) == Head()
    assert take(tmp_path, "ours", note=Holder("deploy", "anna@ops1", "12:00", "").note()) == 0
    assert take(tmp_path, "theirs") == lease.HELD
    found = head(tmp_path)
    assert str(found.holder) == "deploy by anna@ops1 since 12:00"
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "run" / "lease").stat().st_mode & 0o777 == 0o600
    for token in ("theirs", "ours"):
        give_back = shell("lease", lease.RELEASE, lease.FILE, token)
        assert run(give_back, tmp_path).ok
    assert head(tmp_path) == Head("ours")
    assert take(tmp_path, "theirs") == 0


def age(folder: Path, seconds: int) -> None:
    """Have a lease be as old, and not renewed."""
    now = int(float(Path("/proc/uptime").read_text().split()[0]))
    file = folder / "run" / "lease"
    word, token, _, note = file.read_text().splitlines()[0].split()
    file.write_text(f"{word} {token} {max(now - seconds, 0)} {note}\n")


def test_a_lease_that_is_not_renewed_ends_by_itself(tmp_path: Path) -> None:
    take(tmp_path, "ours")
    renew = shell("lease", lease.RENEW, lease.FILE, "ours")
    age(tmp_path, lease.SECONDS - 5)
    assert run(renew, tmp_path).ok
    assert take(tmp_path, "theirs") == lease.HELD
    age(tmp_path, lease.SECONDS + 5)
    assert head(tmp_path).holder is None
    assert not run(renew, tmp_path).ok
    assert take(tmp_path, "theirs") == 0
    assert run(renew, tmp_path).out == "bm8=\n"  # whose it is now


def test_the_lease_of_a_run_that_is_known_to_be_dead_is_taken_at_once(tmp_path: Path) -> None:
    take(tmp_path, "dead")
    assert take(tmp_path, "ours", over="another") == lease.HELD
    assert take(tmp_path, "ours", over="dead") == 0


def test_a_lease_of_the_time_before_a_start_has_ended(tmp_path: Path) -> None:
    """A container's start does not empty a /run that is no file system of its own."""
    take(tmp_path, "old")
    file = tmp_path / "run" / "lease"
    _, token, seconds, note = file.read_text().split()
    file.write_text(f"take {token} {int(seconds) + 9000} {note}\n")
    assert head(tmp_path).holder is None
    assert take(tmp_path, "ours") == 0


@pytest.mark.parametrize("line", ["", "take", "take x y z", "take \0", "renew ours 5", "take a b"])
def test_a_lease_that_is_torn_stands_in_nobodys_way(tmp_path: Path, line: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "lease").write_text(line)
    assert head(tmp_path).holder is None
    assert take(tmp_path, "ours") == 0


def change(folder: Path, token: str, *, firm: bool, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run a change under a lease; return the sections that it came to."""
    lock = command._LOCK.replace("/run/pacefab.lock", str(folder / "lock"))  # noqa: SLF001
    monkeypatch.setattr(command, "_LOCK", lock)
    monkeypatch.setattr(lease, "FILE", str(folder / "run" / "lease"))
    script = render_change(
        [shell("work", f"touch {folder}/worked")],
        lease.Grip(token, lambda: firm, Holder("deploy", "anna@ops1", "12:00").note()),
    )
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=False, timeout=20
    )
    return [name for name, section in parse_sections(done.stdout).items() if section.ok]


@pytest.mark.parametrize(
    ("token", "seconds", "firm", "works"),
    [
        ("ours", 0, False, True),
        ("ours", lease.SECONDS + 5, False, False),
        ("ours", lease.SECONDS + 5, True, True),
        ("theirs", lease.SECONDS + 5, True, False),
    ],
)
def test_a_change_begins_only_under_its_own_lease(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    seconds: int,
    firm: bool,
    works: bool,
) -> None:
    take(tmp_path, "ours")
    age(tmp_path, seconds)
    done = change(tmp_path, token, firm=firm, monkeypatch=monkeypatch)
    assert ("work" in done, (tmp_path / "worked").exists()) == (works, works)


@pytest.mark.parametrize(("firm", "works"), [(True, True), (False, False)])
def test_a_node_that_was_started_again_meanwhile_takes_the_lease_of_a_firm_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, firm: bool, works: bool
) -> None:
    """Its /run is empty then; most of the others have it all the time."""
    assert ("work" in change(tmp_path, "ours", firm=firm, monkeypatch=monkeypatch)) == works
    held = head(tmp_path)
    assert (held.token, held.holder is not None) == (("ours", True) if works else ("", False))
    if works:
        assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
        assert take(tmp_path, "theirs") == lease.HELD


def test_who_lost_the_lease_reads_whose_it_is() -> None:
    note = Holder("rollback", "bob@ops2", "12:00", "").note()
    with pytest.raises(RefusedError, match=r"rollback by bob@ops2 since 12:00 holds the cluster"):
        check_lease({"lease": Section("lease", 1, f"{note}\n", "")})
    check_lease({"lease": Section("lease", 0, "", "")})
    check_lease({})


def test_a_process_that_is_no_more_is_known_to_be_dead_on_its_own_machine() -> None:
    mine = heads.this_run("deploy", "token")
    assert not mine.dead
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        where, _, _ = mine.process.rpartition(" ")
        started = heads._started(child.pid)  # noqa: SLF001
        other = replace(mine, process=f"{where} {child.pid}:{started}")
        assert not other.dead
        child.communicate(b"\n")
    assert other.dead
    assert not replace(other, process=f"elsewhere {child.pid}:{started}").dead
    assert not replace(other, process="").dead
    assert not replace(other, process=f"{where} ../self:1").dead


def test_a_process_of_another_user_that_is_hidden_here_is_not_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/proc mounted with hidepid=2 has no folder of it."""
    mine = heads.this_run("deploy", "token")
    monkeypatch.setattr(heads, "_PROCESSES", tmp_path)
    assert not mine.dead
    where, _, _ = mine.process.rpartition(" ")
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        pass
    assert replace(mine, process=f"{where} {child.pid}:1").dead


def test_an_end_of_the_disk_is_not_taken_for_an_end_of_the_lease() -> None:
    full = Section("lease", 2, "", "sh: 1: echo: No space left on device")
    with pytest.raises(RefusedError, match="No space left on device"):
        check_lease({"lease": full})


# --- the log, by a shell


def begin(folder: Path, item: Entry) -> None:
    """Note that a change begins."""
    done = run(log.plan_begin(item, CIB), folder)
    assert done.ok, done.err


def listed(folder: Path) -> list[Entry | Damaged]:
    """Return what a node has."""
    return log.parse_entries("c1", run(log.observe_entries(), folder))


def test_a_change_is_known_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    first, second = entry(1, state=State.BEGUN), entry(2, "rollback", State.BEGUN)
    begin(tmp_path, first)
    begin(tmp_path, second)
    assert [e.id for e in heads.unfinished([head(tmp_path)])] == [first.id, second.id]
    assert heads.unfinished([head(tmp_path)])[0].by == "anna@ops1"
    done = [entries.ended(second, State.DONE), entries.ended(first, State.UNDONE, second.id)]
    assert run(log.plan_end(done), tmp_path).ok
    assert head(tmp_path).ended == {first.id, second.id}
    assert listed(tmp_path) == [done[1], done[0]]
    before = log.parse_before(run(log.observe_before(first.id), tmp_path))
    assert before.version == CIB.version
    assert (tmp_path / "history").stat().st_mode & 0o777 == 0o700


def test_fifty_whole_entries_are_kept_and_what_was_never_whole_goes_after_a_day(
    tmp_path: Path,
) -> None:
    history = tmp_path / "history"
    for name in ("20200101T000000.000000Z", "s00000000-half"):
        (history / name / "files").mkdir(parents=True)
    subprocess.run(["touch", "-d", "2 days ago", history / "20200101T000000.000000Z"], check=True)
    for number in range(1, 54):
        begin(tmp_path, entry(number))
    names = sorted(path.name for path in history.iterdir())
    assert names[0] == "s00000000-half"
    assert names[1:] == [entry(number).id for number in range(4, 54)]


def test_an_interrupted_note_is_neither_an_entry_nor_in_the_way(tmp_path: Path) -> None:
    left = tmp_path / "history" / f"{entry(1).id}.new"
    left.mkdir(parents=True)
    (left / "note.json").write_text("{")
    (left / "state").write_text("begun\n")
    assert head(tmp_path).begun == ()
    begin(tmp_path, entry(1))
    assert [path.name for path in (tmp_path / "history").iterdir()] == [entry(1).id]


def test_a_damaged_entry_is_a_line_of_its_own(tmp_path: Path) -> None:
    for number in (1, 2):
        begin(tmp_path, entry(number, state=State.BEGUN))
    note = tmp_path / "history" / entry(1).id / "note.json"
    note.write_text(note.read_text()[:40])
    damaged, whole = listed(tmp_path)
    assert isinstance(damaged, Damaged)
    assert str(damaged).startswith(f"{entry(1).id}: its note on c1 is damaged")
    assert isinstance(whole, Entry)
    assert [e.id for e in heads.unfinished([head(tmp_path)])] == [entry(1).id, entry(2).id]


def test_copies_here_are_fifty_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for number in range(1, 53):
        here.store(entry(number), CIB)
    names = sorted(path.name for path in here.folder("demo").iterdir())
    assert len(names) == 100
    assert names[0].startswith(entry(3).id)
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in here.folder("demo").iterdir())


# --- what is decided


def test_a_node_that_knows_the_end_is_right_about_it() -> None:
    begun = entry(1, state=State.BEGUN)
    away, there = Head("", None, (begun,)), Head("", None, (), frozenset({begun.id}))
    assert heads.unfinished([away]) == (begun,)
    assert heads.unfinished([away, there]) == ()


def test_what_a_run_has_under_way_is_not_unfinished() -> None:
    begun = entry(1, state=State.BEGUN, token="t")  # noqa: S106
    held = Head("t", Holder("deploy", "a@b", "12:00", "", "t"), (begun,))
    assert heads.unfinished([held]) == ()
    assert heads.under_way([held, held]) == ("deploy by a@b since 12:00",)


def test_a_run_that_was_quicker_is_noticed() -> None:
    seen = Head("a", None, (), frozenset({"x"}))
    assert seen.follows(seen)
    assert not replace(seen, token="b").follows(seen)  # noqa: S106
    assert not replace(seen, ended=frozenset({"x", "y"})).follows(seen)
    busy = replace(seen, holder=Holder("deploy", "a@b", "12:00"))
    assert not seen.follows(busy)


class Silent:
    """Nobody listens."""

    def note(self, _host: str, _text: str) -> None:
        """Hear nothing."""


@pytest.mark.parametrize(
    ("task", "left", "goes_on"),
    [
        ("deploy", "deploy", True),
        ("deploy", "rollback", True),
        ("deploy", "remove-redis", True),
        ("deploy", "update-redis", False),
        ("rollback", "update-redis", True),
        ("update-redis", "update-redis", True),
        ("update-redis", "update-galera", False),
        ("create-redis", "deploy", False),
        ("create-redis", "install-redis", True),
        ("start-galera", "deploy", True),
        ("remove-node", "deploy", True),
    ],
)
def test_who_goes_on_while_a_change_is_not_finished(task: str, left: str, goes_on: bool) -> None:
    seen = Hosts({}, {"c1": Head("", None, (entry(1, left, State.BEGUN),))})
    own = Transaction(task)
    if goes_on:
        own.check(seen, Silent())
    else:
        with pytest.raises(RefusedError, match="not finished") as refused:
            own.check(seen, Silent())
        assert "fab rollback" in refused.value.next_step


def test_both_ways_on_are_said() -> None:
    assert "fab update-redis" in ways_on([entry(1, "update-redis", State.BEGUN)])
    back = entry(2, "rollback", State.BEGUN, target=entry(1).id)
    assert ways_on([back]) == "go on with it: fab rollback; or go forward: fab deploy"


def chosen(number: int, *known: Entry) -> tuple[str, str]:
    """Return the ids of the entry that a rollback means, and of the first that it undoes."""
    ordered = sorted(known, key=lambda e: e.id, reverse=True)
    history = History(dict.fromkeys(ordered, "c1"), {})
    meant, first = rollback._choose(history, number)  # noqa: SLF001
    return meant.id, first.id


def test_a_rollback_after_a_killed_and_repeated_deploy_goes_back_before_the_first() -> None:
    last = entry(3)
    cut_off = entry(2, ended_by=last.id)
    assert chosen(1, entry(1), cut_off, last) == (last.id, cut_off.id)
    assert chosen(2, entry(1), cut_off, last) == (entry(1).id, entry(1).id)


def test_a_rollback_of_what_is_not_finished_goes_back_before_all_of_it() -> None:
    first, second = entry(2, state=State.BEGUN), entry(3, state=State.BEGUN)
    assert chosen(1, entry(1), first, second) == (second.id, first.id)


def test_a_killed_rollback_goes_on_to_where_it_was_going() -> None:
    target = entry(2)
    back = entry(3, "rollback", State.BEGUN, target=target.id)
    again = entry(4, "rollback", State.BEGUN, target=target.id)
    assert chosen(1, entry(1), target, back) == (target.id, target.id)
    assert chosen(1, entry(1), target, back, again) == (target.id, target.id)


def test_what_was_undone_has_no_number() -> None:
    assert chosen(1, entry(1), entry(2, state=State.UNDONE)) == (entry(1).id, entry(1).id)
    with pytest.raises(UsageError, match="there is no apply 2; the nodes know of 1"):
        chosen(2, entry(1), entry(2, state=State.UNDONE))


def test_what_only_restarted_has_no_number() -> None:
    restart = entry(2, "update-redis", State.UNCHANGED)
    assert chosen(1, entry(1), restart) == (entry(1).id, entry(1).id)


def test_a_node_that_was_away_when_a_change_ended_is_known() -> None:
    begun = entry(1, state=State.BEGUN)
    there = Head("", None, (), frozenset({begun.id}), frozenset({begun.id}))
    away = Head("", None, (begun,))
    (missed,) = heads.behind({"c1": there, "c2": away})["c2"]
    assert (missed.id, missed.state) == (begun.id, State.UNDONE)
    assert heads.behind({"c1": there}) == {}


# --- only what is ours is put back

PATH = "/etc/app.conf"


def state(text: str) -> FileState:
    return FileState(text, "644", "root:root")


@pytest.mark.parametrize(
    ("now", "goes_back"), [("new\n", True), ("ours too\n", True), ("by hand\n", False)]
)
def test_a_file_that_another_user_changed_since_is_left(now: str, goes_back: bool) -> None:
    facts = HostFacts(name="c1", distribution="", memory_mib=1, files={PATH: state(now)})
    ours = {PATH: [kept_files.digest("new\n"), kept_files.digest("ours too\n")]}
    plan = plan_rollback(facts, {PATH: state("old\n")}, DesiredNode(), ours)
    assert bool(plan) == goes_back
    assert any("changed by another user" in remark for remark in plan.remarks) != goes_back


def test_what_was_written_is_noted_with_what_it_replaced(tmp_path: Path) -> None:
    begin(tmp_path, entry(1))
    note = kept_files.plan_note(entry(1).id, {PATH: "abc", "/etc/with space": ""})
    assert run(note, tmp_path).ok
    _, written = kept_files.observe(entry(1).id)
    found = kept_files.parse_written({"written files": run(written, tmp_path)})
    assert found == {PATH: {"abc"}, "/etc/with space": {""}}


def test_a_note_is_one_word_of_base64() -> None:
    assert base64.b64decode(Holder("t", "b", "s").note())


def test_a_rollback_does_not_bring_what_stood_in_another_cluster() -> None:
    """A node that was moved here has that cluster's history still."""
    seen = cast("Any", SimpleNamespace(membership=Membership("here", ())))
    back = Restoring(cast("Any", None), CIB, {}, cluster="there")
    with pytest.raises(RefusedError, match="in the cluster there, and this is here"):
        back.plan_cluster(seen)
