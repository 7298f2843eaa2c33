"""What a node is and what a service had there -> the steps that leave nothing but its data."""

from __future__ import annotations

from dataclasses import replace

from pacefab.host import firewall, kernel
from pacefab.host.model import FileState, Firewall, HostFacts, Interface, Unit
from pacefab.services.service import Look, Port
from pacefab.workflows.nodes.purge import Purge

CONFIG, DATA = "/etc/queue.conf", "/var/lib/queue"
COOKIE, SOCKET = f"{DATA}/.cookie", "/etc/systemd/system/queue-check.socket"
TEXT = FileState("text\n", "600", "root:root")
RULE = firewall.rule("10.0.0.2", 5672, "tcp")
OTHERS = firewall.rule("10.0.0.2", 22, "tcp")
LOOK = Look(
    packages=("queue", "rsync"),
    units=("queue.service", "queue-check.socket"),
    files=(CONFIG, COOKIE, SOCKET),
)
NODE = HostFacts(
    name="c1",
    distribution="debian 12",
    memory_mib=1024,
    family="debian",
    manager="apt-get",
    interfaces=(Interface("eth0", "10.0.0.1", 24),),
    packages={"queue": "3.1", "rsync": "3.2"},
    units={
        "queue.service": Unit("queue.service", "loaded", "inactive", "disabled", 0),
        "queue-check.socket": Unit("queue-check.socket", "loaded", "active", "enabled", 0),
    },
    files={CONFIG: TEXT, COOKIE: TEXT, SOCKET: TEXT},
)
BARE = replace(NODE, packages={}, units={}, files={})


def names(purge: Purge, facts: HostFacts = NODE) -> list[str]:
    return [step.name for step in purge.plan(facts)]


def removed(purge: Purge) -> tuple[str, ...]:
    return next(step.argv for step in purge.plan(NODE) if step.name == "remove configuration")


def test_helpers_stop_before_their_files_go_and_data_stay() -> None:
    purge = Purge(LOOK, data=(DATA,))
    assert names(purge) == [
        "stop and disable queue-check.socket",
        "remove queue rsync with apt-get",
        "remove configuration",
        "read unit files",
    ]
    assert COOKIE not in removed(purge)
    assert {CONFIG, f"{CONFIG}.previous", f"{CONFIG}.rpmsave", SOCKET} <= set(removed(purge))


def test_debian_would_delete_data_on_purge_so_only_others_are_purged() -> None:
    kept, gone = (
        next(step for step in Purge(LOOK, data=data).plan(NODE) if "with apt-get" in step.name)
        for data in ((DATA,), ())
    )
    assert "apt remove" in " ".join(kept.argv)
    assert "apt purge" not in " ".join(kept.argv)
    assert "apt purge" in " ".join(gone.argv)


def test_a_setting_of_the_kernel_is_what_it_was_before() -> None:
    name, file = "net.ipv4.ip_nonlocal_bind", "/etc/sysctl.d/60-queue.conf"
    look = Look(files=(file,), kernel=(name,))
    known = {file: TEXT, kernel.record(name): FileState("0\n", "644", "root:root")}
    facts = replace(BARE, files=known, kernel={name: "1"})
    assert kernel.record(name) in Purge(look).observed.files
    assert names(Purge(look), facts) == ["remove configuration", f"set {name} back to 0"]
    assert not Purge(look).stays(facts)
    assert names(Purge(look, kept=(name,)), facts) == ["remove configuration"]
    unknown = replace(facts, files={file: TEXT})
    assert names(Purge(look), unknown) == ["remove configuration"]
    assert Purge(look).stays(unknown) == [f"{name} stays 1 until a restart"]
    assert not Purge(look, kept=(name,)).stays(unknown)


def test_what_another_service_needs_stays() -> None:
    purge = Purge(LOOK, kept=("rsync", SOCKET))
    assert "purge queue with apt-get" in names(purge)
    assert SOCKET not in removed(purge)


def test_nothing_is_done_where_nothing_is_left() -> None:
    assert names(Purge(LOOK), BARE) == []
    assert names(Purge(LOOK, data=(DATA,)), replace(BARE, files={COOKIE: TEXT})) == []


def test_a_file_alone_is_left_by_a_package_that_went_before() -> None:
    left = replace(BARE, files={f"{CONFIG}.rpmsave": TEXT})
    assert names(Purge(LOOK), left) == ["remove configuration", "read unit files"]


def test_ports_that_are_open_are_closed_and_no_others() -> None:
    rules = {"public": frozenset({RULE, OTHERS})}
    found = Firewall(zones={"eth0": "public"}, runtime=rules, permanent={})
    purge = Purge(LOOK, ports=(Port(5672),), addresses=("10.0.0.1", "10.0.0.2"))
    (close,) = purge.plan(replace(BARE, firewall=found))
    assert close.argv == ("firewall-cmd", "--zone=public", f"--remove-rich-rule={RULE}")
    assert names(replace(purge, addresses=()), replace(BARE, firewall=found)) == []


def test_ports_are_closed_for_clients_in_every_zone() -> None:
    theirs = firewall.rule("10.9.0.0/16", 5672, "tcp")
    rules = {"public": frozenset({RULE, theirs}), "outside": frozenset({theirs})}
    found = Firewall({"eth0": "public", "eth1": "outside"}, rules, {})
    both = (*BARE.interfaces, Interface("eth1", "192.0.2.1", 24))
    facts = replace(BARE, firewall=found, interfaces=both)
    ports = (Port(5672, clients=True), Port(4369))
    purge = Purge(LOOK, ports=ports, addresses=("10.0.0.1", "10.0.0.2"), clients=("10.9.0.0/16",))
    closed = [step.argv[1:] for step in purge.plan(facts)]
    assert closed == [
        ("--zone=public", f"--remove-rich-rule={RULE}", f"--remove-rich-rule={theirs}"),
        ("--zone=outside", f"--remove-rich-rule={theirs}"),
    ]
