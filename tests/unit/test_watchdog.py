"""A watchdog's time is refused where SBD does not run: Pacemaker would end on every node."""

from __future__ import annotations

import pytest

from pacefab.errors import RefusedError
from pacefab.pacemaker import cib
from pacefab.pacemaker.model import Configuration
from pacefab.pacemaker.sections.watchdog import check_watchdog
from tests.unit import captured

WITHOUT = captured.text("word", "remote-cib.xml")
OWN = 'name="have-watchdog" value="'


@pytest.mark.parametrize("name", ["stonith-watchdog-timeout", "fencing-watchdog-timeout"])
@pytest.mark.parametrize("value", ["10", "10s", "-1"])
def test_without_sbd_the_cluster_would_end(name: str, value: str) -> None:
    desired = Configuration(properties={name: value})
    with pytest.raises(RefusedError, match="SBD does not run here"):
        check_watchdog(cib.parse(WITHOUT), desired)
    with_sbd = WITHOUT.replace(f"{OWN}false", f"{OWN}true")
    assert with_sbd != WITHOUT
    check_watchdog(cib.parse(with_sbd), desired)


@pytest.mark.parametrize("value", ["0", "0s"])
def test_none_is_no_time(value: str) -> None:
    none = Configuration(properties={"stonith-watchdog-timeout": value})
    check_watchdog(cib.parse(WITHOUT), none)
    check_watchdog(cib.parse(WITHOUT), Configuration())
