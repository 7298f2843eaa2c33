"""Reaching hosts: names, ports, keys, host keys, privilege. What is refused changes nothing."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from pacefab.harness.nodes import free_port
from tests.cluster import eyes
from tests.cluster.eyes import Done

Rewrite = Callable[[str], str]


@pytest.fixture(scope="module")
def bare(cluster: Cluster) -> Iterator[Cluster]:
    """A cluster without memcached: a run that went too far would install it."""
    cluster.reset()
    yield cluster
    cluster.reset()


def fab_as(cluster: Cluster, config: Path, *args: str, hosts: str = "", **env: str) -> Done:
    """Run fab with another ssh_config than the cluster's own."""
    return subprocess.run(
        eyes.fab_argv(cluster, *args, hosts=hosts, ssh_config=config),
        env=eyes.environment(**env),
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        cwd=REPOSITORY_ROOT,
        check=False,
    )


def section_of(config: str, node: str) -> str:
    """Return an ssh_config's section of one host."""
    found = re.search(rf"^Host {node}\n(?:[ \t].*\n)+", config, re.MULTILINE)
    assert found, config
    return found[0]


def changed_for(cluster: Cluster, path: Path, node: str, rewrite: Rewrite) -> Path:
    """Write the cluster's ssh_config with one host's section rewritten."""
    text = cluster.ssh_config.read_text()
    old = section_of(text, node)
    new = rewrite(old)
    assert new != old
    path.write_text(text.replace(old, new))
    return path


def others_went_on(cluster: Cluster, done: Done, broken: str) -> None:
    """Assert that the other hosts were worked on and reported."""
    found = eyes.outcomes(done, "install-memcached")
    assert found.pop(broken) == "unreachable"
    assert set(found) == set(cluster.nodes) - {broken}
    assert set(found.values()) <= {"planned", "unchanged", "changed"}


def test_an_unknown_host_is_named_and_the_others_done(bare: Cluster) -> None:
    with eyes.unchanged(bare):
        done = bare.fab("install-memcached", "--dry-run", hosts=["c1", "nosuchhost.invalid", "c3"])
    eyes.assert_refused(done, "nosuchhost.invalid", "unknown host", "DNS", status=1)
    found = eyes.outcomes(done, "install-memcached")
    assert found == {"c1": "planned", "nosuchhost.invalid": "unreachable", "c3": "planned"}


def test_a_refused_port_is_reported(bare: Cluster, tmp_path: Path) -> None:
    port = free_port()
    config = changed_for(
        bare, tmp_path / "config", "c2", lambda s: re.sub(r"Port \d+", f"Port {port}", s)
    )
    with eyes.unchanged(bare):
        done = fab_as(bare, config, "install-memcached", "--dry-run")
    eyes.assert_refused(done, "error on c2", f"127.0.0.1:{port}", "refused", "sshd", status=1)
    others_went_on(bare, done, "c2")


def test_a_wrong_key_is_reported(bare: Cluster, tmp_path: Path) -> None:
    key = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    config = changed_for(
        bare, tmp_path / "config", "c2", lambda s: re.sub(r"(IdentityFile).*", rf"\1 {key}", s)
    )
    with eyes.unchanged(bare):
        done = fab_as(bare, config, "install-memcached", "--dry-run", HOME=str(tmp_path))
    eyes.assert_refused(done, "error on c2", "root@127.0.0.1", "refused", "key", status=1)
    others_went_on(bare, done, "c2")


@pytest.mark.parametrize("option", [[], ["--accept-new-host-keys"]])
def test_a_changed_host_key_is_refused(bare: Cluster, tmp_path: Path, option: list[str]) -> None:
    key = tmp_path / "impostor"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    other = key.with_suffix(".pub").read_text().split()[1]
    known = tmp_path / "known_hosts"
    lines = known_hosts_of(bare)
    lines["c2"] = re.sub(r"\S+$", other, lines["c2"])
    known.write_text("".join(f"{line}\n" for line in lines.values()))
    before = known.read_text()
    config = with_known_hosts(bare, tmp_path / "config", str(known))

    with eyes.unchanged(bare):
        done = fab_as(bare, config, "install-memcached", "--dry-run", *option)

    eyes.assert_refused(done, "error on c2", "CHANGED", "known_hosts", "ssh-keygen -R", status=1)
    others_went_on(bare, done, "c2")
    assert known.read_text() == before


def test_an_unknown_host_key_is_refused_and_noted_when_allowed(
    bare: Cluster, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    lines = known_hosts_of(bare)
    del lines["c2"]
    before = "# written by hand\n" + "".join(f"{line}\n" for line in lines.values())
    known.write_text(before)
    config = with_known_hosts(bare, tmp_path / "config", str(known))

    with eyes.unchanged(bare):
        refused = fab_as(bare, config, "install-memcached", "--dry-run")
        assert known.read_text() == before
        accepted = fab_as(bare, config, "install-memcached", "--dry-run", "--accept-new-host-keys")
        assert_noted(known, before, known_hosts_of(bare)["c2"])
        later = fab_as(bare, config, "install-memcached", "--dry-run")

    words = ("not in known_hosts", "SHA256:", "--accept-new-host-keys")
    eyes.assert_refused(refused, "error on c2", *words, status=1)
    others_went_on(bare, refused, "c2")
    for done in (accepted, later):
        assert done.returncode == 0, done.stdout + done.stderr


def assert_noted(known: Path, before: str, line: str) -> None:
    """Assert that the file has one line more, which names the host's port as ssh does."""
    text = known.read_text()
    assert text.startswith(before), "the file was rewritten"
    assert text.removeprefix(before).split() == line.split()


def test_keys_of_first_contact_go_to_the_users_own_file(bare: Cluster, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(re.sub(r" *UserKnownHostsFile.*\n", "", bare.ssh_config.read_text()))
    with eyes.unchanged(bare):
        done = fab_as(
            bare, config, "install-memcached", "--dry-run", "--accept-new-host-keys",
            HOME=str(tmp_path),
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    noted = (tmp_path / ".ssh" / "known_hosts").read_text().splitlines()
    assert sorted(noted) == sorted(known_hosts_of(bare).values())
    # ssh itself takes the file.
    argv = ["ssh", "-F", str(config), "-o", f"UserKnownHostsFile={tmp_path}/.ssh/known_hosts", "c1"]
    subprocess.run([*argv, "true"], check=True, timeout=20)


@pytest.mark.parametrize("key", ["right", "none", "wrong"])
def test_the_key_of_a_jump_host_is_checked_too(bare: Cluster, tmp_path: Path, key: str) -> None:
    lines = known_hosts_of(bare)
    of_c2 = " ".join(lines["c2"].split()[1:])
    noted = {"right": lines["c1"], "none": "", "wrong": f"{lines['c1'].split()[0]} {of_c2}"}
    known = tmp_path / "known_hosts"
    known.write_text(f"{noted[key]}\n{bare.address('c2')} {of_c2}\n")
    config = tmp_path / "config"
    section = re.sub(r"HostName.*", f"HostName {bare.address('c2')}", bare.ssh_config.read_text())
    behind = re.sub(r"Port.*", "Port 22\n    ProxyJump c1", section_of(section, "c2"))
    text = bare.ssh_config.read_text()
    config.write_text(re.sub(r"UserKnownHostsFile.*", f"UserKnownHostsFile {known}", behind + text))

    with eyes.unchanged(bare):
        done = fab_as(bare, config, "install-memcached", "--dry-run", hosts="c2")

    if key == "right":
        assert done.returncode == 0, done.stdout + done.stderr
        return
    said = {"none": "not in known_hosts", "wrong": "CHANGED"}[key]
    eyes.assert_refused(done, "the jump host c1 on the way to c2", said, status=1)


def known_hosts_of(cluster: Cluster) -> dict[str, str]:
    """Return the known_hosts line of each node."""
    lines = (cluster.folder / "known_hosts").read_text().splitlines()
    return dict(zip(cluster.nodes, lines, strict=True))


def with_known_hosts(cluster: Cluster, path: Path, known: str) -> Path:
    """Write the cluster's ssh_config with another file of known hosts."""
    text = cluster.ssh_config.read_text()
    path.write_text(re.sub(r"UserKnownHostsFile.*", f"UserKnownHostsFile {known}", text))
    return path


@pytest.mark.parametrize(
    "hosts",
    [
        "c1;touch /tmp/x",
        "$(touch /tmp/x)",
        "`touch /tmp/x`",
        "c1 | touch /tmp/x",
        "-oProxyCommand=x",
    ],
)
def test_a_host_name_with_shell_characters_runs_nothing(bare: Cluster, hosts: str) -> None:
    here = Path("/tmp/x")
    assert not here.exists()
    with eyes.unchanged(bare):
        done = fab_as(bare, bare.ssh_config, "install-memcached", hosts=f"c2,{hosts}")
    eyes.assert_refused(done, hosts, status=2)
    assert not here.exists()


def test_an_option_with_shell_characters_runs_nothing(bare: Cluster) -> None:
    here = Path("/tmp/x")
    assert not here.exists()
    with eyes.unchanged(bare):
        for option in ("--listen", "--memory", "--port", "--max-connections"):
            done = bare.fab("install-memcached", option, "$(touch /tmp/x)")
            eyes.assert_refused(done, option, "$(touch /tmp/x)", status=2)
    assert not here.exists()


@pytest.mark.parametrize("hosts", ["c1:abc", "c1:99999"])
def test_a_bad_port_is_reported(bare: Cluster, hosts: str) -> None:
    with eyes.unchanged(bare):
        done = fab_as(bare, bare.ssh_config, "install-memcached", hosts=hosts)
    eyes.assert_refused(done, "port")


def test_no_host_at_all_is_reported(bare: Cluster) -> None:
    argv = eyes.fab_argv(bare, "install-memcached")
    del argv[3:5]  # -H and the names
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=60, cwd=REPOSITORY_ROOT, check=False
    )
    eyes.assert_refused(done, "none was named", "fab -H c1,c2,c3", status=2)


def test_neither_root_nor_sudo_is_reported(bare: Cluster) -> None:
    with eyes.unchanged(bare):
        done = bare.fab("install-memcached", "--dry-run", hosts=["guest@c1", "c2"])
    eyes.assert_refused(done, "error on c1", "user guest", "root", status=1)
    assert eyes.outcomes(done, "install-memcached")["c2"] == "planned"


def test_a_password_that_sudo_wants_is_asked_for(bare: Cluster) -> None:
    with eyes.unchanged(bare):
        done = bare.fab("install-memcached", hosts=["clerk@c1"])
    eyes.assert_refused(done, "user clerk", "--prompt-for-sudo-password", status=1)


def test_a_wrong_sudo_password_is_reported(bare: Cluster) -> None:
    with eyes.unchanged(bare):
        done = bare.fab(
            "install-memcached", hosts=["clerk@c1"], env={"FABRIC_SUDO_PASSWORD": "wrong"}
        )
    eyes.assert_refused(done, "user clerk", "incorrect password", status=1)
    assert "password" in done.stdout.partition("next:")[2]


def test_a_sudo_user_with_password_does_everything(bare: Cluster, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(bare.ssh_config.read_text().replace("User root", "User clerk"))
    tasks = ["--prompt-for-sudo-password", "install-memcached", "create-memcached", "status"]
    argv = eyes.fab_argv(bare, *tasks, ssh_config=config)
    status, seen = eyes.typed(argv, "assword", bare.clerk_password)
    assert status == 0, seen
    assert bare.clerk_password not in seen
    assert eyes.started_on(bare) == bare.nodes
    password = {"FABRIC_SUDO_PASSWORD": bare.clerk_password}
    for words in (["verify-memcached"], ["remove-memcached", "--yes"]):
        done = fab_as(bare, config, *words, hosts="c2,c1,c3", **password)
        assert done.returncode == 0, done.stdout + done.stderr
        assert bare.clerk_password not in done.stdout + done.stderr
    assert not eyes.has_clone(bare)
    # The password was never part of a command line or a log on the node.
    log = f"journalctl --no-pager | grep -cF {shlex.quote(bare.clerk_password)}"
    assert bare.run("c1", log, check=False).stdout.strip() == "0"


def test_a_passwordless_sudo_user_reaches_nodes_that_were_not_named_too(bare: Cluster) -> None:
    hosts = [f"operator@{node}" for node in bare.nodes]
    done = bare.fab("install-memcached", "--memory", "50", hosts=hosts)
    assert done.returncode == 0, done.stdout + done.stderr
    assert eyes.outcomes(done, "install-memcached") == dict.fromkeys(bare.nodes, "changed")
    # Root's login is shut for this: the user of -H must be used for the other nodes as well.
    close = (
        "echo 'PermitRootLogin no' >/etc/ssh/sshd_config.d/00-test.conf && systemctl reload ssh*"
    )
    reopen = "rm -f /etc/ssh/sshd_config.d/00-test.conf && systemctl reload ssh*"
    for node in bare.nodes:
        bare.run(node, close)
    try:
        done = bare.fab("create-memcached", "status", "verify-memcached", hosts=["operator@c2"])
        assert done.returncode == 0, done.stdout + done.stderr
        assert eyes.started_on(bare) == bare.nodes
    finally:
        for node in bare.nodes:
            bare.run(node, reopen)


def test_one_session_at_a_time_is_enough(bare: Cluster) -> None:
    file = "/etc/ssh/sshd_config.d/00-test.conf"
    bare.run("c3", f"echo 'MaxSessions 1' >{file} && systemctl reload ssh*")
    try:
        done = bare.fab("install-memcached", "--memory", "88", hosts=["c3"])
        assert eyes.outcomes(done, "install-memcached") == {"c3": "changed"}, done.stdout
        again = bare.fab("install-memcached", "--memory", "88", hosts=["c3"])
        assert eyes.outcomes(again, "install-memcached") == {"c3": "unchanged"}, again.stdout
    finally:
        bare.run("c3", f"rm -f {file} && systemctl reload ssh*")
