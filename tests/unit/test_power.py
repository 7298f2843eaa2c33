"""The process of a cluster's boards: it lives as long as the cluster's folder."""

from __future__ import annotations

import ipaddress
import shutil
import stat
from pathlib import Path

import pytest

from pacefab.harness import power
from pacefab.harness.errors import HarnessUsageError
from pacefab.harness.power import BoardFault, wiring
from pacefab.waiting import Pending, wait_until

# Its boards listen on 127.0.0.3: on one address, as those of a cluster.
LOOPBACK = ipaddress.IPv4Network("127.0.0.2/31")


def serves(folder: Path) -> bool:
    """Whether a process is the boards of a folder."""
    found = (path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline"))
    return any(b"power.boards" in line and str(folder).encode() in line for line in found)


def test_boards_end_with_their_folder(tmp_path: Path) -> None:
    folder = tmp_path / "dev"
    folder.mkdir()
    power.start(folder, LOOPBACK, {"c1": "no-such-container"})
    assert serves(folder)
    shutil.rmtree(folder)
    assert wait_until(lambda: not serves(folder) or Pending(), 30, poll=0.1) is True


def test_the_passwords_are_for_the_owner_only(tmp_path: Path) -> None:
    wiring.write(tmp_path, wiring.plan(LOOPBACK, {"c1": "one", "c2": "two"}))
    assert stat.S_IMODE((tmp_path / wiring.FILE).stat().st_mode) == 0o600
    boards = wiring.read(tmp_path).boards
    assert boards["c1"].password != boards["c2"].password
    assert boards["c1"].port != boards["c2"].port


def test_faults_are_planted_and_taken_away(tmp_path: Path) -> None:
    wiring.write(tmp_path, wiring.plan(LOOPBACK, {"c1": "one", "c2": "two"}))
    power.plant(tmp_path, "c2", BoardFault.SLOW, BoardFault.WRONG_STATE)
    boards = wiring.read(tmp_path).boards
    assert boards["c1"].faults == ()
    assert boards["c2"].faults == (BoardFault.SLOW, BoardFault.WRONG_STATE)
    power.plant(tmp_path, "c2")
    assert wiring.read(tmp_path).boards["c2"].faults == ()
    with pytest.raises(HarnessUsageError, match="c3"):
        power.plant(tmp_path, "c3", BoardFault.SLOW)


def test_senders_of_other_networks_are_strangers() -> None:
    wired = wiring.plan(ipaddress.IPv4Network("172.18.0.0/16"), {"c1": "one"})
    assert wired.address == "172.18.0.1"
    assert wired.is_reached_from("172.18.0.12")
    assert not wired.is_reached_from("172.19.0.12")
