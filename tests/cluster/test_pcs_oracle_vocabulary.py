"""pcs is the oracle of the whole vocabulary: each construct in a file, written by pcs and by us.

Both begin with the same file, in which there are resources and fence devices. What is compared is
the whole configuration. The exceptions:
- the property set `pacefab`, our record of what is ours;
- ids that nothing refers to, where a case says so;
- `boolean-op="and"` on a rule of one expression, which pcs 0.12 writes and 0.11 does not;
- the score of a rule in a set of attributes, which pcs 0.11 writes and 0.12 does not: it says
  nothing there;
- where in a resource its sets stand: pcs appends what is given later.

What pcs cannot say (templates, events of an alert, permissions by type) is in the unit tests. So it
is for pcs 0.11 (debian12) and 0.12 (debian13), and the lines of `--show-pcs` are what pcs is given.
"""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pytest
from lxml import etree

from pacefab.cli.inventory import read_inventory
from pacefab.harness.cluster import Cluster
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker.cib import parse
from pacefab.pacemaker.metadata import Metadata, agents, complete_configuration
from pacefab.pacemaker.pcs.lines import render_pcs
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.render import render_configuration
from pacefab.workflows.nodes.view import observe_cluster
from tests.cluster import patching
from tests.cluster.fence_agent import AGENT, PROGRAM

pytestmark = pytest.mark.every_image
DUMMIES = ("a", "b", "c")
MEMBERS = ("g1",)
DEVICES = ("f1", "f2")
BASE = [
    *(f"pcs -f FILE resource create {name} ocf:pacemaker:Dummy" for name in DUMMIES),
    *(f"pcs -f FILE resource create {name} ocf:pacemaker:Dummy --group g" for name in MEMBERS),
    *(
        f"pcs -f FILE stonith create {name} fence_test ip=192.0.2.9 pcmk_host_list='c1 c2 c3'"
        for name in DEVICES
    ),
    "pcs -f FILE property set stonith-enabled=true",
]
INVENTORY: dict[str, object] = {
    "nodes": ["c1", "c2", "c3"],
    "resources": {
        **{name: {"agent": "ocf:pacemaker:Dummy"} for name in DUMMIES},
        **{name: {"agent": "ocf:pacemaker:Dummy", "group": "g"} for name in MEMBERS},
    },
    "fencing": {
        "devices": {
            name: {
                "agent": "fence_test",
                "parameters": {"ip": "192.0.2.9"},
                "nodes": ["c1", "c2", "c3"],
            }
            for name in DEVICES
        }
    },
}


@dataclass(frozen=True)
class Case:
    """A construct: what an inventory says of it, beside INVENTORY, and what pcs is given.

    `ids`: whether the ids are pcs' own too, and not only those that something refers to.
    """

    said: dict[str, object]
    lines: tuple[str, ...]
    ids: bool = True


WORKDAYS = {"operation": "date_spec", "date_spec": {"hours": "9-16", "weekdays": "1-5"}}
CASES = {
    "operation defaults": Case(
        {"operation_defaults": {"timeout": "90s"}}, ("resource op defaults update timeout=90s",)
    ),
    "a set of defaults with a rule": Case(
        {
            "default_sets": [
                {
                    "id": "calm",
                    "score": 10,
                    "rule": [{"date_expression": [WORKDAYS]}],
                    "values": {"resource-stickiness": 200},
                }
            ]
        },
        (
            (
                "resource defaults set create id=calm score=10 meta resource-stickiness=200"
                " rule 'date-spec hours=9-16 weekdays=1-5'"
            ),
        ),
        ids=False,
    ),
    "a set of operation defaults for one agent": Case(
        {
            "operation_default_sets": [
                {
                    "id": "slow",
                    "rule": [
                        {
                            "boolean_op": "and",
                            "rsc_expression": [
                                {"class": "ocf", "provider": "pacemaker", "type": "Dummy"}
                            ],
                            "op_expression": [{"name": "monitor"}],
                        }
                    ],
                    "values": {"timeout": "120s"},
                }
            ]
        },
        (
            (
                "resource op defaults set create id=slow meta timeout=120s"
                " rule 'resource ocf:pacemaker:Dummy and op monitor'"
            ),
        ),
        ids=False,
    ),
    "utilization of resources": Case(
        {
            "resources": {
                "a": {"agent": "ocf:pacemaker:Dummy", "utilization": {"cpu": 2, "memory": 512}}
            }
        },
        ("resource utilization a cpu=2 memory=512",),
    ),
    "utilization of nodes": Case(
        {"nodes": [{"name": "c1", "utilization": {"cpu": 4, "memory": 8192}}, "c2", "c3"]},
        ("node utilization c1 cpu=4", "node utilization c1 memory=8192"),
    ),
    "a cloned group": Case(
        {
            "resources": {"h1": {"agent": "ocf:pacemaker:Dummy", "group": "h"}},
            "groups": {"h": {"clone": {"interleave": True}}},
        },
        (
            "resource create h1 ocf:pacemaker:Dummy --group h",
            "resource clone h interleave=true",
        ),
    ),
    "a bundle": Case(
        {
            "bundles": {
                "web": {
                    "podman": {"image": "localhost/web:1", "replicas": 2},
                    "network": {
                        "ip_range_start": "192.0.2.50",
                        "host_netmask": 24,
                        "port_mapping": [{"port": 80}],
                    },
                    "storage": [{"source_dir": "/srv/web", "target_dir": "/var/www"}],
                }
            }
        },
        (
            (
                "resource bundle create web container podman image=localhost/web:1 replicas=2"
                " network ip-range-start=192.0.2.50 host-netmask=24 port-map port=80"
                " storage-map source-dir=/srv/web target-dir=/var/www"
            ),
        ),
        ids=False,
    ),
    "sets in an order": Case(
        {
            "constraints": {
                "order": [
                    {
                        "kind": "Optional",
                        "symmetrical": False,
                        "sets": [
                            {"resources": ["a", "b"], "sequential": False, "require_all": False},
                            {"resources": ["c", "g"], "action": "start"},
                        ],
                    }
                ]
            }
        },
        (
            (
                "constraint order set a b sequential=false require-all=false set c g action=start"
                " setoptions kind=Optional symmetrical=false"
            ),
        ),
        ids=False,
    ),
    "sets in a colocation": Case(
        {
            "constraints": {
                "colocation": [
                    {
                        "score": 100,
                        "sets": [
                            {"resources": ["a", "b"], "sequential": False},
                            {"resources": ["c", "g"], "role": "Started"},
                        ],
                    }
                ]
            }
        },
        (
            (
                "constraint colocation set a b sequential=false set c g role=Started"
                " setoptions score=100"
            ),
        ),
        ids=False,
    ),
    "a location by a pattern": Case(
        {"constraints": {"location": [{"pattern": "[ab]", "node": "c1", "score": 50}]}},
        ("constraint location 'regexp%[ab]' prefers c1=50",),
        ids=False,
    ),
    "a location by a rule with dates": Case(
        {
            "constraints": {
                "location": [
                    {
                        "resource": "a",
                        "rules": [
                            {
                                "score": 100,
                                "boolean_op": "and",
                                "expression": [
                                    {"attribute": "#uname", "operation": "eq", "value": "c1"}
                                ],
                                "date_expression": [
                                    {
                                        "operation": "in_range",
                                        "start": "2030-01-01",
                                        "end": "2031-01-01",
                                    },
                                ],
                            }
                        ],
                    }
                ]
            }
        },
        (
            (
                "constraint location a rule score=100"
                " '#uname' eq c1 and date in_range 2030-01-01 to 2031-01-01"
            ),
        ),
        ids=False,
    ),
    "a ticket": Case(
        {"constraints": {"ticket": [{"ticket": "T", "resource": "a", "loss_policy": "stop"}]}},
        ("constraint ticket add T a loss-policy=stop",),
        ids=False,
    ),
    "sets with a ticket": Case(
        {
            "constraints": {
                "ticket": [
                    {
                        "ticket": "T",
                        "loss_policy": "fence",
                        "sets": [{"resources": ["a", "b"]}, {"resources": ["c"]}],
                    }
                ]
            }
        },
        ("constraint ticket set a b set c setoptions ticket=T loss-policy=fence",),
        ids=False,
    ),
    "fencing levels": Case(
        {
            "fencing": {
                **INVENTORY["fencing"],  # type: ignore[dict-item]
                "levels": [
                    {"node": "c1", "level": 1, "devices": ["f1"]},
                    {"node": "c1", "level": 2, "devices": ["f2", "f1"]},
                    {"pattern": "c[23]", "level": 1, "devices": ["f2"]},
                    {"attribute": "rack", "value": "a", "level": 1, "devices": ["f1"]},
                ],
            }
        },
        (
            "stonith level add 1 c1 f1",
            "stonith level add 2 c1 f2 f1",
            "stonith level add 1 'regexp%c[23]' f2",
            "stonith level add 1 attrib%rack=a f1",
        ),
    ),
    "options and delays of a device": Case(
        {
            "fencing": {
                "devices": {
                    **INVENTORY["fencing"]["devices"],  # type: ignore[index]
                    "f3": {
                        "agent": "fence_test",
                        "parameters": {
                            "ip": "192.0.2.8",
                            "pcmk_host_map": "c1:1;c2:2;c3:3",
                            "pcmk_delay_base": "5s",
                            "pcmk_delay_max": "9s",
                            "pcmk_reboot_timeout": "90s",
                        },
                    },
                }
            }
        },
        (
            (
                "stonith create f3 fence_test ip=192.0.2.8 'pcmk_host_map=c1:1;c2:2;c3:3'"
                " pcmk_delay_base=5s pcmk_delay_max=9s pcmk_reboot_timeout=90s"
            ),
        ),
    ),
    "alerts": Case(
        {
            "alerts": {
                "mail": {
                    "path": "/usr/local/bin/mail",
                    "description": "for the night shift",
                    "attributes": {"server": "192.0.2.9", "sender": "c"},
                    "meta": {"timeout": "15s", "timestamp-format": "%H:%M"},
                    "recipients": [
                        "ops@example.com",
                        {
                            "value": "boss@example.com",
                            "description": "at home",
                            "attributes": {"short": "yes"},
                            "meta": {"enabled": False},
                        },
                        {"value": "/var/log/alerts", "id": "log"},
                    ],
                }
            }
        },
        (
            (
                "alert create path=/usr/local/bin/mail id=mail description='for the night shift'"
                " options server=192.0.2.9 sender=c meta timeout=15s timestamp-format=%H:%M"
            ),
            "alert recipient add mail value=ops@example.com",
            (
                "alert recipient add mail value=boss@example.com description='at home'"
                " options short=yes meta enabled=false"
            ),
            "alert recipient add mail value=/var/log/alerts id=log",
        ),
    ),
    "access control": Case(
        {
            "properties": {"enable-acl": True},
            "acls": {
                "roles": {
                    "watch": {
                        "description": "may look",
                        "permissions": [
                            {"kind": "read", "xpath": "/cib"},
                            {"kind": "read", "xpath": "/cib/status"},
                            {"kind": "deny", "reference": "f1"},
                        ],
                    },
                    "idle": {},
                },
                "users": {"alice": ["watch"]},
                "groups": {"staff": ["watch", "idle"]},
            },
        },
        (
            "property set enable-acl=true",
            (
                "acl role create watch description='may look'"
                " read xpath /cib read xpath /cib/status deny id f1"
            ),
            "acl role create idle",
            "acl user create alice watch",
            "acl group create staff watch idle",
        ),
    ),
    "tags": Case(
        {"tags": {"front": ["a", "g"], "back": ["b"]}},
        ("tag create front a g", "tag create back b"),
    ),
    "properties of fencing": Case(
        {"properties": {"fencing-timeout": "90s", "stonith-max-attempts": 5}},
        ("property set stonith-max-attempts=5", "property set stonith-timeout=90s"),
    ),
}
# pcs takes a second of a processor to begin: here it begins once, and is forked for each command.
RUN = r"""
import os, shlex, subprocess, sys
from pcs.app import main
for line in sys.stdin:
    words = shlex.split(line)
    if words[0] != "pcs":
        subprocess.run(words, check=True)
        continue
    child = os.fork()
    if child == 0:
        os.dup2(2, 1)
        sys.argv = words
        main(words[1:])
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"failed: {line}")
"""
VERIFY = r"""
cd "$(mktemp -d)"
csplit --quiet --elide-empty-files --suppress-matched - '/^@@$/' '{*}'
for each in xx*; do crm_verify --verbose --xml-file "$each" 2>&1 || echo "$each is refused"; done
"""


@pytest.fixture(scope="module")
def ready(cluster: Cluster) -> Iterator[Cluster]:
    """The session's cluster with a fence agent; no resource is ever in its own CIB."""
    if cluster.image == "rpm":
        pytest.skip("its pcs and Pacemaker are those of debian12")
    cluster.reset()
    for node in cluster.nodes:
        cluster.run(node, f"cat >{PROGRAM} && chmod 755 {PROGRAM}", stdin=AGENT)
    yield cluster
    for node in cluster.nodes:
        cluster.run(node, f"rm -f {PROGRAM}")


@pytest.fixture(scope="module")
def theirs(ready: Cluster) -> dict[str, str]:
    """What pcs makes of the base, by case; `base` is the base itself."""
    lines = [line.replace("FILE", "base.xml") for line in BASE]
    for number, case in enumerate(CASES.values()):
        lines.append(f"cp base.xml {number}.xml")
        lines += [f"pcs -f {number}.xml {line}" for line in case.lines]
    for each in ("base", *map(str, range(len(CASES)))):
        lines += [f"echo '@@ {each}'", f"cat {each}.xml"]
    script = f"cd $(mktemp -d) && cibadmin --query >base.xml && python3 -Es -c {shlex.quote(RUN)}"
    said = ready.run("c1", script, stdin="\n".join(lines), timeout=480).stdout
    parts = dict(part.split("\n", 1) for part in said.split("@@ ")[1:])
    return {"base": parts["base"], **{name: parts[str(n)] for n, name in enumerate(CASES)}}


@pytest.fixture(scope="module")
def known(ready: Cluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Metadata]:
    """What the nodes say of the agents of the base."""
    file = inventory(tmp_path_factory.mktemp("base") / "base.yaml", {})
    plans = patching.planner(file)
    seen = observe_cluster(patching.hosts(ready), plans.look(), limit=len(ready.nodes))
    return dict(seen.metadata(agents(plans.intent.base)))


def written(case: Case, base: str, known: dict[str, Metadata], file: Path) -> str:
    """Return what the product makes of the base; a second plan has nothing to do."""
    cib = parse(base)
    read = read_inventory(inventory(file, case.said))
    desired = complete_configuration(desired_configuration(read, str), known)
    plan = plan_configuration(cib, desired)
    after = render_configuration(cib, plan)
    assert plan.changes
    assert not plan_configuration(after, desired)
    return after.text()


def inventory(file: Path, said: dict[str, object]) -> Path:
    """Write an inventory (YAML has JSON in it) with more in its sections than the base has."""
    data = {"cluster": "test", **INVENTORY, **said}
    if isinstance(said.get("resources"), dict):
        data["resources"] = {**INVENTORY["resources"], **said["resources"]}  # type: ignore[dict-item]
    file.write_text(json.dumps(data))
    return file


@pytest.mark.parametrize("name", CASES)
def test_what_we_write_equals_what_pcs_writes(
    name: str, theirs: dict[str, str], known: dict[str, Metadata], tmp_path: Path
) -> None:
    case = CASES[name]
    text = written(case, theirs["base"], known, tmp_path / "case.yaml")
    pcs, own = (lines(each, ids=case.ids) for each in (theirs[name], text))
    assert pcs != lines(theirs["base"], ids=case.ids), "pcs wrote something to compare"
    found = "\n".join(unified_diff(pcs, own, "pcs", "pacefab", lineterm="", n=4))
    assert not found, found


@pytest.mark.parametrize("name", CASES)
def test_the_lines_that_are_shown_are_those_that_pcs_was_given(
    name: str, theirs: dict[str, str], known: dict[str, Metadata], tmp_path: Path
) -> None:
    read = read_inventory(inventory(tmp_path / "case.yaml", CASES[name].said))
    desired = complete_configuration(desired_configuration(read, str), known)
    shown = render_pcs(plan_configuration(parse(theirs["base"]), desired), known)
    assert Counter(map(words, shown)) == Counter(words(f"pcs {x}") for x in CASES[name].lines)


def words(line: str) -> str:
    """Return a line with its words in one order: that of options means nothing."""
    return " ".join(sorted(shlex.split(line)))


def test_pacemaker_finds_nothing_wrong_with_what_we_write(
    ready: Cluster, theirs: dict[str, str], known: dict[str, Metadata], tmp_path: Path
) -> None:
    file = tmp_path / "case.yaml"
    texts = [written(case, theirs["base"], known, file) for case in CASES.values()]
    said = ready.run("c1", VERIFY, stdin="\n@@\n".join([*texts, ""]))
    assert said.stdout.strip() == ""


def lines(text: str, *, ids: bool) -> list[str]:
    """Return a configuration in a canonical form, a line per element, without the exceptions."""
    root = etree.fromstring(text, etree.XMLParser(remove_blank_text=True)).find("configuration")
    assert root is not None
    for record in root.iterfind(".//cluster_property_set[@id='pacefab']"):
        record.getparent().remove(record)  # type: ignore[union-attr]
    kept = referred(root)
    for element in root.iter("*"):
        attributes = sorted(element.attrib.items())
        element.attrib.clear()
        element.attrib.update(attributes)
        if element.tag == "rule":
            tidy_rule(element)
        if not ids and element.get("id") not in kept:
            element.attrib.pop("id", "")
    for primitive in root.iter("primitive"):
        primitive[:] = sorted(primitive, key=lambda child: str(child.tag))
    for section in root.iterfind("*"):
        section[:] = sorted(section, key=lambda child: etree.tostring(child, method="c14n"))
    root[:] = sorted((e for e in root if len(e) or e.attrib), key=lambda e: str(e.tag))
    return etree.tostring(root, pretty_print=True, encoding="unicode").splitlines()


def tidy_rule(rule: etree._Element) -> None:
    """Take from a rule what one generation of pcs writes and another does not."""
    if len(rule) == 1:
        rule.attrib.pop("boolean-op", "")
    parent = rule.getparent()
    if parent is not None and parent.tag == "meta_attributes":
        rule.attrib.pop("score", "")


def referred(root: etree._Element) -> set[str]:
    """Return the ids of what is named by something else, or by people: resources, sets."""
    named = {"primitive", "group", "clone", "bundle", "node", "alert", "recipient", "tag"}
    return {
        str(e.get("id"))
        for e in root.iter("*")
        if e.tag in named or e.get("id") in {"calm", "slow"}
    }
