"""What the wheel holds and needs, and what the programs say without a cluster."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import pytest

from pacefab.cli.files import inventory_file
from pacefab.cli.inventory import read_inventory
from pacefab.harness import place
from pacefab.pacemaker.model import Member, Membership
from pacefab.report.starter import render_inventory
from tests.wheel import ROOT, build_wheel

PROGRAMS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


def run(
    program: str, *words: str | Path, cwd: Path, **env: str
) -> subprocess.CompletedProcess[str]:
    argv = [str(PROGRAMS / program), *map(str, words)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, cwd=cwd,
                          env=os.environ | env)  # fmt: skip


def test_wheel_has_the_whole_package_and_nothing_beside_it(wheel: Path) -> None:
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    tracked = {str(path.relative_to(ROOT)) for path in (ROOT / "pacefab").rglob("*")
               if path.is_file() and "__pycache__" not in path.parts}  # fmt: skip
    assert names == tracked
    for needed in ("pacefab/py.typed", "pacefab/report/drill.html.j2",
                   "pacefab/report/starter.yaml.j2", "pacefab/harness/node_scripts/boot",
                   "pacefab/harness/recipes/debian.Containerfile"):  # fmt: skip
        assert needed in names


def test_programs_in_the_wheel_stay_executable(wheel: Path) -> None:
    modes = {info.filename: info.external_attr >> 16 for info in ZipFile(wheel).infolist()}
    for name in (name for name in modes if "/recipes/" in name):
        assert bool(modes[name] & 0o111) == os.access(ROOT / name, os.X_OK), name


def test_same_source_gives_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    assert build_wheel(ROOT, tmp_path).read_bytes() == wheel.read_bytes()


def imported(file: Path) -> set[str]:
    """Return the packages that a module imports, but those of Python and its own."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found - sys.stdlib_module_names - {"pacefab"}


def test_what_is_imported_is_what_the_wheel_requires(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = HeaderParser().parsestr(archive.read(name).decode())
    required: dict[str, set[str]] = {"": set(), "migrate": set(), "harness": set()}
    for line in metadata.get_all("Requires-Dist", []):
        extra = line.partition("extra == ")[2].strip("'\"")
        required[extra].add(re.split(r"[^A-Za-z0-9._-]", line)[0].replace("-", "_"))
    also = {"ruamel": "ruamel_yaml", "pydantic_core": "pydantic", "markupsafe": "jinja2"}
    by_extra: dict[str, set[str]] = {"": set(), "migrate": set(), "harness": set()}
    for file in (ROOT / "pacefab").rglob("*.py"):
        folder = file.relative_to(ROOT / "pacefab").parts[0]
        extra = {"harness": "harness", "legacy": "migrate"}.get(folder, "")
        by_extra[extra] |= {also.get(name, name) for name in imported(file)}
    accelerators = {"ruamel_yaml_clib"}  # ruamel.yaml imports it where it is there
    assert by_extra[""] == required[""] - accelerators
    assert by_extra["migrate"] - required[""] == required["migrate"]
    assert by_extra["harness"] - required[""] == required["harness"]


def test_init_writes_an_inventory_that_the_tasks_find_and_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PACEFAB_INVENTORY", raising=False)
    made = run("pacefab", "init", cwd=tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {f"inventory/{name}" for name in ("cluster.yaml", "schema.json", ".gitignore")}
    schema = json.loads((tmp_path / "inventory" / "schema.json").read_text())
    assert "memcached" in schema["$defs"]["Services"]["properties"]
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    found = inventory_file(None)
    assert found == tmp_path / "inventory" / "cluster.yaml"
    assert read_inventory(found).membership().names == ("c1", "c2", "c3")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    ignored = ["git", "check-ignore", "inventory/cluster.secrets.yaml"]
    assert subprocess.run(ignored, cwd=tmp_path, check=False, capture_output=True).returncode == 0


MEMBERS = (
    Member("c1", ("192.0.2.11",)),
    Member("2", ("2001:db8::2", "10.0.0.2")),
    Member("no", ()),
)


@pytest.mark.parametrize(("user", "port"), [(None, None), ("operator", 2222)])
def test_inventory_of_a_running_cluster_has_its_nodes(
    tmp_path: Path, user: str | None, port: int | None
) -> None:
    file = tmp_path / "cluster.yaml"
    membership = Membership("12", MEMBERS)
    text = render_inventory(membership, ["memcached"], source="c1", user=user, port=port)
    file.write_text(text)
    read = read_inventory(file)
    assert (read.cluster, read.membership().names) == ("12", ("c1", "2", "no"))
    assert [node.address for node in read.nodes] == ["192.0.2.11", "2001:db8::2", None]
    assert {(node.user, node.port) for node in read.nodes} == {(user, port)}
    assert not read.sections  # nothing of it is to change


def test_init_again_changes_nothing_and_says_so(tmp_path: Path) -> None:
    run("pacefab", "init", "lab", cwd=tmp_path)
    file = tmp_path / "lab" / "inventory" / "cluster.yaml"
    file.write_text("cluster: mine\nnodes: [n1]\n")
    again = run("pacefab", "init", "lab", cwd=tmp_path)
    assert again.returncode == 0
    assert again.stdout.splitlines() == [
        "= lab/inventory/cluster.yaml  is there already: left as it is, and it differs",
        "= lab/inventory/schema.json  is there already: left as it is",
        "= lab/inventory/.gitignore  is there already: left as it is",
    ]
    assert file.read_text() == "cluster: mine\nnodes: [n1]\n"
    refused = run("pacefab", "init", "lab", "--from-cluster", "nowhere.invalid", cwd=tmp_path)
    assert refused.returncode == 2
    assert "no host was contacted" in refused.stderr


def test_init_hides_no_inventory_that_the_tasks_find(tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text("cluster: mine\nnodes: [n1]\n")
    assert "= cluster.yaml  is there already" in run("pacefab", "init", cwd=tmp_path).stdout
    assert not (tmp_path / "inventory").exists()
    assert (tmp_path / "schema.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("init", "file/below"), "write file/below/inventory/cluster.yaml"),
        (("init", "--from-cluster", "c1@"), "allowed: [USER@]HOST[:PORT]"),
        (("init", "--from-cluster", "a b"), "a b"),
        (("migrate",), "no folder of scripts was named"),
        (("-H", "c1", "migrate", "--from", "."), "contacts no host"),
    ],
)
def test_what_cannot_be_is_bad_usage(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / "file").touch()
    done = run("pacefab", *words, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "next:" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_for_the_program_by_its_name(tmp_path: Path, shell: str) -> None:
    script = run("pacefab", "--print-completion-script", shell, cwd=tmp_path).stdout
    assert "_complete_pacefab" in script
    assert re.search(r"\bfab\b", script) is None
    candidates = run("pacefab", "--complete", "--", "pacefab", "", cwd=tmp_path).stdout.split()
    assert {"init", "migrate", "status", "deploy"} <= set(candidates)


# Python with some packages hidden, as where they are not installed.
WITHOUT = """
import sys
hidden, sys.argv = sys.argv[1].split(","), sys.argv[2:]
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
import runpy
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def run_without(hidden: str, module: str, *words: str | Path,
                cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:  # fmt: skip
    return run("python", "-c", WITHOUT, hidden, module, *words, cwd=cwd)


def test_invoke_lists_its_tasks_without_dockers_packages() -> None:
    listed = run_without("docker,testcontainers", "invoke", "--list")
    assert listed.returncode == 0, listed.stderr
    assert {"cluster-up", "migrate", "test"} <= set(listed.stdout.split())


@pytest.mark.parametrize("words", [("cluster-up",), ("cluster-down",), ("cluster-shell", "c1"),
                                   ("test-cluster",)])  # fmt: skip
def test_a_task_without_its_packages_says_what_to_install(words: tuple[str, ...]) -> None:
    done = run_without("docker,testcontainers", "invoke", *words)
    assert done.returncode == 2
    assert "the Python package docker is not installed" in done.stderr
    assert "pip install 'pacefab[harness]'" in done.stderr


def test_the_plugin_without_its_packages_says_what_to_install(tmp_path: Path) -> None:
    done = run_without("docker", "pytest", "-p", "pacefab.harness.plugin", cwd=tmp_path)
    assert done.returncode == 4
    assert "pip install 'pacefab[harness]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_migrate_without_its_parser_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text("pcs cluster setup lab c1 c2\n")
    main = "from pacefab.cli.program import main; main()"
    code = WITHOUT.rpartition("import runpy")[0] + main
    done = run("python", "-c", code, "tree_sitter,tree_sitter_bash", "pacefab", "migrate", "--from",
               tmp_path, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error",
        "  attempted: read bash scripts",
        "  seen:      the Python package tree_sitter_bash is not installed",
        "  next:      pip install 'pacefab[migrate]'",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("cluster-up", "--image", "debain12"), "did you mean debian12?"),
        (("cluster-up", "--image", "centos9", "--bare"), "no image of bare nodes 'centos9'"),
        (("cluster-up", "--image", "rpm", "--fencing"), "no node image with a fence agent 'rpm'"),
        (("cluster-up", "--fencing", "--no-fencing"), "give one of them"),
        (("cluster-up", "--nodes", "c1,c1"), "name each node once"),
        (("cluster-up", "--name", "a b"), "'a b' can't name a cluster"),
        (("cluster-down", "--name", "nowhere"), "no cluster 'nowhere' here"),
        (("cluster-shell", "c1", "--name", "nowhere"), "no cluster 'nowhere' here"),
        (("test-cluster", "--image", "debian12,fedora"), "no node image 'fedora'"),
        (("test-cluster", "--nodes", "c1,C2"), "'C2' can't name"),
        (("test-cluster", "--workers", "0"), "--workers 0"),
        (("test-cluster", "--workers", "two"), "--workers two"),
    ],
)
def test_options_are_checked_before_anything_is_done(words: tuple[str, ...], said: str) -> None:
    # Without a Docker engine: nothing asks for it.
    done = run("invoke", *words, cwd=ROOT, DOCKER_HOST="tcp://192.0.2.1:1")
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "next:" in done.stderr


def test_the_plugins_options_are_checked_too(tmp_path: Path) -> None:
    done = run("python", "-m", "pytest", "-p", "pacefab.harness.plugin", "--image", "debain13",
               cwd=tmp_path)  # fmt: skip
    assert done.returncode == 4
    assert "no node image 'debain13'; did you mean debian13?" in done.stderr


def test_commands_are_named_as_they_are_typed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.IN_CHECKOUT
    assert place.STATE == ROOT / ".pacefab"
    assert place.typed("cluster-up") == "invoke cluster-up"
    monkeypatch.setattr(place, "IN_CHECKOUT", False)
    assert place.typed("cluster-up") == "python -m pacefab.harness cluster-up"


def test_the_tasks_can_be_imported_by_their_names() -> None:
    from invoke.tasks import Task  # noqa: PLC0415

    from pacefab import tasks  # noqa: PLC0415

    for name in [*tasks.__all__, "create_haproxy", "install_galera"]:
        if name not in {"GROUPS", "namespace"}:
            assert isinstance(getattr(tasks, name), Task), name
    with pytest.raises(AttributeError, match="create_nothing"):
        _ = tasks.create_nothing
