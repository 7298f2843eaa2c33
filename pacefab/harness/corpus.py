"""Pacemaker's own test configurations, exported and made again: is anything lost?

Each CIB of the package pacemaker-cts becomes an inventory, which is read and rendered onto an empty
cluster of its nodes; that is compared with what was there, and with `simulate` what Pacemaker would
do about both.
"""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lxml import etree

from pacefab.export.comparison import VOLATILE
from pacefab.export.draft import Source
from pacefab.export.export import export
from pacefab.pacemaker.cib import PROPERTIES, Cib, parse

from .engine import ensure_engine
from .errors import HarnessError
from .image import ensure_image
from .place import open_state
from .program import run

IMAGE: Final = "debian13"
"""Its Pacemaker is the newest one, which reads every configuration."""
FETCH_SECONDS: Final = 120
SIMULATE_SECONDS: Final = 1800
_AT_ONCE: Final = 8  # files that a process is given at a time
_UNPACK: Final = (
    "dpkg-deb -x /srv/packages/pacemaker-cts_*.deb /tmp/cts && "
    "cp /tmp/cts/usr/share/pacemaker/tests/scheduler/xml/*.xml /corpus/"
)
# What differs between two CIBs is printed behind the file's name; the order of lines is no action.
_SIMULATE: Final = r"""
cd /corpus
cat >/tmp/one <<'END'
for side in original rendered; do
    crm_simulate --simulate --xml-file "$side/$1" 2>&1 | sed -n '/Transition Summary/,$p' |
        sed 's/one-or-more:.*/one-or-more/' | sort >"/tmp/$1.$side"
done
cmp -s "/tmp/$1.original" "/tmp/$1.rendered" ||
    echo "$1 $(diff "/tmp/$1.original" "/tmp/$1.rendered" | grep '^[<>]' | head -4 | tr '\n' ' ')"
END
ls rendered | xargs -P 2 -n 1 sh /tmp/one
"""


@dataclass(frozen=True)
class Judged:
    """What became of one configuration; `unsaid` names all that the inventory does not say."""

    name: str
    unsaid: tuple[str, ...] = ()
    rendered: str = ""
    differs: str = ""  # what Pacemaker would do otherwise


def configurations(path: Path | None, sample: int) -> list[Path]:
    """Return the files of a folder, else of the package; of them evenly `sample`, 0: all.

    Raises:
        HarnessError: there are none, or no image can be made.
    """
    folder = path or _packaged()
    found = sorted(folder.glob("*.xml"))
    if not found:
        raise HarnessError(f"no configurations (*.xml) in {folder}")
    step = max(1, len(found) // sample) if sample else 1
    return found[::step][: sample or None]


def _packaged() -> Path:
    folder = open_state() / "cts-configurations"
    if not list(folder.glob("*.xml")):
        ensure_engine()
        folder.mkdir(exist_ok=True)
        _in_container(folder, _UNPACK, FETCH_SECONDS)
    return folder


def _in_container(folder: Path, script: str, timeout: float) -> str:
    mount = f"{folder.resolve()}:/corpus"
    argv = ["docker", "run", "--rm", "--network", "none", "--volume", mount]
    return run([*argv, ensure_image(IMAGE), "sh", "-c", script], timeout=timeout).stdout


def judge_all(files: Sequence[Path]) -> Iterator[Judged]:
    """Yield what becomes of each configuration, in their order; all processors work."""
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        yield from processes.map(judge, files, chunksize=_AT_ONCE)


def judge(file: Path) -> Judged:
    """Return what becomes of one configuration."""
    cib = parse(file.read_text(encoding="utf-8"))
    try:
        done = export(Source(cib, place=file.name, plain=True))
    except ValueError as error:
        return Judged(file.name, (f"nothing of it: {error}",))
    rendered = _with_state(done.rendered, cib) if done.rendered else ""
    return Judged(file.name, tuple(map(str, done.unsaid)), rendered)


def _with_state(rendered: Cib, original: Cib) -> str:
    """Return what was rendered with the state of the original, which decides about actions.

    So do the properties that Pacemaker writes itself, such as have-watchdog.
    """
    root = copy.deepcopy(rendered.root)
    pairs_ = [p for p in original.root.iter("nvpair") if p.get("name") in VOLATILE]
    if pairs_ and (section := root.find("configuration/crm_config")) is not None:
        own = section.find(f"cluster_property_set[@id='{PROPERTIES}']")
        if own is None:
            own = etree.SubElement(section, "cluster_property_set", id=PROPERTIES)
        for number, pair in enumerate(pairs_):
            name, value = str(pair.get("name")), str(pair.get("value"))
            etree.SubElement(own, "nvpair", id=f"pacemakers-{number}", name=name, value=value)
    if (status := original.root.find("status")) is not None:
        root.append(copy.deepcopy(status))
    return Cib(root).text()


def simulate(files: Sequence[Path], judged: Sequence[Judged]) -> dict[str, str]:
    """Return, by the file's name, what Pacemaker would do otherwise with what was rendered."""
    ensure_engine()
    folder = open_state() / "cts-simulated"
    shutil.rmtree(folder, ignore_errors=True)
    for side in ("original", "rendered"):
        (folder / side).mkdir(parents=True)
    for file, one in zip(files, judged, strict=True):
        if one.rendered:
            shutil.copy(file, folder / "original" / file.name)
            (folder / "rendered" / file.name).write_text(one.rendered, encoding="utf-8")
    lines = _in_container(folder, _SIMULATE, SIMULATE_SECONDS).splitlines()
    return {name: said for name, _, said in (line.partition(" ") for line in lines)}
