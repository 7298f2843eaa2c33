"""The tree in tests/data/legacy run by bash itself: its pcs commands are those that we collect.

Nothing but text filters, the shell and stand-ins is on PATH; stand-ins note their words. Paths of a
node (/etc, /root, /var) become folders below the test's own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pacefab.legacy.interpreter.walkthrough import walk_through
from pacefab.legacy.source import read_tree
from pacefab.legacy.unknown import is_known

SCRIPTS = Path(__file__).resolve().parents[1] / "data" / "legacy" / "openstack" / "scripts"
FILTERS = ("awk", "bash", "cat", "cp", "cut", "date", "grep", "sed", "seq", "tr", "uniq")
SILENT = ("cibadmin", "clustercheck", "crm", "crm_attribute", "expect", "mysql", "passwd", "scp",
          "sleep", "sysctl", "systemctl", "yum")  # fmt: skip
FOLDERS = ("etc/haproxy", "etc/my.cnf.d", "etc/sysconfig", "etc/sysctl.d", "root", "var/log")
NODE_PATHS = re.compile(rb"(?<![\w./-])/(?=(etc|root|var)\b)")
WRITTEN_TO = re.compile(rb">>?\s*(/[^\s\"']+)")
SSH = """\
while [[ $1 == -* ]]; do [[ $1 == -o ]] && shift; shift; done
export NODE=${1#root@}; shift
cd ROOT || exit 255
(( $# )) && exec bash -c "$*"
exec bash
"""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder with the scripts in root/, stand-ins in bin/ and what they note in record."""
    for folder in ("bin", *FOLDERS):
        (tmp_path / folder).mkdir(parents=True)
    for file in SCRIPTS.iterdir():
        text = file.read_bytes().replace(b"\r\n", b"\n")  # as migrate reads it, and says so
        text = NODE_PATHS.sub(str(tmp_path).encode() + b"/", text)
        into = {Path(path.decode()) for path in WRITTEN_TO.findall(text)} - {Path("/dev/null")}
        assert all(path.is_relative_to(tmp_path) for path in into), into
        (tmp_path / "root" / file.name).write_bytes(text)
    for name in FILTERS:
        found = shutil.which(name)
        assert found, name
        (tmp_path / "bin" / name).symlink_to(found)
    _stand_ins(tmp_path)
    return tmp_path


def _stand_ins(world: Path) -> None:
    noting = f'printf \'%s\\t\' "$NODE" "$@" >> {world}/record; echo >> {world}/record\n'
    bodies = dict.fromkeys(SILENT, "exit 0\n") | {
        "pcs": noting, "ssh": SSH.replace("ROOT", f"{world}/root"), "more": 'exec cat "$@"\n',
        "hostname": "echo $NODE\n", "rpm": "echo pacemaker\n",
    }  # fmt: skip
    for name, body in bodies.items():
        (world / "bin" / name).write_text(f"#!/bin/bash\n{body}")
        (world / "bin" / name).chmod(0o755)
    names = "".join(f"192.0.2.1{n} controller{n}-vm\n" for n in (1, 2, 3))
    (world / "etc" / "hosts").write_text(names)
    (world / "etc" / "sysconfig" / "watchdog").touch()  # 9_operations.sh asks for it


def _by_bash(world: Path) -> Iterator[tuple[str, ...]]:
    """Yield node and words of each pcs command, of the scripts in the order of their numbers."""
    for number in range(1, 11):
        (script,) = (world / "root").glob(f"{number}_*.sh")
        subprocess.run(
            ["bash", script.name], cwd=script.parent, env={"PATH": f"{world}/bin", "NODE": ""},
            stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=20,
        )  # fmt: skip
    for line in (world / "record").read_text().splitlines():
        yield tuple(line.replace(str(world), "").removesuffix("\t").split("\t"))


def _by_us() -> Iterator[tuple[str, ...]]:
    for one in walk_through(read_tree(SCRIPTS)).replay.done:
        known = all(map(is_known, one.call.arguments))  # the live cluster has the others
        if known and one.call.program == "pcs" and one.call.place.file != "uninstall.sh":
            yield (one.call.host, *one.call.arguments)


def test_bash_runs_the_pcs_commands_that_we_collect(world: Path) -> None:
    ran, collected = list(_by_bash(world)), list(_by_us())
    # Which of two branches holds is not known before; bash took else.
    collected.remove(next(one for one in collected if "route-flat" in one))
    assert len(ran) > 250
    assert collected == ran
