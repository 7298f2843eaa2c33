"""A folder of scripts -> an inventory and the account of everything in the folder. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from pacefab.errors import UsageError
from pacefab.legacy.answers.asking import unanswered
from pacefab.legacy.answers.reading import AnswersFile
from pacefab.legacy.cluster.configuration import configuration_of
from pacefab.legacy.draft.draft import draft
from pacefab.legacy.draft.inventory_text import render_inventory
from pacefab.legacy.draft.parts import Draft
from pacefab.legacy.findings.doubts import doubts
from pacefab.legacy.findings.elsewhere import any_elsewhere, elsewhere
from pacefab.legacy.findings.replayed import collapsed, lacking, replayed_entries
from pacefab.legacy.findings.unreached import unreached
from pacefab.legacy.findings.unread import unread_files
from pacefab.legacy.interpreter.walkthrough import Walk, walk_through
from pacefab.legacy.masking import mask, mask_source
from pacefab.legacy.model import Fate, MadeCluster, Migration, ReportLine
from pacefab.legacy.questions import Start
from pacefab.legacy.source import SourceFile, Tree, decode, read_tree

_LARGEST_INI = 1_000_000  # bytes
_HEADER = """\
yaml-language-server: $schema=schema.json

Written by: invoke migrate --from {folder}
Comments say which file and line each part came from. Secrets are only named here.
What could not be translated, and what looks like a bug, is in the report: read it first."""


def migrate(
    folder: Path,
    ini: Path | None = None,
    name: str = "cluster",
    *,
    plain: bool = False,
    start: Start | None = None,
    answers: AnswersFile | None = None,
) -> Migration:
    """Return what a folder of scripts makes of a cluster, in today's terms.

    Args:
        folder: the scripts, and the ini files that they read.
        ini: stands for the ini file of the same name in the folder, or the one that is missing.
        name: of the cluster, when no script names it.
        plain: write resources in Pacemaker's terms alone, and no services: a running cluster can
            be adopted so without a change of any resource.
        start: which scripts are started, with which arguments and environment.
        answers: a file of answers that is held against the folder; `start` has what it says.

    Raises:
        UsageError: the folder or the ini file cannot be read, there is no script, or the answers
            are about what is not there.
    """
    tree = read_tree(folder)
    if ini is not None:
        _add_ini(tree, ini)
    if not tree.scripts and not any_elsewhere(tree):
        raise UsageError(
            f"read the scripts in {folder}",
            "there is no bash script in it, and no cluster command but in documentation",
            "name the folder that holds them with --from DIR",
        )
    if answers is not None:
        answers.check(tree)
    called = folder.name or folder.resolve().name
    return migrate_tree(tree, called, name, plain=plain, start=start)


def migrate_tree(
    tree: Tree, folder: str, name: str, *, plain: bool = False, start: Start | None = None
) -> Migration:
    """Return what the texts of a folder make of a cluster."""
    walk = walk_through(tree, start or Start())
    drafts: list[Draft] = []
    found: list[ReportLine] = []
    every = walk.replay.clusters
    used = [at for at, one in enumerate(every) if one.nodes or one.resources or one.fencing]
    for number in used or [0]:
        walk.replay.present = number
        drafts.append(draft(walk, name, plain=plain))
        found += doubts(walk)
    walk.replay.present = (used or [0])[0]
    others = [*walk.world.effects.notes, *unreached(walk), *elsewhere(walk)]
    replayed = replayed_entries(walk.replay, drafts, _handed(walk))
    entries = [
        *collapsed(list(lacking(replayed, others))),
        *walk.replay.notes,
        *others,
        *unread_files(walk),
        *(entry for made in drafts for entry in made.entries),
        *found,
    ]
    account = tuple(sorted(dict.fromkeys(map(_masked, entries)), key=_order))
    counts = Counter(entry.fate for entry in account)
    summary = {fate.value: counts[fate] for fate in Fate}
    header = _HEADER.format(folder=folder)
    texts: dict[str, str] = {}
    clusters: dict[str, MadeCluster] = {}
    for number, made in zip(used or [0], drafts, strict=True):
        name = called = str(made.data["cluster"])
        numbers = count(2)
        while called in texts:
            called = f"{name}-{next(numbers)}"
        texts[called] = render_inventory(made, header)
        clusters[called] = _made(walk, number, made)
    first = next(iter(texts.values()))
    return Migration(
        first, account, walk.world.effects, summary, configuration_of(walk.replay.cluster), texts,
        clusters, _sources(tree, account), unanswered(walk),
    )  # fmt: skip


def _made(walk: Walk, number: int, made: Draft) -> MadeCluster:
    nodes = {str(node["name"]) for node in made.data.get("nodes", ())}
    members = walk.replay.several.members[number : number + 1]
    return MadeCluster(
        frozenset(nodes.union(*members)), configuration_of(walk.replay.clusters[number])
    )


def _sources(tree: Tree, account: Sequence[ReportLine]) -> dict[str, tuple[str, ...]]:
    """Return the lines of the files that the account is about, secrets masked."""
    files = dict.fromkeys(entry.place.file for entry in account if entry.place.line)
    return {
        path: tuple(map(mask_source, tree.files[path].text.split("\n")))
        for path in files
        if path in tree.files
    }


def _handed(walk: Walk) -> set[str]:
    """Return the words that programs of the cluster other than pcs were given."""
    ran = (words for commands in walk.world.executed.values() for words in commands)
    return {word for words in ran if words[0] not in {"pcs", "crm"} for word in words[1:]}


def _masked(entry: ReportLine) -> ReportLine:
    return replace(entry, text=mask(entry.text), reason=mask(entry.reason))


def _order(entry: ReportLine) -> tuple[int, str, int, str, str]:
    fates = list(Fate)
    return (fates.index(entry.fate), entry.place.file, entry.place.line, entry.text, entry.reason)


def _add_ini(tree: Tree, ini: Path) -> None:
    """Put an ini file in the place of those of its name, and of one that scripts miss."""
    try:
        if ini.stat().st_size > _LARGEST_INI:
            raise UsageError(f"read {ini}", f"it has more than {_LARGEST_INI} bytes")
        text = decode(ini.read_bytes(), ini.name, tree.remarks)
    except OSError as error:
        raise UsageError(
            f"read {ini}", error.strerror or str(error), "name an ini file with --ini FILE"
        ) from error
    for path in list(tree.files):
        if path.endswith(".ini") and path.rpartition("/")[2] == ini.name:
            del tree.files[path]
    tree.files[ini.name] = SourceFile(ini.name, text)
    tree.ini = ini.name
