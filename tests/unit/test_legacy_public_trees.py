"""Trees in the style of those that are public, of many authors, against what a real bash ran.

tests/data/legacy/NAME/expected/ran.txt has, line by line, the commands that a real bash ran when it
was started as started.txt says, and the places in the tree that their words came by (written by
record-trees). denied.txt has, worked out by hand, the commands that ran and of which rightly
nothing is left; unclear.txt those lines of which the tree alone does not say whether they run.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from pacefab.legacy.interpreter.walkthrough import Walk, walk_through
from pacefab.legacy.migrate import migrate
from pacefab.legacy.model import Fate, Migration, ReportLine
from pacefab.legacy.pcs.replay import ReplayedCommand
from pacefab.legacy.questions import Start, StartedScript
from pacefab.legacy.source import read_tree
from pacefab.legacy.unknown import is_known

TREES = Path(__file__).resolve().parents[1] / "data" / "legacy"
NAMES = sorted(one.parents[1].name for one in TREES.glob("*/expected/started.txt"))
STARTS = ["by name", "as started"]
LEAST = 400  # commands that all trees run together
LEAST_SHARE = 0.6  # of what is translated or reported as not translated
# What has to be in the report, found by another way than the one that is tested.
NAMED = re.compile(
    r"(?<![\w./@-])(pcs|crm|crmsh|\$PCS|\$CRM|\"\$\{PCS\[@\]\}\"|\$\(PCS\)|pcs_)[\"',]*\s+[\"']*"
    r"(-f|-w|-F|--force|<|resource|stonith|constraint|property|cluster|status|config|host|quorum|node|"
    r"alert|tag|client|configure|ra)(?![\w-])|"
    r"(?<![\w.@-])(cibadmin|crm_attribute|crm_resource|attrd_updater|crm_standby|stonith_admin)\s"
)
DOCUMENTS = (".md", ".adoc", ".txt", "README")
DID_NOT_RUN = re.compile(
    r"never reached|only a text that is printed|is never called|commented out|not started|"
    r"which does not run it"
)
LEFT_NOTHING = re.compile(
    r"superseded|only removes|it removes what|refuses|had no effect|(pcs|crm) does not accept|"
    r"never pushed"
)


@dataclass(frozen=True)
class Ran:
    """A command that a real bash ran."""

    host: str
    words: tuple[str, ...]
    places: frozenset[str]  # FILE:LINE:NUMBER


@cache
def ran(name: str) -> tuple[Ran, ...]:
    lines = (TREES / name / "expected" / "ran.txt").read_text(encoding="utf-8").splitlines()
    found = []
    for line in lines:
        command, *places = re.split(r" @(?=[\w./-]+:\d+:\d+)", line)
        host, _, words = command.partition(":")
        found.append(Ran(host, _plain(shlex.split(words)), frozenset(places)))
    return tuple(found)


def _plain(words: list[str]) -> tuple[str, ...]:
    """Return words without what differs by chance, or is a secret."""
    words = [re.sub(r"/tmp/tmp\.\w+", "/tmp/tmp", word) for word in words]
    return tuple(re.sub(r"^(passw\w*)=.*", r"\1=***", word) for word in words)


def start_of(name: str, how: str) -> Start:
    lines = (TREES / name / "expected" / "started.txt").read_text(encoding="utf-8").splitlines()
    entries = (StartedScript(*_parted(shlex.split(line))) for line in lines)
    return Start(tuple(entries) if how != "by name" else ())


def _parted(words: list[str]) -> tuple[str, tuple[str, ...]]:
    return words[0], tuple(words[1:])


@cache
def migrated(name: str, how: str) -> Migration:
    return migrate(TREES / name / "scripts", start=start_of(name, how))


@cache
def walked(name: str, how: str) -> Walk:
    return walk_through(read_tree(TREES / name / "scripts"), start_of(name, how))


def by_hand(name: str, what: str) -> set[str]:
    file = TREES / name / "expected" / f"{what}.txt"
    return set(file.read_text(encoding="utf-8").split()) if file.exists() else set()


def at(entry: ReportLine) -> str:
    return f"{entry.place.file}:{entry.place.line}"


def as_recorded(one: ReplayedCommand) -> tuple[str, tuple[str, ...]]:
    words = list(one.call.arguments)
    return one.call.host, _plain(["crm", *words] if one.call.program == "crm" else words)


@pytest.mark.parametrize("how", STARTS)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_silent(name: str, how: str) -> None:
    scripts = TREES / name / "scripts"
    reported = {at(entry) for entry in migrated(name, how).entries}
    files = {entry.place.file for entry in migrated(name, how).entries}
    missing = []
    for file in sorted(path for path in scripts.rglob("*") if path.is_file()):
        path = file.relative_to(scripts).as_posix()
        for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
            place = f"{path}:{number}"
            said = path in files if path.endswith(DOCUMENTS) else place in reported
            if NAMED.search(line) and not said:
                missing.append(f"{place}: {line.strip()}")
    assert not missing


@pytest.mark.parametrize("how", STARTS)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_not_to_run_did_not_run(name: str, how: str) -> None:
    """A line may have several commands: as many are said not to run as did not, at most."""
    scripts = TREES / name / "scripts"
    commands = {place for one in ran(name) for place in one.places}
    by_line = Counter(place.rpartition(":")[0] for place in commands)
    denied = Counter(
        at(entry) for entry in migrated(name, how).entries if DID_NOT_RUN.search(entry.reason)
    )
    wrong = []
    for place, count in denied.items():
        path, _, number = place.rpartition(":")
        line = (scripts / path).read_text(encoding="utf-8").split("\n")[int(number) - 1]
        there = max(len(NAMED.findall(line)), 1)
        if by_line[place] and count > max(there - by_line[place], 0):
            wrong.append(f"{place}: {line.strip()}")
    assert not wrong


@pytest.mark.parametrize("how", STARTS)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_to_leave_nothing_is_that_of_the_list(name: str, how: str) -> None:
    denied = {at(entry) for entry in migrated(name, how).entries
              if LEFT_NOTHING.search(entry.reason)}  # fmt: skip
    assert denied <= by_hand(name, "denied")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_translated_is_what_bash_ran(name: str) -> None:
    """Argument by argument, and on the same host, as often; what may run was assumed to."""
    done = walked(name, "as started").replay.done
    certain = Counter(
        as_recorded(one) for one in done if one.entry.fate is Fate.TRANSLATED
        and not one.call.condition and not one.call.reads
    )  # fmt: skip
    assert certain - Counter((one.host, one.words) for one in ran(name)) == Counter()


@pytest.mark.parametrize("name", NAMES)
def test_what_bash_ran_is_replayed_or_said_to_be_unknown(name: str) -> None:
    walk = walked(name, "as started")
    replayed = {as_recorded(one) for one in walk.replay.done}
    unknown = {at(entry) for entry in migrated(name, "as started").entries
               if entry.fate is Fate.UNTRANSLATED}  # fmt: skip
    unknown |= {str(one.call.place) for one in walk.replay.done
                if not is_known(*one.call.arguments)}  # fmt: skip
    missing = [
        one for one in ran(name) if (one.host, one.words) not in replayed
        and not unknown & {place.rpartition(":")[0] for place in one.places}
    ]  # fmt: skip
    assert not missing


def test_there_are_enough_of_them() -> None:
    assert sum(len(ran(name)) for name in NAMES) >= LEAST


@pytest.mark.parametrize("how", STARTS)
def test_most_of_what_can_be_said_is_translated(how: str) -> None:
    counts = Counter(entry.fate for name in NAMES for entry in migrated(name, how).entries)
    translated, not_translated = counts[Fate.TRANSLATED], counts[Fate.UNTRANSLATED]
    assert translated / (translated + not_translated) > LEAST_SHARE
