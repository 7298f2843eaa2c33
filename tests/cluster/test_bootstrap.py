"""Bare hosts become a cluster, nodes come and go; judged by corosync's and Pacemaker's own words.

The tests share the hosts and build on each other, in the order of the file.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from pacefab.harness.parallel import on_all
from pacefab.harness.program import run
from tests.cluster import eyes
from tests.cluster.eyes import Done

HACLUSTER = "not the one in any log 27"
SECRETS = {"PACEFAB_SECRET_HACLUSTER": HACLUSTER}
NO_FENCING = 'fencing: {disabled: true, reason: "containers have no power switch"}'
SLEEP = "/bin/sleep 7777"  # stands for a service: its pid shows whether somebody disturbed it
SLEEPING = "ocf:heartbeat:anything binfile=/bin/sleep cmdline_options=7777"
PIDS = f"pgrep -x pacemakerd; pgrep -x corosync; pgrep -fx '{SLEEP}'"

FENCE_AGENT = r"""#!/bin/sh
# A fence agent whose power switch is a file: it writes down its orders, from fenced's stdin.
while read -r line; do
  case $line in
  action=*) action=${line#*=} ;;
  plug=*) plug=${line#*=} ;;
  passwd=*) passwd=${line#*=} ;;
  esac
done
case ${action:-$2} in
metadata)
  cat <<'XML'
<?xml version="1.0" ?>
<resource-agent name="fence_test" shortdesc="Fence agent of a test">
<longdesc>Writes down its orders.</longdesc><vendor-url/>
<parameters>
<parameter name="action" unique="0" required="1"><getopt mixed="-o"/>
<content type="string" default="reboot"/><shortdesc lang="en">Fencing action</shortdesc></parameter>
<parameter name="plug" unique="0" required="0"><getopt mixed="-n"/>
<content type="string"/><shortdesc lang="en">Which machine</shortdesc></parameter>
<parameter name="ip" unique="0" required="1"><getopt mixed="-a"/>
<content type="string"/><shortdesc lang="en">Where its switch is</shortdesc></parameter>
<parameter name="passwd" unique="0" required="0"><getopt mixed="-p"/>
<content type="string"/><shortdesc lang="en">Password of the switch</shortdesc></parameter>
</parameters>
<actions><action name="on" automatic="0"/><action name="off"/><action name="reboot"/>
<action name="status"/><action name="monitor"/><action name="metadata"/></actions>
</resource-agent>
XML
  ;;
on | off | reboot) printf '%s %s %s\n' "$action" "$plug" "$passwd" >>/var/log/fence_test ;;
esac
"""


def inventory(folder: Path, nodes: Cluster, fencing: str = NO_FENCING, name: str = "test") -> str:
    """Write an inventory of these nodes; return its path."""
    hosts = [
        f"  - {{name: {node}, address: 192.0.2.{11 + place}}}\n"
        for place, node in enumerate(nodes.nodes)
    ]
    rest = "properties: {no-quorum-policy: stop}\ndefaults: {resource-stickiness: 100}\n"
    file = folder / "inventory.yaml"
    file.write_text(f"cluster: {name}\nnodes:\n{''.join(hosts)}{rest}{fencing}\n")
    return str(file)


def fab_argv(nodes: Cluster, *words: str, ssh_config: Path | None = None) -> list[str]:
    """Return how fab is run on hosts that only the inventory names."""
    fab = Path(sys.executable).with_name("fab")
    return [str(fab), "-S", str(ssh_config or nodes.ssh_config), *words]


def fab(
    nodes: Cluster,
    *words: str,
    env: Mapping[str, str] = SECRETS,
    ssh_config: Path | None = None,
) -> Done:
    """Run fab so, to its end."""
    argv = fab_argv(nodes, *words, ssh_config=ssh_config)
    return run(argv, timeout=600, check=False, env=eyes.environment(**env), cwd=REPOSITORY_ROOT)


def pids(nodes: Cluster, names: Sequence[str]) -> list[str]:
    """Return the processes of cluster and service on some nodes."""
    return [nodes.run(name, PIDS, check=False).stdout for name in names]


def members(nodes: Cluster, node: str) -> set[str]:
    """Return the nodes that are online, by Pacemaker's word on one of them."""
    shown = nodes.run(node, "crm_mon --one-shot --output-as=xml", check=False).stdout
    return set(re.findall(r'<node name="([^"]+)"[^>]* online="true"', shown))


def ring(nodes: Cluster, node: str) -> set[str]:
    """Return the addresses in a node's corosync.conf; none where there is no such file."""
    text = nodes.run(node, "cat /etc/corosync/corosync.conf", check=False).stdout
    return set(re.findall(r"ring0_addr: (\S+)", text))


def assert_formed(nodes: Cluster) -> None:
    everyone = set(nodes.nodes)
    for place, node in enumerate(nodes.nodes):
        assert members(nodes, node) == everyone
        assert f"192.0.2.{11 + place}" in ring(nodes, node)
        enabled = nodes.run(node, "systemctl is-enabled corosync pacemaker pcsd").stdout
        assert enabled.split() == ["enabled"] * 3
        assert nodes.run(node, "pcs status pcsd").stdout.count("Online") == len(everyone)
        assert "Quorate:          Yes" in nodes.run(node, "corosync-quorumtool").stdout


@contextmanager
def watched(nodes: Cluster, node: str, secret: str) -> Iterator[None]:
    """Fail when the secret is ever seen in a process' arguments, or stays in a log or a file."""
    look = "grep -aqFf /root/secret /proc/[0-9]*/cmdline && touch /root/seen"
    nodes.run(node, "cat >/root/secret", stdin=secret)
    loop = f"setsid sh -c 'while :; do {look}; sleep 0.05; done'"
    nodes.run(node, f"{loop} >/dev/null 2>&1 & echo $! >/root/watcher")
    yield
    nodes.run(node, "kill -- -$(cat /root/watcher)")
    assert nodes.run(node, "ls /root/seen", check=False).stdout == ""
    logs = "grep -rlFf /root/secret /var/log /etc /var/lib/pacemaker /var/lib/pacefab /tmp; "
    logs += "journalctl --no-pager | grep -Ff /root/secret"
    assert nodes.run(node, logs, check=False).stdout == ""
    nodes.run(node, "rm /root/secret")


@pytest.fixture(scope="module")
def file(bare_nodes: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    return inventory(tmp_path_factory.mktemp("inventory"), bare_nodes)


@pytest.fixture(scope="module")
def formed(bare_nodes: Cluster, file: str) -> Cluster:
    """The hosts as a cluster, made by a user who needs a password for sudo."""
    nodes, password = bare_nodes, {"FABRIC_SUDO_PASSWORD": bare_nodes.clerk_password}
    clerk = nodes.folder / "ssh_config_clerk"
    clerk.write_text(nodes.ssh_config.read_text().replace("User root", "User clerk"))
    with watched(nodes, nodes.nodes[0], HACLUSTER):
        given = SECRETS | password
        done = fab(nodes, "bootstrap", "--inventory", file, env=given, ssh_config=clerk)
    assert done.returncode == 0, done.stdout + done.stderr
    assert HACLUSTER not in done.stdout + done.stderr
    return nodes


def test_without_a_word_on_fencing_nothing_is_touched(bare_nodes: Cluster, tmp_path: Path) -> None:
    done = fab(bare_nodes, "bootstrap", "--inventory", inventory(tmp_path, bare_nodes, ""))
    eyes.assert_refused(done, "corrupt data", "disabled: true", "fence_ipmilan", status=2)
    for node in bare_nodes.nodes:
        assert bare_nodes.run(node, "command -v pcs; ls /var/lib/pacefab", check=False).stdout == ""


def test_a_missing_secret_is_reported_before_anything_changes(
    bare_nodes: Cluster, file: str
) -> None:
    done = fab(bare_nodes, "bootstrap", "--inventory", file, env={})
    eyes.assert_refused(done, "hacluster", "PACEFAB_SECRET_HACLUSTER", status=2)
    assert bare_nodes.run(bare_nodes.nodes[0], "command -v pcs", check=False).stdout == ""


def test_an_address_that_the_host_does_not_have(bare_nodes: Cluster, tmp_path: Path) -> None:
    wrong = Path(inventory(tmp_path, bare_nodes))
    wrong.write_text(wrong.read_text().replace("192.0.2.12", "192.0.2.99"))
    done = fab(bare_nodes, "bootstrap", "--inventory", str(wrong))
    eyes.assert_refused(done, bare_nodes.nodes[1], "no address 192.0.2.99", "192.0.2.12", status=1)


def test_bare_hosts_become_a_cluster(formed: Cluster) -> None:
    assert_formed(formed)
    cib = formed.run(formed.nodes[0], "cibadmin --query").stdout
    for name, value in (
        ("no-quorum-policy", "stop"),
        ("stonith-enabled", "false"),
        ("resource-stickiness", "100"),
        ("pacefab-fencing-disabled-reason", "containers have no power switch"),
    ):
        assert re.search(rf'name="{name}" value="{value}"', cib)
    assert "dc-deadtime" not in cib


def test_a_second_run_changes_nothing(formed: Cluster, file: str) -> None:
    before = eyes.cib_state(formed), pids(formed, formed.nodes)
    done = fab(formed, "bootstrap", "--inventory", file, env={})  # no secret is asked for
    assert done.returncode == 0, done.stdout + done.stderr
    assert "unchanged" in done.stdout
    assert (eyes.cib_state(formed), pids(formed, formed.nodes)) == before


KEPT = """
cat /var/lib/pcsd/pcsd.crt /var/lib/pcsd/pcsd.key /var/lib/pcsd/known-hosts | tr -d '\n '
systemctl show --value --property MainPID corosync pacemaker
"""


@pytest.mark.long
def test_certificates_and_tokens_are_renewed_while_the_cluster_runs(
    formed: Cluster, file: str
) -> None:
    """Nodes trust each other by new tokens only, and nothing but pcsd has started again."""
    few = fab(formed, "-H", formed.nodes[0], "renew", "--inventory", file)
    eyes.assert_refused(few, "name every member", status=1)
    before = [formed.run(node, KEPT).stdout.splitlines() for node in formed.nodes]
    token = formed.run(formed.nodes[0], "grep -o '\"token\".*' /var/lib/pcsd/known-hosts").stdout
    done = fab(formed, "renew", "--inventory", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert HACLUSTER not in done.stdout + done.stderr
    after = [formed.run(node, KEPT).stdout.splitlines() for node in formed.nodes]
    for old, new in zip(before, after, strict=True):
        assert (old[0] != new[0], old[1:]) == (True, new[1:])
    assert token not in formed.run(formed.nodes[1], "cat /var/lib/pcsd/known-hosts").stdout
    assert_formed(formed)


def test_another_clusters_hosts_are_refused(formed: Cluster, tmp_path: Path) -> None:
    before = eyes.cib_state(formed)
    done = fab(formed, "bootstrap", "--inventory", inventory(tmp_path, formed, name="mine"))
    eyes.assert_refused(done, "runs in cluster test", *formed.nodes, "form cluster mine", status=1)
    assert eyes.cib_state(formed) == before


def test_a_node_leaves_and_comes_back_while_others_run_on(formed: Cluster, file: str) -> None:
    first, *_, last = formed.nodes
    stay = formed.nodes[:-1]
    formed.run(first, f"pcs resource create sleep {SLEEPING} clone && crm_resource --wait")
    before = pids(formed, stay)
    assert all(len(each.split()) == 3 for each in before)
    done = fab(formed, "remove-node", "--yes", "--node", last, "--inventory", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert members(formed, first) == set(stay)
    assert ring(formed, last) == set()
    again = fab(formed, "remove-node", "--yes", "--node", last, "--inventory", file)
    assert "no member" in again.stdout
    done = fab(formed, "add-node", "--node", last, "--inventory", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_formed(formed)
    assert pids(formed, stay) == before
    formed.run(first, "crm_resource --wait && pcs resource delete sleep")


def test_a_node_that_joins_serves_what_the_others_do(formed: Cluster, file: str) -> None:
    first, *_, last = formed.nodes
    cached = Path(file).with_name("cached.yaml")
    cached.write_text(f"{Path(file).read_text()}services: {{memcached: {{}}}}\n")
    deploy = ("deploy", "--yes", "--inventory", str(cached))
    done = fab(formed, *deploy)
    assert done.returncode == 0, done.stdout + done.stderr
    done = fab(formed, "remove-node", "--yes", "--node", last, "--inventory", file)
    assert done.returncode == 0, done.stdout + done.stderr
    formed.run(last, "apt-get purge -y memcached")

    done = fab(formed, *deploy)

    assert done.returncode == 0, done.stdout + done.stderr
    assert_formed(formed)
    assert eyes.started_on(formed, first) == list(formed.nodes)
    assert "STORED" in eyes.talk(formed, first, "192.0.2.13", r"set k 0 60 5\r\nhello\r\n")


def test_a_history_that_a_node_cannot_show_is_said_to_be_incomplete(
    formed: Cluster, file: str
) -> None:
    *_, last = formed.nodes
    formed.run(last, "systemctl stop ssh.socket ssh")
    try:
        done = fab(formed, "history", "--inventory", file)
    finally:
        formed.run(last, "systemctl start ssh")
    assert "add clone memcached-clone" in done.stdout
    eyes.assert_refused(done, last, status=1)
    pruned = fab(formed, "deploy", "--yes", "--prune", "--allow-interruption", "--inventory", file)
    assert pruned.returncode == 0, pruned.stdout + pruned.stderr
    assert eyes.started_on(formed, formed.nodes[0]) == []


def test_a_node_with_the_only_place_of_a_resource_stays(formed: Cluster, file: str) -> None:
    last = formed.nodes[-1]
    others = " ".join(formed.nodes[:-1])
    formed.run(last, "pcs resource create only ocf:pacemaker:Dummy")
    formed.run(last, f"pcs constraint location only avoids {others} && crm_resource --wait")
    done = fab(formed, "remove-node", "--yes", "--node", last, "--inventory", file)
    eyes.assert_refused(done, "nothing else could run: only", "--allow-interruption", status=1)
    assert members(formed, last) == set(formed.nodes)
    formed.run(last, "pcs resource delete only")


def test_no_node_leaves_when_the_rest_would_have_no_quorum(formed: Cluster, file: str) -> None:
    first, second, last = formed.nodes
    formed.run(last, "pcs cluster stop")
    done = fab(formed, "remove-node", "--yes", "--node", second, "--inventory", file)
    eyes.assert_refused(done, "only 1 would be online: no quorum", status=1)
    assert members(formed, first) == {first, second}
    # A stopped member is started by the next bootstrap.
    assert fab(formed, "bootstrap", "--inventory", file).returncode == 0
    assert_formed(formed)


@pytest.mark.long
def test_a_reinstalled_member_joins_again(formed: Cluster, file: str) -> None:
    last = formed.nodes[-1]
    formed.run(last, "pcs cluster destroy --yes || pcs cluster destroy")
    done = fab(formed, "bootstrap", "--inventory", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "it was reinstalled" in done.stdout
    assert_formed(formed)


def test_what_a_fence_agent_calls_is_in_the_plan_of_a_cluster_that_stands(
    formed: Cluster, tmp_path: Path
) -> None:
    boards = (f"{node}: {{ip: 192.0.2.20{n}}}" for n, node in enumerate(formed.nodes, 1))
    device = (
        "fencing: {devices: {bmc: {agent: fence_ipmilan, parameters: {username: admin}, "
        f"per_node: {{{', '.join(boards)}}}}}}}}}"
    )
    done = fab(formed, "plan", "--inventory", inventory(tmp_path, formed, device))
    assert done.returncode == 2, done.stdout + done.stderr
    first, *_ = formed.nodes
    # Debian 13's agent depends on it, Debian 12's package of all agents does not.
    assert re.search("package fence-agents(-ipmilan)? installed with apt-get", done.stdout)
    assert "package ipmitool installed with apt-get" in done.stdout
    formed.run(first, "install -m 755 /bin/true /usr/sbin/fence_ipmilan")
    formed.run(first, "install -m 755 /bin/true /usr/bin/ipmitool")
    try:
        again = fab(formed, "plan", "--inventory", inventory(tmp_path, formed, device))
    finally:
        formed.run(first, "rm /usr/sbin/fence_ipmilan /usr/bin/ipmitool")
    assert f"{first}\n  package" not in again.stdout
    assert f"{', '.join(formed.nodes[1:])}\n  package" in again.stdout


def test_a_killed_node_is_fenced_by_the_inventorys_device(formed: Cluster, tmp_path: Path) -> None:
    first, second, last = formed.nodes
    install = "cat >/usr/sbin/fence_test && chmod 755 /usr/sbin/fence_test"
    on_all(lambda node: formed.run(node, install, stdin=FENCE_AGENT), formed.nodes)
    device = (
        "fencing: {devices: {switch: {agent: fence_test, nodes: ["
        + ", ".join(formed.nodes)
        + "], parameters: {ip: 192.0.2.1, passwd: {secret: switch}}}}}"
    )
    secrets = SECRETS | {"PACEFAB_SECRET_SWITCH": "very secret"}
    file = inventory(tmp_path, formed, device)
    done = fab(formed, "bootstrap", "--inventory", file, env=secrets)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "very secret" not in done.stdout + done.stderr
    cib = formed.run(first, "cibadmin --query").stdout
    assert re.search(r'name="stonith-enabled" value="true"', cib)
    assert fab(formed, "bootstrap", "--inventory", file, env=secrets).stdout.count("unchanged") > 1
    formed.container(last).kill()
    survivors = [first, second]
    log = "cat /var/log/fence_test 2>/dev/null"
    eyes.until(
        lambda: any(last in formed.run(node, log, check=False).stdout for node in survivors),
        f"{last} is fenced",
        seconds=90,
    )
    logs = [formed.run(node, log, check=False).stdout for node in survivors]
    assert [f"reboot {last} very secret\n"] == [text for text in logs if text]
    for node in survivors:
        eyes.until(partial(is_off, formed, node, last), f"{node} knows that it was fenced")


def is_off(cluster: Cluster, node: str, other: str) -> bool:
    """Whether Pacemaker on a node takes another one for offline, and has no doubt about it."""
    seen = cluster.run(node, "crm_mon --one-shot --output-as=xml").stdout
    (found,) = re.findall(rf'<node name="{other}" .*online=.*', seen)
    return 'online="false"' in found and 'unclean="false"' in found


@pytest.mark.long
def test_a_node_that_is_gone_for_good_is_taken_out_unasked(formed: Cluster, file: str) -> None:
    first, second, last = formed.nodes
    leave = ["remove-node", "--yes", "--node", last, "--inventory", file]
    done = fab(formed, *leave, "--gone")
    assert done.returncode == 0, done.stdout + done.stderr
    assert members(formed, first) == {first, second}
    # It comes back all the same, and does not know.
    formed.restart_node(last)
    done = fab(formed, "bootstrap", "--inventory", file)
    eyes.assert_refused(done, f"{last} was taken out", "pcs cluster destroy", status=1)


@pytest.mark.long
def test_killed_at_each_stage_the_next_run_does_the_rest(formed: Cluster, file: str) -> None:
    take_apart = "pcs cluster destroy --yes >/dev/null || pcs cluster destroy"
    on_all(lambda node: formed.run(node, take_apart, timeout=180), formed.nodes)
    purge = "dpkg --purge --force-all pcs pacemaker"
    on_all(lambda node: formed.run(node, purge, timeout=180), formed.nodes)
    for moment in ("installing", "setting up", "starting the"):
        kill_at(moment, fab_argv(formed, "bootstrap", "--inventory", file))
    done = fab(formed, "bootstrap", "--inventory", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_formed(formed)
    assert "pacefab-forming" not in formed.run(formed.nodes[0], "cibadmin --query").stdout


def kill_at(moment: str, argv: Sequence[str]) -> None:
    """Run fab until it reports that something begins, and kill it then."""
    environment = eyes.environment(**SECRETS)
    with subprocess.Popen(
        argv, cwd=REPOSITORY_ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if f" {moment} " in line:
                break
        process.send_signal(signal.SIGKILL)
    assert f" {moment} " in said, said
