"""What others install: the wheel alone, outside this checkout, against a real cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pacefab.harness.cluster import Cluster
from tests.wheel import ROOT, Done, Environment, build_wheel

OWN_FABFILE = """
from fabric import task
from invoke import Collection

import pacefab
from pacefab.tasks import status


@task
def greet(c):
    "Say hello."
    print(f"hello from {c.run('uname -n', hide=True).stdout}")


ns = Collection(greet, status)
ns.add_collection(pacefab.namespace, "ha")
"""

# A package of somebody else's that offers a service: Redis as a cache, one on every node.
THEIR_PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "sessions-for-pacefab"
version = "1.0"
dependencies = ["pacefab"]
[project.entry-points."pacefab.services"]
sessions = "sessions:SERVICE"
[tool.hatch.build.targets.wheel]
only-include = ["sessions.py"]
"""
THEIR_SERVICE = '''
"""Sessions in Redis: one on every node, each for itself."""

from pydantic import Field

from pacefab.inventory.model import Part
from pacefab.pacemaker.model import Clone, Configuration, Primitive
from pacefab.services.checks import Check
from pacefab.services.probes.probe import Probe
from pacefab.services.service import DesiredNode, Look, Service, whole
from pacefab.transport.command import step

PATH = "/etc/redis-sessions.conf"
UNIT = "redis-server.service"


class Sessions(Part):
    port: int = Field(default=6390, ge=1024, description="a TCP port, 1024 or more")


def node(section, site, name):
    lines = [f"bind 127.0.0.1 {site.own_address(name)}", f"port {section.port}",
             "protected-mode no", "dir /var/lib/redis", ""]
    return DesiredNode(packages=("redis-server",), units=(UNIT,),
                       files=(whole(PATH, "\\n".join(lines)),))


def configuration(section, site):
    parameters = {"config": PATH, "port": str(section.port)}
    primitive = Primitive("sessions", "ocf:heartbeat:redis", parameters)
    return Configuration(resources=(Clone("sessions-clone", primitive,
                         {"interleave": "true", "notify": "true", "promotable": "true"}),))


def probes(section, site):
    nodes = site.membership.names
    steps = tuple(step(name, "redis-cli", "-h", site.own_address(name), "-p", str(section.port),
                       "ping") for name in nodes)
    silent = lambda found: ", ".join(n for n in nodes if found[n].text.strip() != "PONG")
    return [Probe("sessions answer", nodes[0], steps, silent)]


def checks(section, site, cib):
    return [Check("away from Redis' own port", name, section.port != 6379, str(section.port))
            for name in site.facts]


SERVICE = Service("sessions", Sessions, node=node, configuration=configuration, probes=probes,
                  checks=checks,
                  look=lambda _: Look(packages=("redis-server",), units=(UNIT,), files=(PATH,)),
                  ids=lambda _: ("sessions-clone",))
'''

PACKAGES = """
from importlib.metadata import distributions
print(*(distribution.name for distribution in distributions()))
"""

HEALTHY = re.compile(r"^healthy\b", re.MULTILINE)

THEIR_TEST = """
def test_theirs(fresh_cluster):
    assert fresh_cluster.nodes == ["left"]
    shown = fresh_cluster.fab("install-memcached", "create-memcached", "status", timeout=300)
    assert shown.returncode == 0, shown.stdout + shown.stderr
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with nothing but the wheel and what it requires."""
    environment = Environment.make(tmp_path_factory.mktemp("alone") / "venv")
    environment.install(str(wheel))
    return environment


@pytest.fixture(scope="module")
def clean(cluster: Cluster) -> Iterator[Cluster]:
    cluster.reset()
    yield cluster
    cluster.reset()


class Operator:
    """Somebody who has the wheel, a folder, and a cluster that ssh reaches."""

    def __init__(self, environment: Environment, cluster: Cluster, folder: Path) -> None:
        self.environment = environment
        self.cluster = cluster
        self.folder = folder

    def run(self, program: str, *words: str | Path) -> Done:
        """Run a program of theirs in their folder."""
        return self.environment.run(program, *words, cwd=self.folder, seconds=600)

    def pacefab(self, *words: str | Path, program: str = "pacefab") -> Done:
        """Run pacefab, or fab, with the cluster's ssh_config."""
        return self.run(program, "-S", self.cluster.ssh_config, *words)


@pytest.fixture
def operator(installed_wheel: Environment, clean: Cluster, tmp_path: Path) -> Operator:
    return Operator(installed_wheel, clean, tmp_path)


def ok(done: Done) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_alone_is_the_program(operator: Operator) -> None:
    packages = set(ok(operator.run("python", "-c", PACKAGES)).lower().split())
    assert "pacefab" in packages
    assert not packages & {"docker", "pytest", "testcontainers", "tree-sitter", "hatchling"}
    for name in ("fabfile", "tests", "tasks"):
        assert operator.run("python", "-c", f"import {name}").returncode == 1
    assert re.match(r"pacefab \d", ok(operator.run("pacefab", "--version")))
    tasks = ok(operator.run("pacefab", "--list"))
    for task in ("init", "status", "deploy", "migrate", "install-haproxy"):
        assert re.search(rf"^ *{task}\b", tasks, re.MULTILINE), tasks

    assert "+ inventory/cluster.yaml" in ok(operator.run("pacefab", "init"))
    hosts = ",".join(operator.cluster.nodes)
    ok(operator.pacefab("-H", hosts, "install-memcached", "create-memcached"))
    assert HEALTHY.search(ok(operator.pacefab("-H", hosts, "status")))


def test_init_reads_nodes_and_name_of_a_running_cluster(operator: Operator) -> None:
    first = operator.cluster.nodes[0]
    ok(operator.pacefab("init", "lab", "--from-cluster", f"operator@{first}"))
    inventory = operator.folder / "lab" / "inventory" / "cluster.yaml"
    written = YAML(typ="safe", pure=True).load(inventory.read_text())
    assert written["cluster"] == operator.cluster.name
    assert written["nodes"] == [
        {"name": node, "address": operator.cluster.address(node), "user": "operator"}
        for node in operator.cluster.nodes
    ]
    planned = operator.pacefab("plan", "--inventory", inventory)
    assert planned.returncode in {0, 2}, planned.stdout + planned.stderr
    text = inventory.read_text()
    assert ok(operator.pacefab("init", "lab")).count("\n=") == 2
    assert operator.pacefab("init", "lab", "--from-cluster", first).returncode == 2
    assert inventory.read_text() == text
    ok(operator.pacefab("-H", first, "init"))
    here = (operator.folder / "inventory" / "cluster.yaml").read_text()
    assert all(operator.cluster.address(node) in here for node in operator.cluster.nodes)


def test_a_host_without_a_cluster_is_said_to_be_none(operator: Operator) -> None:
    first = operator.cluster.nodes[0]
    moved = "/etc/corosync/corosync.conf /tmp/corosync.conf"
    operator.cluster.run(first, f"mv {moved}")
    try:
        done = operator.pacefab("init", "--from-cluster", first)
    finally:
        operator.cluster.run(first, f"mv {' '.join(reversed(moved.split()))}")
    assert done.returncode == 1
    assert f"error on {first}" in done.stderr
    assert not (operator.folder / "inventory").exists()


def test_the_tasks_are_part_of_somebodys_own_fabfile(operator: Operator) -> None:
    (operator.folder / "fabfile.py").write_text(OWN_FABFILE)
    listed = ok(operator.run("fab", "--list")).split()
    assert {"greet", "status", "ha.status", "ha.deploy", "ha.install-haproxy"} <= set(listed)
    first, *_ = operator.cluster.nodes
    hosts = ",".join(operator.cluster.nodes)
    greeted = ok(operator.pacefab("-H", first, "greet", program="fab"))
    assert greeted.startswith(f"hello from {first}")
    ok(operator.pacefab("-H", hosts, "ha.install-memcached", "ha.create-memcached", program="fab"))
    for name in ("status", "ha.status"):
        assert HEALTHY.search(ok(operator.pacefab("-H", hosts, name, program="fab")))


@pytest.fixture
def with_sessions(
    installed_wheel: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Somebody else's package is installed beside the wheel."""
    source = tmp_path_factory.mktemp("sessions")
    (source / "pyproject.toml").write_text(THEIR_PROJECT)
    (source / "sessions.py").write_text(THEIR_SERVICE)
    installed_wheel.install("--no-deps", str(build_wheel(source, source / "dist")))
    yield
    installed_wheel.uninstall("sessions-for-pacefab")


@pytest.mark.long
def test_a_package_beside_it_offers_a_service(operator: Operator, with_sessions: None) -> None:
    if not operator.cluster.image.startswith("debian"):
        pytest.skip("the service of this example is Debian's redis-server")
    tasks = ok(operator.run("pacefab", "--list")).split()
    assert {"install-sessions", "create-sessions"} <= set(tasks)
    first = operator.cluster.nodes[0]
    ok(operator.pacefab("init", "--from-cluster", first))
    schema = json.loads((operator.folder / "inventory" / "schema.json").read_text())
    assert "sessions" in schema["$defs"]["Services"]["properties"]
    inventory = operator.folder / "inventory" / "cluster.yaml"
    inventory.write_text(inventory.read_text() + "\nservices: {sessions: {port: 80}}\n")
    refused = operator.pacefab("plan")
    assert refused.returncode == 2
    assert "a TCP port, 1024 or more" in refused.stderr

    inventory.write_text(inventory.read_text().replace("port: 80", "port: 6391"))
    ok(operator.pacefab("deploy", "--yes"))
    for node in operator.cluster.nodes:
        asked = f"redis-cli -h {operator.cluster.address(node)} -p 6391 ping"
        assert operator.cluster.run(first, asked).stdout == "PONG\n"
    assert "sessions" in operator.cluster.run(first, "crm_resource --list-raw").stdout
    assert operator.pacefab("plan").returncode == 0
    verified = ok(operator.pacefab("verify-sessions"))
    assert re.search(r"^= away from Redis' own port +(\d) of \1$", verified, re.MULTILINE)


@pytest.mark.long
def test_extras_bring_migrate_and_the_plugin(
    installed_wheel: Environment, wheel: Path, cluster: Cluster, tmp_path: Path
) -> None:
    environment = installed_wheel  # the last test: from here on it has more than the wheel
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "a.sh").write_text(
        "pcs cluster setup lab c1 c2\npcs property set stonith-enabled=false\n"
    )
    migrate = ["migrate", "--from", "scripts", "--report", "report.json"]
    missing = environment.run("pacefab", *migrate, cwd=tmp_path)
    assert missing.returncode == 2
    assert "next:      pip install 'pacefab[migrate]'" in missing.stderr
    environment.install(f"{wheel}[migrate,harness]")
    ok(environment.run("pacefab", *migrate, cwd=tmp_path))
    assert json.loads((tmp_path / "report.json").read_text())["summary"]["translated"] == 2
    assert "cluster: lab" in (tmp_path / "inventory" / "migrated.yaml").read_text()

    # A suite that has a package `tests` of its own.
    suite = tmp_path / "suite"
    (suite / "tests").mkdir(parents=True)
    (suite / "tests" / "__init__.py").touch()
    (suite / "tests" / "names.py").write_text("NODE = 'left'\n")
    own = "from tests.names import NODE\n" + THEIR_TEST.replace('"left"', "NODE")
    (suite / "tests" / "test_theirs.py").write_text(own)
    words = ["-m", "pytest", "-q", "-p", "pacefab.harness.plugin", "--keep"]
    words += ["--image", cluster.image, "--nodes", "left", "tests"]
    done = environment.run("python", *words, cwd=suite, seconds=600)
    (name,) = (path.parent.name for path in (suite / ".pacefab").glob("*/cluster.json"))
    try:
        assert "1 passed" in ok(done)
        said = f"kept {name}: ssh -F .pacefab/{name}/ssh_config left; python -m pacefab.harness "
        assert f"{said}cluster-down --name {name}" in done.stdout
    finally:
        down = ["-m", "pacefab.harness", "cluster-down", "--name", name]
        removed = environment.run("python", *down, cwd=suite)
    assert ok(removed) == f"{name} removed\n"
