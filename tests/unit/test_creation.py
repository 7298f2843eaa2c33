"""create-NAME, from what nodes answered to a line for each: what is made, asked, refused."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pacefab.errors import PacefabError, RefusedError, UsageError
from pacefab.host.model import FileState, HostFacts, Interface, Mark, Outcome, Unit
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import Configuration, Membership
from pacefab.pacemaker.word import Cause, Placement
from pacefab.services import registry
from pacefab.services.probes.probe import Probe, Reading
from pacefab.tasks.stack import creation_of
from pacefab.transport.connection import Host
from pacefab.workflows.checks import probing
from pacefab.workflows.checks.probing import ProbeResult
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout import rollout
from pacefab.workflows.rollout.creation import Creation
from pacefab.workflows.rollout.desired import Intent
from pacefab.workflows.rollout.planning import Plan, Planner
from pacefab.workflows.rollout.rollout import Rollout
from pacefab.workflows.transaction.transaction import Transaction
from tests.unit import captured
from tests.unit.test_view import CIB, Answers, Silent, view

EMPTY = captured.text("debian12", "cib-empty.xml")
OTHER = CIB.replace('id="memcached-clone"', 'id="cl_cache"').replace('id="memcached"', 'id="cache"')
DIFFERENT = CIB.replace('name="interleave" value="true"', 'name="interleave" value="false"')
STARTED = captured.text("debian12", "monitor-started.xml")
FILE = "/etc/memcached.conf"
EVERYWHERE = frozenset({"c1", "c2", "c3"})
STANDBY = Cause("c3 is in standby", "pcs node unstandby c3", resource="memcached", node="c3")


def facts(number: int, **changes: Any) -> HostFacts:
    """Return a node with memcached installed, listening at its own address, not running."""
    unit = changes.pop("unit", Unit("memcached.service", "loaded", "inactive", "disabled", 0))
    text = changes.pop("text", f"-m 64\n-p 11211\n-l 10.0.0.{number}\n")
    found = HostFacts(
        name=f"c{number}",
        distribution="debian 12",
        memory_mib=1024,
        family="debian",
        manager="apt-get",
        interfaces=(Interface("eth0", f"10.0.0.{number}", 24),),
        packages={"memcached": "1.6.18"},
        units={"memcached.service": unit},
        files={FILE: FileState(text, "640", "root:adm")},
    )
    return replace(found, **changes)


@dataclass
class Fake:
    """A cluster as its nodes answer, and the operator: what was patched, shown and reported."""

    cib: str
    nodes: Mapping[int, HostFacts] = field(default_factory=lambda: {n: facts(n) for n in (1, 2, 3)})
    silent: tuple[int, ...] = ()
    monitor: str = STARTED
    placement: Placement = field(default_factory=lambda: Placement({"memcached": EVERYWHERE}))
    wrong: str = ""  # what every instance answers
    patched: bool = False
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    state: str = field(default_factory=tempfile.mkdtemp)

    def observe(self, *_: Any) -> ClusterView:
        """Return the view, with nodes' facts as given."""
        metadata = {"metadata systemd:memcached": captured.text("debian12", "metadata.xml")}
        text = CIB if self.patched else self.cib
        hosts = [
            Silent(f"c{n}", n)
            if n in self.silent
            else Answers(f"c{n}", n, cib=text, monitor=self.monitor, **metadata)
            for n in (1, 2, 3)
        ]
        seen = view(*hosts)
        views = {v.facts.name: replace(v, facts=self.nodes[int(v.facts.name[1:])])
                 for v in seen.views.values()}  # fmt: skip
        return replace(seen, views=views)

    def foresee(self, *_: Any) -> Any:
        """Return that nothing moves, and what runs where then."""
        return (), self.placement

    def patch(self, _host: Host, cib: Cib, again: Any, *_: Any, **_options: Any) -> Cib:
        """Take the new CIB."""
        assert again(cib) is not None
        self.patched = True
        return cib

    def restore(self, *_: Any) -> None:
        """Put the old CIB back."""
        self.patched = False

    def put(self, _: Mapping[str, Host], probes: Sequence[Probe]) -> list[ProbeResult]:
        """Serve, and note where that was asked."""
        self.asked += [probe.at for probe in probes]
        return [ProbeResult(probe, Reading(self.wrong)) for probe in probes]

    # The operator, who agrees to everything.
    def show(self, plan: Plan, _reason: str) -> None:
        """See a plan."""
        self.said.append(f"shown: {'; '.join(plan.summary)}")

    def note(self, _host: str, text: str) -> None:
        """Hear what is going on."""
        self.said.append(text)

    def ask(self, _step: str, question: str) -> None:
        """Agree."""
        self.said.append(question)

    def waiting(self, _host: str, _text: str) -> None:
        """Hear of a wait."""

    def preview(self, _lines: Sequence[str]) -> None:
        """See nothing: rollouts show plans."""

    def finished(self, _outcome: Outcome) -> None:
        """Hear that a host is done."""


def create(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, *, update: bool = False, keep: bool = False
) -> dict[str, Outcome]:
    """Run create-memcached without an inventory; return the lines by host."""
    monkeypatch.setenv("XDG_STATE_HOME", str(fake.state))
    monkeypatch.setattr(rollout, "observe_cluster", fake.observe)
    monkeypatch.setattr(apply_cib, "foresee", fake.foresee)
    monkeypatch.setattr(apply_cib, "patch", fake.patch)
    monkeypatch.setattr(apply_cib, "restore_after", fake.restore)
    monkeypatch.setattr(apply_cib, "settle_plan", lambda *_: None)
    monkeypatch.setattr(probing, "put", fake.put)
    section = registry.service("memcached").default
    intent = Intent(
        Membership("", ()), {"memcached": section}, ("memcached",), Configuration(),
        lambda _: "", recognised=True,
    )  # fmt: skip
    hosts = cast("dict[str, Host]", dict.fromkeys(sorted(EVERYWHERE)))
    flow = Rollout(
        Creation(Planner(intent, nodes=False, whole=False), update),
        asks_of_additions=False, by_node=True, reach=hosts.__getitem__, step="create-memcached",
        keep_on_failure=keep, timeout=0,
    )  # fmt: skip
    return {outcome.host: outcome for outcome in flow.run(hosts, fake)}


def test_what_is_not_there_is_created_and_every_node_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(EMPTY)
    lines = create(fake, monkeypatch)
    cluster, *nodes = lines.values()
    assert (cluster.mark, cluster.notes) == (Mark.CHANGED, ("memcached-clone created",))
    assert [line.host for line in nodes] == ["c1", "c2", "c3"]
    assert nodes[0].notes == ("Started, serves at 10.0.0.1:11211 (asked from c2)",)
    assert all(line.mark is Mark.CHANGED for line in nodes)
    (said,) = fake.said  # an addition is noted, neither shown nor asked about
    assert said.startswith("create memcached-clone, as: pcs resource create memcached")


def test_what_is_there_and_equal_is_only_asked_whoever_made_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = Fake(CIB)
    lines = create(fake, monkeypatch)
    assert {line.mark for line in lines.values()} == {Mark.UNCHANGED}
    assert next(iter(lines.values())).notes == ("memcached-clone is there, as desired",)
    assert len(fake.asked) == 3
    assert not fake.patched


def test_what_is_there_and_different_takes_update_and_is_asked_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = Fake(DIFFERENT)
    with pytest.raises(RefusedError, match="interleave: false -> true") as caught:
        create(fake, monkeypatch)
    assert "--update" in caught.value.next_step
    assert not fake.said
    lines = create(fake, monkeypatch, update=True)
    assert next(iter(lines.values())).notes == ("memcached-clone meta interleave: false -> true",)
    assert [said.split()[0] for said in fake.said] == ["shown:", "Apply"]


def test_none_is_made_beside_what_runs_it_by_another_name_of_its_unit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unit = Unit("memcached.service", "loaded", "active", "disabled", 7,
                names=("memcached.service", "cache.service"),
                command_line=("/usr/bin/memcached", "-l", "10.0.0.1"))  # fmt: skip
    fake = Fake(OTHER.replace('type="memcached"', 'type="cache"'))
    assert create(fake, monkeypatch)["c1"].notes  # nothing says that they are the same
    fake = replace(fake, patched=False, nodes={**fake.nodes, 1: facts(1, unit=unit)})
    with pytest.raises(RefusedError, match=r"cache\.service is already managed .* in cl_cache"):
        create(fake, monkeypatch)
    assert not fake.patched


def test_what_runs_under_another_id_is_asked_and_no_second_one_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = Fake(OTHER, monitor=STARTED.replace('"memcached', '"cache'))
    lines = create(fake, monkeypatch)
    cluster = next(iter(lines.values()))
    assert cluster.mark is Mark.UNCHANGED
    assert cluster.notes == (
        "memcached is there, under the id cl_cache (systemd:memcached); left as it is",
    )
    assert len(lines) == 4
    assert len(fake.asked) == sum("serves at" in line.notes[0] for line in lines.values()) > 0
    assert not fake.patched


def test_a_node_that_is_kept_out_is_skipped_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    placement = Placement(
        {"memcached": EVERYWHERE - {"c3"}}, against={"memcached": {"c3": STANDBY}}
    )
    lines = create(Fake(EMPTY, placement=placement), monkeypatch)
    assert (lines["c3"].mark, lines["c3"].notes) == (Mark.SKIPPED, (str(STANDBY),))
    assert lines["c2"].notes == ("Started, serves at 10.0.0.2:11211 (asked from c3)",)


def test_with_a_named_host_silent_nothing_is_created(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(EMPTY, silent=(3,))
    lines = create(fake, monkeypatch)
    assert lines["c3"].mark is Mark.UNREACHABLE
    assert [line.mark for line in lines.values() if line.host != "c3"] == [Mark.SKIPPED]
    assert not fake.patched
    again = create(Fake(CIB, silent=(3,)), monkeypatch)
    assert again["c3"].mark is Mark.UNREACHABLE
    assert again["c2"].mark is Mark.UNCHANGED


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"packages": {"memcached": None}}, "not installed"),
        ({"unit": Unit("memcached.service", "masked", "inactive", "masked", 0)}, "masked"),
        ({"text": "-l 127.0.0.1\n"}, "127.0.0.1"),
        ({"distribution": "plan9 4", "family": None, "manager": None}, "plan9 4"),
    ],
)
def test_what_would_start_and_not_serve_is_refused_with_its_node(
    monkeypatch: pytest.MonkeyPatch, changes: Mapping[str, Any], said: str
) -> None:
    nodes = {1: facts(1), 2: facts(2, **changes), 3: facts(3)}
    fake = Fake(EMPTY, nodes)
    with pytest.raises(PacefabError, match=said) as caught:
        create(fake, monkeypatch)
    assert caught.value.host == "c2"
    assert not fake.patched


@pytest.mark.parametrize("keep", [False, True])
def test_what_does_not_serve_is_taken_back_unless_it_is_to_be_kept(
    monkeypatch: pytest.MonkeyPatch, keep: bool
) -> None:
    fake = Fake(EMPTY, wrong="timeout")
    with pytest.raises(PacefabError, match="timeout") as caught:
        create(fake, monkeypatch, keep=keep)
    assert fake.patched is keep
    assert "files" not in caught.value.next_step


def test_without_an_inventory_a_service_has_its_defaults_or_needs_one() -> None:
    hosts: list[str] = []
    run: Any = SimpleNamespace(
        inventory=None, limit=8, secret=str, reach_rest=None, gather=lambda _: None,
        transaction=Transaction,
        named=lambda: hosts.append("c1"),
    )  # fmt: skip
    flow = creation_of(run, "memcached", update=False)
    assert hosts
    assert flow.planner.look().packages == ("memcached",)
    with pytest.raises(UsageError, match="inventory"):
        creation_of(run, "haproxy", update=False)
