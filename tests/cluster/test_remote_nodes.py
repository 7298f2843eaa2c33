"""Bare hosts become remote nodes of a cluster, are lost, come back and leave; judged by Pacemaker.

The tests share the hosts and build on each other, in the order of the file.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.harness import formation
from pacefab.harness.cluster import Cluster
from pacefab.harness.errors import HarnessError
from pacefab.harness.parallel import on_all
from pacefab.waiting import Pending, wait_until
from tests.cluster import eyes
from tests.cluster.eyes import Done
from tests.cluster.test_bootstrap import NO_FENCING, fab

MEMBERS = ("c1", "c2", "c3")
REMOTES = ("r1", "r2")
KEY = "/etc/pacemaker/authkey"
EDGE = """\
services: {memcached: {}}
resources: {sensor: {agent: "ocf:pacemaker:Dummy"}}
constraints:
  location: [{resource: sensor, attribute: site, operation: ne, value: edge, score: -INFINITY}]
"""
# A key is no text, so it is looked for by its first bytes, in hexadecimal digits.
SEEN = f"""
key=$(head -c 24 {KEY} | od -An -tx1 | tr -d ' \\n')
cat /proc/[0-9]*/cmdline | od -An -v -tx1 | tr -d ' \\n' | grep -c "$key"
"""
KEPT = f"""
key=$(head -c 24 {KEY} | od -An -tx1 | tr -d ' \\n')
find /var/log /var/lib/pacefab /tmp -type f | while read -r file; do
    ! od -An -v -tx1 "$file" | tr -d ' \\n' | grep -q "$key" || echo "$file"
done
"""


def written(folder: Path, cluster: Cluster, name: str, rest: str = "") -> str:
    """Write an inventory of the hosts; return its path."""
    hosts = [f"  - {{name: {n}, address: {cluster.address(n)}}}\n" for n in MEMBERS]
    for node, more in zip(REMOTES, ("attributes: {site: edge}", "attributes: {}"), strict=True):
        at = cluster.address(node)
        hosts.append(f"  - {{name: {node}, address: {at}, role: remote, {more}}}\n")
    file = folder / f"{name}.yaml"
    file.write_text(f"cluster: {cluster.name}\nnodes:\n{''.join(hosts)}{NO_FENCING}\n{rest}")
    return str(file)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inventory")


@pytest.fixture(scope="module")
def formed(remote_hosts: Cluster, folder: Path) -> Cluster:
    done = fab(remote_hosts, "bootstrap", "--inventory", written(folder, remote_hosts, "bare"))
    assert done.returncode == 0, done.stdout + done.stderr
    return remote_hosts


@pytest.fixture(scope="module")
def file(formed: Cluster, folder: Path) -> str:
    return written(folder, formed, "edge", EDGE)


def reported(cluster: Cluster) -> str:
    return cluster.run("c2", "crm_mon -1 -r").stdout


def await_reported(cluster: Cluster, *words: str) -> None:
    """Wait until crm_mon says all of this."""

    def look() -> str | Pending:
        text = reported(cluster)
        return text if all(word in text for word in words) else Pending(text)

    found = wait_until(look, 90)
    assert not isinstance(found, Pending), found.seen


def assert_well(done: Done) -> None:
    assert done.returncode == 0, done.stdout + done.stderr


def keys(cluster: Cluster) -> set[str]:
    every = (*MEMBERS, *REMOTES)
    sums = on_all(lambda n: cluster.run(n, f"sha256sum <{KEY}").stdout, every)
    return set(sums)


@pytest.mark.every_image
def test_bare_hosts_become_remote_nodes(formed: Cluster, folder: Path) -> None:
    await_reported(formed, "Online: [ c1 c2 c3 ]", "RemoteOnline: [ r1 r2 ]")
    assert len(keys(formed)) == 1
    for node in REMOTES:
        state = formed.run(node, f"stat -c '%a %U:%G' {KEY}").stdout.strip()
        assert state == "640 root:haclient"
        assert formed.run(node, "systemctl is-enabled pacemaker_remote").stdout == "enabled\n"
        assert formed.run(node, "command -v pacemakerd corosync pcs", check=False).stdout == ""
    again = fab(formed, "bootstrap", "--inventory", written(folder, formed, "bare"))
    assert eyes.outcomes(again, "bootstrap") == {formed.name: "unchanged"}, (
        again.stdout + again.stderr
    )
    # No member: corosync does not know it, and it has no vote.
    assert "Expected votes:   3" in formed.run("c1", "corosync-quorumtool").stdout


def test_a_connection_is_as_pcs_makes_it(formed: Cluster) -> None:
    own = formed.run("c1", "cibadmin -Q --xpath \"//primitive[@id='r2']\"").stdout
    options = f"ocf:pacemaker:remote server={formed.address('r2')} reconnect_interval=60s --force"
    make = f"cibadmin --empty >/tmp/f && pcs -f /tmp/f resource create r2 {options}"
    theirs = formed.run("c1", f"{make} && CIB_file=/tmp/f cibadmin -Q --xpath //primitive").stdout
    formed.run("c1", "rm /tmp/f")

    def meant(xml: str) -> list[str]:
        """Return elements with their attributes but for ids, whose times pcs writes both ways."""
        found = ET.fromstring(xml).iter()  # noqa: S314  # our nodes
        return sorted(f"{e.tag} {sorted({**e.attrib, 'id': ''}.items())}" for e in found)

    assert meant(own) == meant(theirs)


def test_services_stay_on_members_and_what_is_placed_there_runs_there(
    formed: Cluster, file: str
) -> None:
    assert_well(fab(formed, "deploy", "--yes", "--inventory", file))
    await_reported(formed, "Started: [ c1 c2 c3 ]", "Stopped: [ r1 r2 ]", "Dummy):\t Started r1")
    plan = fab(formed, "plan", "--inventory", file)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert "#kind" not in plan.stdout

    status = fab(formed, "status", "--inventory", file)
    assert_well(status)
    assert "memcached serves on 3 of 3 nodes" in status.stdout
    shown = json.loads(fab(formed, "status", "--json", "--inventory", file).stdout)
    assert [node["node"] for node in shown["nodes"] if node.get("remote")] == list(REMOTES)
    for line in ("     Started: [ c1 c2 c3 ]", "     Stopped: [ r1 r2 ]"):
        assert line in fab(formed, "status", "--format", "classic", "--inventory", file).stdout


def answers(cluster: Cluster, node: str) -> bool:
    """Whether a member gets an answer of memcached at a node's address."""
    with suppress(HarnessError):
        return "VERSION" in eyes.talk(cluster, "c1", cluster.address(node), r"version\r\n")
    return False


def test_a_service_is_placed_on_remote_nodes_by_their_attribute(
    formed: Cluster, folder: Path, file: str
) -> None:
    on_edge = EDGE.replace("memcached: {}", "memcached: {nodes: {site: edge}, memory: 32}")
    placed = written(folder, formed, "placed", on_edge)
    deploy = ("deploy", "--yes", "--allow-interruption", "--inventory", placed)
    assert_well(fab(formed, *deploy))
    await_reported(formed, "Started: [ r1 ]", "Stopped: [ c1 c2 c3 r2 ]")
    assert [node for node in (*MEMBERS, *REMOTES) if answers(formed, node)] == ["r1"]
    there = "dpkg-query -W memcached || rpm -q memcached"
    assert not formed.run("r2", there, check=False).stdout
    assert formed.run("r1", "systemctl is-enabled memcached", check=False).stdout == "disabled\n"
    plan = fab(formed, "plan", "--inventory", placed)
    assert (plan.returncode, plan.stdout.splitlines()[-1]) == (0, "nothing to do"), plan.stdout

    status = fab(formed, "status", "--inventory", placed)
    assert_well(status)
    assert "memcached serves on 1 of 1 nodes" in status.stdout
    shown = fab(formed, "-H", "c1", "status")  # the cluster itself says where it is
    assert_well(shown)
    assert "memcached serves on 1 of 1 nodes" in shown.stdout
    assert_well(fab(formed, "verify-memcached", "--inventory", placed))
    clients = fab(formed, "client-config", "--json", "--inventory", placed)
    assert formed.address("r1") in clients.stdout
    assert formed.address("c1") not in clients.stdout

    changed = written(folder, formed, "more", on_edge.replace("memory: 32", "memory: 48"))
    assert_well(fab(formed, "deploy", "--yes", "--update", "--inventory", changed))
    assert "-m 48" in formed.run("r1", "ps -C memcached -o args=").stdout
    assert_well(fab(formed, "rollback", "--number", "2", "--yes", "--allow-interruption",
                    "--inventory", changed))  # fmt: skip
    await_reported(formed, "Started: [ c1 c2 c3 ]", "Stopped: [ r1 r2 ]")
    plan = fab(formed, "plan", "--inventory", file)
    assert plan.returncode == 0, plan.stdout + plan.stderr


def test_an_export_says_a_remote_node_by_its_role(formed: Cluster, folder: Path) -> None:
    target = folder / "found.yaml"
    assert_well(fab(formed, "-H", ",".join(MEMBERS), "export", "--to", str(target)))
    found = read_inventory(target)
    assert [node.name for node in found.remotes] == list(REMOTES)
    assert list(found.sections) == ["memcached"]
    assert list(found.resources) == ["sensor"]
    assert "property:dc-deadtime" in fab(formed, "plan", "--inventory", str(target)).stdout
    assert_well(fab(formed, "adopt", "--yes", "--inventory", str(target)))
    plan = fab(formed, "plan", "--inventory", str(target))
    assert (plan.returncode, plan.stdout.splitlines()[-1]) == (0, "nothing to do"), plan.stdout


def test_another_port_of_a_connected_node_is_refused(
    formed: Cluster, file: str, folder: Path
) -> None:
    other = folder / "port.yaml"
    role = "role: remote, attributes: {site: edge}"
    text = Path(file).read_text()
    assert role in text
    other.write_text(text.replace(role, f"{role}, connection: {{port: 3200}}"))
    done = fab(formed, "plan", "--inventory", str(other))
    eyes.assert_refused(done, "connect to r1 by port 3200", "remove-node --node r1", status=1)


def test_a_remote_node_is_changed_and_taken_back(formed: Cluster, file: str, folder: Path) -> None:
    """Its attributes, and how it is connected to, while it serves."""
    other = folder / "changed.yaml"
    more = "connection: {reconnect_interval: 30s}, attributes: {site: edge, shelf: two}"
    other.write_text(Path(file).read_text().replace("attributes: {site: edge}", more))
    said = ("nvpair[@name='shelf']", "primitive[@id='r1']//nvpair[@name='reconnect_interval']")

    def values() -> list[str]:
        root = ET.fromstring(formed.run("c1", "cibadmin -Q").stdout)  # noqa: S314  # our nodes
        return [pair.get("value", "") for path in said for pair in root.iterfind(f".//{path}")]

    assert values() == ["60s"]
    assert_well(fab(formed, "deploy", "--yes", "--allow-interruption", "--inventory", str(other)))
    assert values() == ["two", "30s"]
    plan = fab(formed, "plan", "--inventory", str(other))
    assert (plan.returncode, plan.stdout.splitlines()[-1]) == (0, "nothing to do"), plan.stdout
    assert_well(fab(formed, "rollback", "--yes", "--allow-interruption", "--inventory", str(other)))
    assert values() == ["60s"]
    await_reported(formed, "RemoteOnline: [ r1 r2 ]", "Dummy):\t Started r1")
    plan = fab(formed, "plan", "--inventory", file)
    assert plan.returncode == 0, plan.stdout + plan.stderr


def test_what_works_on_members_says_so_of_a_remote_node(formed: Cluster, file: str) -> None:
    break_it = ("--yes-break", formed.name, "--inventory", file)
    done = fab(formed, "drill", "--all", "--node", "r1", *break_it)
    eyes.assert_refused(done, "r1 is a remote node, and drills break members", status=2)
    done = fab(formed, "-H", "r1", "status", "--inventory", file)
    eyes.assert_refused(done, "r1 is a remote node, and this works on members", status=2)


def test_the_key_is_in_no_argument_and_no_output(formed: Cluster, file: str) -> None:
    for node in (*MEMBERS, *REMOTES):
        assert formed.run(node, SEEN, check=False).stdout.strip() == "0"
    assert formed.run("r1", KEPT, check=False).stdout == ""
    raw = base64.b64decode(formed.run("c1", f"base64 {KEY}").stdout)
    done = fab(formed, "plan", "--full", "--show-pcs", "--inventory", file)
    assert raw[:16] not in (done.stdout + done.stderr).encode(errors="surrogateescape")


def test_a_lost_remote_node_is_named_and_comes_back(formed: Cluster, file: str) -> None:
    formed.container("r1").kill()
    await_reported(formed, "RemoteOFFLINE: [ r1 ]")
    lost = fab(formed, "status", "--inventory", file)
    assert lost.returncode == 1, lost.stdout
    assert "the remote node r1 is offline" in lost.stdout
    eyes.assert_refused(fab(formed, "plan", "--inventory", file), "r1", "--without r1", status=1)
    assert_well(fab(formed, "plan", "--without", "r1", "--inventory", file))

    formed.container("r1").start()
    formation.wait_booted(formed.containers["r1"])
    assert_well(fab(formed, "deploy", "--yes", "--inventory", file))
    await_reported(formed, "RemoteOnline: [ r1 r2 ]", "Dummy):\t Started r1")


@pytest.mark.every_image
def test_a_daemon_that_was_stopped_is_started_and_connected_again(
    formed: Cluster, folder: Path
) -> None:
    formed.run("r2", "systemctl disable --now pacemaker_remote")
    await_reported(formed, "RemoteOFFLINE: [ r2 ]")
    done = fab(formed, "bootstrap", "--inventory", written(folder, formed, "bare"))
    assert_well(done)
    assert eyes.outcomes(done, "bootstrap")["r2"] == "changed"
    await_reported(formed, "RemoteOnline: [ r1 r2 ]")
    assert formed.run("r2", "systemctl is-enabled pacemaker_remote").stdout == "enabled\n"


def test_a_host_with_another_key_is_refused(formed: Cluster, file: str) -> None:
    formed.run("r2", f"cp -p {KEY} /root/key; head -c 4096 /dev/urandom >{KEY}")
    done = fab(formed, "bootstrap", "--inventory", file)
    eyes.assert_refused(
        done, "r2 has the key of another cluster", KEY, "nothing was changed", status=1
    )
    formed.run("r2", f"cp -p /root/key {KEY}; rm /root/key")


def test_a_remote_node_leaves_and_nothing_of_it_is_left(formed: Cluster, file: str) -> None:
    formed.run("c1", "pcs constraint location sensor prefers r1=50; pcs node attribute r1 extra=1")
    remove = ("remove-node", "--node", "r1", "--yes", "--inventory", file)
    eyes.assert_refused(fab(formed, *remove), "sensor", "--allow-interruption", status=1)
    assert_well(fab(formed, *remove, "--allow-interruption"))
    for node in MEMBERS:
        left = formed.run(node, "cibadmin -Q | grep -w r1; crm_mon -1 -r | grep -w r1", check=False)
        assert left.stdout == "", left.stdout
    assert (
        formed.run("r1", "systemctl is-active pacemaker_remote", check=False).stdout == "inactive\n"
    )
    assert formed.run("r1", f"ls {KEY}", check=False).stdout == ""

    assert_well(fab(formed, "add-node", "--node", "r1", "--inventory", file))
    await_reported(formed, "RemoteOnline: [ r1 r2 ]", "Dummy):\t Started r1")


GUEST = """\
  - {{name: r1, address: {r1}, role: remote, attributes: {{site: edge}}}}
  - {{name: g1, role: guest, attributes: {{site: inside}}}}
fencing: {{disabled: true, reason: "containers have no power switch"}}
services: {{memcached: {{}}}}
resources:
  sensor: {{agent: "ocf:pacemaker:Dummy"}}
  vm: {{agent: "ocf:pacemaker:Dummy", meta: {{remote-node: g1, remote-addr: "{g1}"}}}}
  within: {{agent: "ocf:pacemaker:Dummy"}}
constraints:
  location:
    - {{resource: sensor, attribute: site, operation: ne, value: edge, score: -INFINITY}}
    - {{resource: within, attribute: site, operation: ne, value: inside, score: -INFINITY}}
"""


@pytest.mark.long
def test_a_guest_node_runs_what_is_placed_there_and_goes_with_its_resource(
    formed: Cluster, file: str, folder: Path
) -> None:
    """The machine of the guest is the host r2, which is up already; its resource is a stand-in."""
    away = ("remove-node", "--node", "r2", "--yes", "--inventory", file)
    assert_well(fab(formed, *away))
    key = formed.run("c1", f"base64 -w0 {KEY}").stdout
    put = f"install -m 640 -g haclient /dev/null {KEY}; base64 -d >{KEY}"
    formed.run("r2", f"{put}; systemctl start pacemaker_remote", stdin=key)

    nodes = "".join(f"  - {{name: {n}, address: {formed.address(n)}}}\n" for n in MEMBERS)
    guest = folder / "guest.yaml"
    made = GUEST.format(r1=formed.address("r1"), g1=formed.address("r2"))
    guest.write_text(f"cluster: {formed.name}\nnodes:\n{nodes}{made}")
    assert_well(fab(formed, "deploy", "--yes", "--inventory", str(guest)))
    await_reported(formed, "GuestOnline: [ g1 ]", "within\t(ocf:pacemaker:Dummy):\t Started g1")
    plan = fab(formed, "plan", "--inventory", str(guest))
    assert (plan.returncode, plan.stdout.splitlines()[-1]) == (0, "nothing to do"), plan.stdout
    status = fab(formed, "status", "--inventory", str(guest))
    assert_well(status)
    assert "g1    online, guest" in status.stdout

    target = folder / "guest-found.yaml"
    assert_well(fab(formed, "-H", ",".join(MEMBERS), "export", "--to", str(target)))
    found = {node.name: node.role for node in read_inventory(target).nodes}
    assert found["g1"] == "guest"
    plan = fab(formed, "plan", "--inventory", str(target))
    assert (plan.returncode, plan.stdout.splitlines()[-1]) == (0, "nothing to do"), plan.stdout

    formed.run("c1", "crm_resource --resource vm --meta --set-parameter target-role -v Stopped")
    dummy = "(ocf:pacemaker:Dummy):\t Stopped"
    await_reported(formed, f"vm\t{dummy} (disabled)", f"within\t{dummy}")
    off = fab(formed, "status", "--inventory", str(guest))
    assert "vm is disabled" in off.stdout, off.stdout
