# ruff: noqa: E501  (commands stand as they would be typed)
"""Commands of crmsh, replayed: each case against the CIB that crmsh itself made of it.

tests/data/crm/cases.txt has the cases, tests/captured/crmsh/ what crmsh made (scripts/capture-crm).
"""

from __future__ import annotations

import json
import re
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from pacefab.legacy.cluster.model import ReplayedCluster, ReplayedGroup, ReplayedResource
from pacefab.legacy.interpreter.walkthrough import Walk, walk_through
from pacefab.legacy.migrate import migrate_tree
from pacefab.legacy.model import Fate, Migration, ReportLine
from pacefab.legacy.source import SourceFile, Tree

ROOT = Path(__file__).resolve().parents[1]
CASES = (ROOT / "data" / "crm" / "cases.txt").read_text(encoding="utf-8")
VERSIONS: dict[str, dict[str, str]] = {
    file.stem: json.loads(file.read_text())["cibs"]
    for file in sorted((ROOT / "captured" / "crmsh").glob("*.json"))
}
CIBS = VERSIONS["4.4.0"]
PARTS = re.split(r"^## (.*)\n", CASES, flags=re.MULTILINE)[1:]
SCRIPTS = {head.split()[0]: body for head, body in zip(PARTS[::2], PARTS[1::2], strict=True)}
MARKS = {head.split()[0]: head.partition(" ")[2] for head in PARTS[::2]}
# What crmsh 5 with Pacemaker 3 refuses: ms and master, and what the newest schema lacks.
NOT_IN_5 = {name for name, body in SCRIPTS.items() if re.search(r"\b(ms|master) ", body)} | {
    "location-two-rules",
    "primitive-operation-without-interval",
    "clone-promotable-old-names",
    "erase",
}
TODAY = {"Master": "Promoted", "Slave": "Unpromoted"}
OLD_META = {"master-max": "promoted-max", "master-node-max": "promoted-node-max"}
Facts = dict[str, Any]


def tree_of(**files: str) -> Tree:
    texts = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    return Tree({path: SourceFile(path, text) for path, text in texts.items()})


def walked(script: str) -> Walk:
    return walk_through(tree_of(a_sh=script))


def migrated(script: str, **files: str) -> Migration:
    return migrate_tree(tree_of(a_sh=script, **files), "folder", "cluster")


def at(done: Migration, line: int, file: str = "a.sh") -> list[ReportLine]:
    return [one for one in done.entries if (one.place.file, one.place.line) == (file, line)]


# What the CIB says, in terms of what the inventory can say.


def referred(element: Any) -> Any:
    own_id = element.get("id-ref")
    return element.getroottree().xpath(f"//*[@id='{own_id}']")[0] if own_id else element


def nvpairs(element: Any, path: str) -> dict[str, str]:
    found = {}
    for pair in element.xpath(f"./{path}"):
        for one in [pair] if pair.tag == "nvpair" else referred(pair).xpath("./nvpair"):
            found[one.get("name") or referred(one).get("name")] = referred(one).get("value") or ""
    return found


def meta_of(element: Any) -> dict[str, str]:
    found = {
        OLD_META.get(k, k): TODAY.get(v, v) for k, v in nvpairs(element, "meta_attributes").items()
    }
    plain = {("target-role", "Started"), ("is-managed", "true"), ("maintenance", "false")}
    return {k: v for k, v in found.items() if (k, v) not in plain}


def primitive_of(element: Any) -> Facts:
    agent = ":".join(filter(None, (element.get(k) for k in ("class", "provider", "type"))))
    params, meta, operations = nvpairs(element, "instance_attributes"), meta_of(element), {}
    if element.get("template"):
        base = primitive_of(
            element.getroottree().xpath(f"//template[@id='{element.get('template')}']")[0]
        )
        agent, params, meta = base["agent"], {**base["params"], **params}, {**base["meta"], **meta}
        operations = dict(base["operations"])
    for one in element.xpath("./operations/op"):
        values = {k: v for k, v in one.attrib.items() if k not in {"id", "name", "interval"}}
        values |= nvpairs(one, "instance_attributes")
        values = {k: TODAY.get(v, v) if k == "role" else v for k, v in values.items()}
        operations[
            one.get("name"), one.get("interval", "0").removesuffix("s"), values.get("role", "")
        ] = values
    return {"agent": agent, "params": params, "meta": meta, "operations": operations}


def members(one: Any) -> list[str]:
    return [ref.get("id") for ref in one.xpath("./resource_ref")]


def set_pairs(
    constraint: Any, what: str, *, backwards: bool
) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Return the pairs that sets come to: who is first, who follows (Pacemaker Explained)."""
    sets = [
        ([(name, one.get(what, "")) for name in members(one)], one.get("sequential") != "false")
        for one in constraint.xpath("./resource_set")
    ]
    pairs: list[tuple[tuple[str, str], tuple[str, str]]] = []
    for names, sequential in sets:
        if sequential:
            pairs += [(b, a) if backwards else (a, b) for a, b in pairwise(names)]
    for (names, sequential), (later, later_sequential) in pairwise(sets):
        if backwards:
            pairs += product(
                names[:1] if sequential else names, later[-1:] if later_sequential else later
            )
        else:
            pairs += product(
                names[-1:] if sequential else names, later[:1] if later_sequential else later
            )
    return pairs


def order_facts(one: Any) -> set[tuple[str, ...]]:
    kind, symmetrical = one.get("kind", "Mandatory"), one.get("symmetrical", "true")
    if one.get("first"):
        action = one.get("first-action", "start")
        then_action = one.get("then-action", action)
        return {
            ("order", one.get("first"), action, one.get("then"), then_action, kind, symmetrical)
        }
    return {
        ("order", first, action or "start", then, then_action or "start", kind, symmetrical)
        for (first, action), (then, then_action) in set_pairs(one, "action", backwards=False)
    }


def colocation_facts(one: Any) -> set[tuple[str, ...]]:
    if one.get("rsc"):
        pairs = [
            (
                (one.get("rsc"), one.get("rsc-role", "")),
                (one.get("with-rsc"), one.get("with-rsc-role", "")),
            )
        ]
    else:
        pairs = set_pairs(one, "role", backwards=True)
    return {
        (
            "colocation",
            name,
            TODAY.get(role, role),
            other,
            TODAY.get(other_role, other_role),
            one.get("score"),
        )
        for (name, role), (other, other_role) in pairs
    }


def location_facts(one: Any) -> set[tuple[str, ...]]:
    names = (
        [one.get("rsc")]
        if one.get("rsc")
        else [name for each in one.xpath("./resource_set") for name in members(each)]
    )
    wheres = [(one.get("node"), "", "", one.get("score"))] if one.get("node") else []
    for rule in one.xpath("./rule"):
        for side in rule.xpath("./expression"):
            test = side.get("attribute"), side.get("operation"), side.get("value", "")
            node = test[2] if test[:2] == ("#uname", "eq") else ""
            wheres.append(
                (
                    node,
                    "" if node else " ".join(test[:2]),
                    "" if node else test[2],
                    rule.get("score"),
                )
            )
    return {
        ("location", name, *where, one.get("resource-discovery", ""))
        for name in names
        for where in wheres
    }


def cib_facts(text: str) -> Facts:
    root: Any = etree.fromstring(text)
    clones = {}
    for one in root.xpath("//clone|//master"):
        meta = meta_of(one)
        promotable = one.tag == "master" or meta.pop("promotable", "") in {"true", "yes"}
        clones[one.xpath("./primitive|./group")[0].get("id")] = (one.get("id"), promotable, meta)
    renamed = {clone: f"{inside}-clone" for inside, (clone, _, _) in clones.items()}
    constraints: set[tuple[str, ...]] = set()
    readers = {
        "rsc_order": order_facts,
        "rsc_colocation": colocation_facts,
        "rsc_location": location_facts,
    }
    for one in root.xpath("//constraints/*"):
        constraints |= readers[one.tag](one) if one.tag in readers else {(one.tag,)}
    return {
        "resources": {one.get("id"): primitive_of(one) for one in root.xpath("//primitive")},
        "groups": {one.get("id"): ([m.get("id") for m in one.xpath("./primitive")], meta_of(one)) for one in root.xpath("//group")},
        "clones": {inside: (promotable, meta) for inside, (_, promotable, meta) in clones.items()},
        "constraints": {tuple(renamed.get(word, word) for word in one) for one in constraints},
        "properties": nvpairs(root, "crm_config/cluster_property_set"),
        "defaults": nvpairs(root, "rsc_defaults/meta_attributes"),
        "operation defaults": nvpairs(root, "op_defaults/meta_attributes"),
        "nodes": {one.get("uname"): nvpairs(one, "instance_attributes") for one in root.xpath("//node")},
    }  # fmt: skip


# What was replayed, in the same terms.


def resource_facts(one: ReplayedResource, agent: str) -> Facts:
    operations = {}
    for words in one.operations:
        values = {k: v for k, v in words.items() if k not in {"name", "interval"}}
        key = words["name"], words.get("interval", "0").removesuffix("s"), values.get("role", "")
        operations[key] = values
    return {
        "agent": agent,
        "params": one.parameters,
        "meta": {} if one.copies else full_meta(one, one.meta),
        "operations": operations,
    }


def full_meta(one: ReplayedResource | ReplayedGroup, meta: dict[str, str]) -> dict[str, str]:
    plain = {("is-managed", "true"), ("maintenance", "false")}
    shown = {key: value for key, value in meta.items() if (key, value) not in plain}
    return {**shown, **({"target-role": "Stopped"} if one.disabled else {})}


def constraint_facts(cluster: ReplayedCluster) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for one in cluster.constraints:
        options = one.options
        if one.kind == "order":
            kind, symmetrical = options.get("kind", "Mandatory"), options.get("symmetrical", "true")
            first, then = one.resources
            found.add(
                (
                    "order",
                    first,
                    options["first_action"],
                    then,
                    options["then_action"],
                    kind,
                    symmetrical,
                )
            )
        elif one.kind == "colocation":
            name, other = one.resources
            found.add(
                (
                    "colocation",
                    name,
                    options.get("role", ""),
                    other,
                    options.get("with_role", ""),
                    options["score"],
                )
            )
        else:
            test = (
                f"{options['attribute']} {options['operation']}" if "attribute" in options else ""
            )
            found.add(
                (
                    "location",
                    one.resources[0],
                    options.get("node", ""),
                    test,
                    options.get("value", ""),
                    options["score"],
                    options.get("resource_discovery", ""),
                )
            )
    return found


def replayed_facts(cluster: ReplayedCluster) -> Facts:
    resources = {name: resource_facts(one, one.agent) for name, one in cluster.resources.items()}
    resources |= {
        name: resource_facts(one, f"stonith:{one.agent}") for name, one in cluster.fencing.items()
    }
    both: list[ReplayedResource | ReplayedGroup] = [
        *cluster.resources.values(),
        *cluster.groups.values(),
    ]
    return {
        "resources": resources,
        "groups": {name: (one.members, {} if one.copies else full_meta(one, one.meta)) for name, one in cluster.groups.items()},
        "clones": {one.id: (one.copies == "promotable", full_meta(one, one.clone_meta)) for one in both if one.copies},
        "constraints": constraint_facts(cluster),
        "properties": {name: value.text for name, value in cluster.properties.items()},
        "defaults": {name: value.text for name, value in cluster.defaults.items()},
        "operation defaults": {name: value.text for name, value in cluster.operation_defaults.items()},
        "nodes": {name: {key: value.text for key, value in cluster.attributes.get(name, {}).items()} for name in cluster.nodes},
    }  # fmt: skip


def named(*marks: str) -> list[str]:
    return [name for name, mark in MARKS.items() if mark in marks]


def last(name: str) -> tuple[Migration, int]:
    """Return the migration of a case, and the number of its script's last line."""
    script = SCRIPTS["base"] + SCRIPTS[name].rstrip() + "\n"
    return migrated(script), script.count("\n")


@pytest.mark.parametrize("name", named("", "same"))
def test_what_is_replayed_is_what_crmsh_makes(name: str) -> None:
    assert (name in CIBS) == (MARKS[name] == ""), "whether crmsh changed the CIB"
    script = SCRIPTS["base"] + (SCRIPTS[name] if name != "base" else "")
    walk = walked(script)
    assert replayed_facts(walk.replay.cluster) == cib_facts(CIBS.get(name, CIBS["base"]))
    if MARKS[name] == "" and "mistake" not in name:
        assert {one.entry.fate for one in walk.replay.done} <= {Fate.TRANSLATED, Fate.LEFT_OUT}


@pytest.mark.parametrize("name", [name for name in named("") if name not in NOT_IN_5])
def test_what_is_replayed_is_what_crmsh_5_makes(name: str) -> None:
    script = SCRIPTS["base"] + (SCRIPTS[name] if name != "base" else "")
    ours = replayed_facts(walked(script).replay.cluster)
    theirs = cib_facts(VERSIONS["5.0.0"][name])
    for one, (_, meta) in theirs["clones"].items():  # crmsh 5 interleaves clones by itself
        if "interleave" not in ours["clones"][one][1]:
            meta.pop("interleave", None)  # not of what is loaded
    for facts in (ours, theirs):  # it writes a unit behind each time
        for resource in facts["resources"].values():
            for words in resource["operations"].values():
                words |= {key: value.removesuffix("s") for key, value in words.items()}
    assert ours == theirs


@pytest.mark.parametrize("name", named("refused"))
def test_what_crmsh_refuses_changes_nothing_and_is_reported(name: str) -> None:
    done, line = last(name)
    assert {one.fate for one in at(done, line)} & {Fate.DOUBTFUL, Fate.LEFT_OUT}
    cluster = walked(SCRIPTS["base"] + SCRIPTS[name]).replay.cluster
    assert replayed_facts(cluster) == cib_facts(CIBS.get(name, CIBS["base"]))


@pytest.mark.parametrize("name", named("untranslated"))
def test_what_crmsh_takes_and_an_inventory_cannot_hold_is_reported(name: str) -> None:
    assert name in CIBS
    done, line = last(name)
    assert Fate.UNTRANSLATED in {one.fate for one in at(done, line)}


def test_a_query_changes_nothing() -> None:
    assert "reads" not in CIBS
    first = SCRIPTS["base"].count("\n")
    done = migrated(SCRIPTS["base"] + SCRIPTS["reads"])
    said = [one for one in done.entries if one.place.line > first]
    assert {one.fate for one in said} == {Fate.LEFT_OUT}
    assert len(said) == SCRIPTS["reads"].rstrip().count("\n") + 1
    assert {one.reason for one in said} == {"it only queries"}


def test_the_cases_are_as_many_as_they_are_to_be() -> None:
    assert len(CIBS) > 150
    assert sum(len(re.findall(r"\bcrm\b", body)) for body in SCRIPTS.values()) > 200


# Where commands stand, and where they come from.

NODES = "ssh n1 crm cluster init -y -n lab -N n2\n"


def lines_of(done: Migration, fate: Fate) -> list[tuple[str, int]]:
    return [(one.place.file, one.place.line) for one in done.entries if one.fate is fate]


def test_a_command_stands_at_its_own_line_in_a_here_document() -> None:
    script = "crm configure <<EOF\nprimitive x \\\n  ocf:heartbeat:Dummy \\\n  op monitor interval=9\n\n# no\nprimitive y ocf:heartbeat:Dummy\nEOF\n"
    for text in (script, script.replace("EOF\np", "'EOF'\np", 1)):
        done = migrated(NODES + text)
        assert lines_of(done, Fate.TRANSLATED) == [("a.sh", 1), ("a.sh", 3), ("a.sh", 8)]


def test_a_file_has_its_own_lines() -> None:
    done = migrated(
        NODES + "crm -f b.crm\ncrm configure load update c.crm\n",
        b_crm="configure\nprimitive x ocf:heartbeat:Dummy\n",
        c_crm="group g x y\n\nprimitive y ocf:heartbeat:Dummy\n",
    )
    assert lines_of(done, Fate.TRANSLATED) == [
        ("a.sh", 1),
        ("b.crm", 2),
        ("c.crm", 1),
        ("c.crm", 3),
    ]
    assert "it reads commands from b.crm" in at(done, 2)[0].reason
    assert "it loads c.crm" in at(done, 3)[0].reason


def test_a_file_that_is_missing_is_reported_where_it_is_read() -> None:
    done = migrated(
        NODES
        + "crm -f absent.crm\ncrm configure load update absent.txt\ncrm configure load xml update x.xml\n"
    )
    for line in (2, 3, 4):
        assert [one.fate for one in at(done, line)] == [Fate.UNTRANSLATED]
    assert "absent.crm, which is not in the folder" in at(done, 2)[0].reason


@pytest.mark.parametrize(
    "command",
    [
        "ssh n1 crm configure primitive x ocf:heartbeat:Dummy",
        'ssh n1 "crm configure primitive x ocf:heartbeat:Dummy op monitor interval=10s"',
        "sudo crm configure primitive x ocf:heartbeat:Dummy",
        "/usr/sbin/crm configure primitive x ocf:heartbeat:Dummy",
        "ssh n1 crm configure <<'EOF'\nprimitive x ocf:heartbeat:Dummy\nEOF",
        "cat <<'EOF' | crm configure\nprimitive x ocf:heartbeat:Dummy\nEOF",
        "crm configure <<< 'primitive x ocf:heartbeat:Dummy'",
        "crm < b.crm",
        "cat b.crm | ssh n1 crm -f -",
        "crm -f - <<'EOF'\nconfigure primitive x ocf:heartbeat:Dummy\nEOF",
        "CRM='crm -F configure'\n$CRM primitive x ocf:heartbeat:Dummy",
        'c() { crm configure "$@"; }\nc primitive x ocf:heartbeat:Dummy',
        "crm configure show x || crm configure primitive x ocf:heartbeat:Dummy",
        "crm configure show | grep -q xx || crm configure primitive x ocf:heartbeat:Dummy",
        "if ! crm resource status x; then crm configure primitive x ocf:heartbeat:Dummy; fi",
        "crm cib new draft\ncrm -c draft configure primitive x ocf:heartbeat:Dummy\ncrm cib commit draft",
        "crm <<'EOF'\ncib new draft\nconfigure primitive x ocf:heartbeat:Dummy\ncib commit draft\nEOF",
    ],
)  # fmt: skip
def test_every_way_to_a_command_is_followed(command: str) -> None:
    text = "configure\nprimitive x ocf:heartbeat:Dummy\n"
    files = {"b_crm": text} if "b.crm" in command else {}
    walk = walk_through(tree_of(a_sh=NODES + command + "\n", **files))
    assert list(walk.replay.cluster.resources) == ["x"]
    done = migrated(NODES + command + "\n", **files)
    assert {Fate.UNTRANSLATED, Fate.DOUBTFUL}.isdisjoint(
        one.fate for one in done.entries if one.place.line
    )
    assert "\n  x:\n    agent: ocf:heartbeat:Dummy" in done.inventory


def test_a_shadow_cib_that_is_never_committed_changes_nothing() -> None:
    done = migrated(
        NODES + "crm cib new draft\ncrm -c draft configure primitive x ocf:heartbeat:Dummy\n"
    )
    assert at(done, 3)[0].fate is not Fate.TRANSLATED
    assert "draft" in at(done, 3)[0].reason


def test_what_is_known_at_run_time_alone_is_reported_with_its_reason() -> None:
    script = "crm configure primitive x ocf:heartbeat:IPaddr2 ip=$(dig +short web)\ncrm configure group g x y\ndig web | crm configure\n"
    done = migrated(NODES + script)
    for line in (2, 3, 4):
        assert [one.fate for one in at(done, line)] == [Fate.UNTRANSLATED]
    assert "dig" in at(done, 2)[0].reason
    assert "it names x, which could not be translated (a.sh:2)" in at(done, 3)[0].reason


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("crm frobnicate", "there is no command frobnicate"),
        ("crm configure frobnicate x", "there is no command frobnicate on its level configure"),
        ("crm configure 'primitive x ocf:heartbeat:Dummy'", "there is no command primitive x"),
        ("crm configure primitive x ocf:heartbeat:Dummy params \"fake='one\"", "No closing quotation"),
        ("crm configure order o Mandatory: nowhere x", "there is no resource nowhere at this point"),
        ("crm configure monitor nowhere 10s", "there is no resource nowhere"),
    ],
)  # fmt: skip
def test_what_crmsh_does_not_accept_is_reported_with_its_reason(command: str, why: str) -> None:
    (entry,) = at(migrated(NODES + command + "\n"), 2)
    assert (entry.fate, why in entry.reason) == (Fate.DOUBTFUL, True), entry


@pytest.mark.parametrize(
    "command",
    [
        "crm status", "crm", "crm configure", "crm --version", "crm ra list ocf", "crm history info",
        "crm configure edit", "crm configure ptest", "crm configure save /tmp/x", "crm node standby c1",
        "crm node online c1", "crm node maintenance c1", "crm resource cleanup d", "crm resource restart d",
        "crm resource locate d", "crm resource failcount d show c1", "crm cluster start",
        "crm cluster wait_for_startup 30", "crm corosync show", "crm report /tmp/r", "crm help configure",
    ],
)  # fmt: skip
def test_what_is_no_configuration_is_left_out(command: str) -> None:
    done = migrated(NODES + command + "\n")
    assert {one.fate for one in at(done, 2)} <= {Fate.LEFT_OUT}
    assert at(done, 2) or "--version" in command


def test_what_moves_a_resource_is_left_out_and_what_stays_of_it_is_reported() -> None:
    done = migrated(
        NODES + "crm configure primitive d ocf:heartbeat:Dummy\ncrm resource migrate d n2\n"
    )
    assert {one.fate for one in at(done, 3)} == {Fate.LEFT_OUT, Fate.DOUBTFUL}


def test_a_cluster_has_the_nodes_that_init_join_and_node_name() -> None:
    script = "ssh n1 crm cluster init -y --name lab -N n2,n3\nssh n4 crm cluster join -y -c n1\ncrm configure node 5: n5\n"
    walk = walked(script)
    assert list(walk.replay.cluster.nodes) == ["n1", "n2", "n3", "n4", "n5"]
    assert walk.replay.cluster.name is not None
    assert walk.replay.cluster.name.text == "lab"
    old = walked("ssh n1 ha-cluster-init -y\nssh n2 ha-cluster-join -y -c n1\n")
    assert list(old.replay.cluster.nodes) == ["n1", "n2"]


def test_the_node_where_a_cluster_begins_may_have_no_name() -> None:
    done = migrated("crm cluster init -y -n lab -N n2\ncrm configure location l x 5: n1\n")
    made, doubt = at(done, 1)
    assert (made.fate, made.reason) == (
        Fate.TRANSLATED,
        "cluster lab of the node where it is run, n2",
    )
    assert doubt.fate is Fate.DOUBTFUL
    assert "a member, and nothing names it" in doubt.reason
    named = migrated("ssh n1 crm cluster init -y -n lab -N n2\n")
    assert [one.fate for one in at(named, 1)] == [Fate.TRANSLATED]


def test_where_no_node_is_known_each_shell_says_so() -> None:
    done = migrated("crm configure <<EOF\nprimitive x ocf:heartbeat:Dummy\nEOF\n")
    assert [one.fate for one in at(done, 1)] == [Fate.UNTRANSLATED]
    assert "whose nodes no script names" in at(done, 1)[0].reason
    assert [one.fate for one in at(done, 2)] == [Fate.TRANSLATED]


def test_the_same_line_on_another_node_is_no_mistake() -> None:
    script = "for n in n1 n2; do ssh $n crm configure primitive x ocf:heartbeat:Dummy; ssh $n crm configure location l x 10: n1; done\n"
    done = migrated(NODES + script)
    assert {one.fate for one in at(done, 2)} == {Fate.TRANSLATED}


def test_a_secret_does_not_leave_the_script() -> None:
    done = migrated(
        NODES
        + "crm configure primitive f stonith:fence_ipmilan params ip=192.0.2.9 pcmk_host_list='n1 n2' password=hushhush\n"
    )
    assert "hushhush" not in done.inventory + str(done.entries)
    later = migrated(
        NODES
        + "crm configure primitive d ocf:heartbeat:Dummy\ncrm resource param d set password hushhush\ncrm configure set d.password hushhush\ncrm resource secret d set password hushhush\necho 'frobnicate set password hushhush' | crm\n"
    )
    assert "hushhush" not in later.inventory + str(later.entries)
    assert "secret: f_password" in done.inventory


def test_a_clone_of_another_name_is_named_with_the_one_that_it_has_in_the_inventory() -> None:
    script = "crm configure <<EOF\nprimitive s ocf:pacemaker:Stateful\nms ms_s s\nlocation l ms_s 10: n1\nEOF\n"
    done = migrated(NODES + script)
    assert "s-clone, which is ms_s here" in at(done, 4)[0].reason
    assert "{resource: s-clone, node: n1, score: 10}" in done.inventory


@pytest.mark.parametrize(
    "first",
    [
        "primitive x ocf:heartbeat:Dummy params rule 10: site eq a fake=1",
        "primitive x heartbeat:apache",
        "primitive x ocf:heartbeat:Dummy params '$id-ref=elsewhere'",
        "bundle x docker image=example",
        "tag x d",
    ],
)
def test_what_names_an_object_that_is_not_translated_is_not_mistaken(first: str) -> None:
    script = f"crm configure primitive d ocf:heartbeat:Dummy\ncrm configure {first}\ncrm configure order o Mandatory: d x\ncrm configure delete x\n"
    done = migrated(NODES + script)
    assert [one.fate for one in at(done, 3)] == [Fate.UNTRANSLATED]
    assert "it names x, which could not be translated (a.sh:3)" in at(done, 4)[0].reason
    assert "what it deletes could not be translated" in at(done, 5)[0].reason


def test_a_constraint_of_a_template_is_reported() -> None:
    script = "crm configure rsc_template t ocf:heartbeat:Dummy\ncrm configure primitive d @t\ncrm configure location l t 10: n1\n"
    (entry,) = at(migrated(NODES + script), 4)
    assert (entry.fate, "the template t" in entry.reason) == (Fate.UNTRANSLATED, True)


def test_what_a_move_by_hand_has_left_is_not_taken_over() -> None:
    script = "crm configure primitive d ocf:heartbeat:Dummy\ncrm configure location cli-prefer-d d rule inf: '#uname' eq n1\ncrm configure location l d 50: n1\n"
    done = migrated(NODES + script)
    assert [one.fate for one in at(done, 3)] == [Fate.DOUBTFUL]
    assert "{resource: d, node: n1, score: 50}" in done.inventory


def test_a_file_of_unknown_contents_does_not_take_away_what_is_there() -> None:
    script = "crm configure primitive d ocf:heartbeat:Dummy\ncrm configure show > /root/all\nsed -i s/a/b/ /root/all\ncrm configure load replace /root/all\n"
    done = migrated(NODES + script)
    assert [one.fate for one in at(done, 2)] == [Fate.TRANSLATED]
    assert [one.fate for one in at(done, 5)] == [Fate.UNTRANSLATED]


def test_a_file_that_a_here_document_writes_has_the_lines_of_the_script() -> None:
    script = "cat > /root/bs.txt <<EOF\nproperty \\$id=cib-bootstrap-options \\\n  stonith-enabled=false\nprimitive d ocf:heartbeat:Dummy \\\n  operations \\$id=d-operations \\\n  op monitor interval=10\nrsc_defaults resource-stickiness=5\nEOF\ncrm configure load update /root/bs.txt\n"
    done = migrated(NODES + script)
    assert lines_of(done, Fate.TRANSLATED) == [("a.sh", 1), ("a.sh", 3), ("a.sh", 5), ("a.sh", 8)]


def test_what_changes_nothing_is_left_out_also_below_a_condition() -> None:
    script = "if grep -q a /etc/there; then\ncrm configure primitive x ocf:heartbeat:Dummy\ncrm configure commit\nelse\ncrm resource cleanup x\ncrm node standby n1\ncrm configure primitive x ocf:heartbeat:Dummy\nfi\ncrm configure location l x 5: n1\n"
    done = migrated(NODES + script)
    fates = {line: {one.fate for one in at(done, line)} for line in (3, 4, 6, 7, 8, 10)}
    assert fates == {
        3: {Fate.UNTRANSLATED}, 4: {Fate.LEFT_OUT}, 6: {Fate.LEFT_OUT}, 7: {Fate.LEFT_OUT},
        8: {Fate.UNTRANSLATED}, 10: {Fate.UNTRANSLATED},
    }  # fmt: skip
    assert "it names x, which could not be translated" in at(done, 10)[0].reason


def test_what_a_wrapper_is_handed_stands_where_it_is_called() -> None:
    script = 'c() {\n  crm configure "$@"\n}\nd() {\n  crm "$@"\n}\nd configure primitive x ocf:heartbeat:Dummy\n'
    assert lines_of(migrated(NODES + script), Fate.TRANSLATED) == [("a.sh", 1), ("a.sh", 8)]


def test_a_clone_that_crmsh_5_would_interleave_is_reported_as_such() -> None:
    script = "crm configure primitive d ocf:heartbeat:Dummy\ncrm configure clone cl d\n"
    assert "crmsh 5 sets interleave=true" in at(migrated(NODES + script), 3)[0].advice
    given = script.replace("cl d", "cl d meta interleave=false")
    assert "interleave" not in at(migrated(NODES + given), 3)[0].advice


def test_what_comes_through_a_pipe_stands_in_its_file() -> None:
    text = "configure\nprimitive x ocf:heartbeat:Dummy\n"
    done = migrated(NODES + "cat b.crm | ssh n1 crm -f -\n", b_crm=text)
    assert lines_of(done, Fate.TRANSLATED) == [("a.sh", 1), ("b.crm", 2)]
