"""The programs as processes: `fab` in this checkout, `pacefab` anywhere, a fabfile of one's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAB, PACEFAB, INVOKE = (
    str(Path(sys.executable).with_name(name)) for name in ("fab", "pacefab", "invoke")
)
AWAY = ("-H", "nowhere.invalid")

OWN_FABFILE = """
from fabric import task
from invoke import Collection
import pacefab
from pacefab.tasks import bootstrap, create_haproxy, status

@task
def greet(c):
    "Say hello."
    print("hello")

ns = Collection(greet, bootstrap, create_haproxy, status)
ns.add_collection(pacefab.namespace, "ha")
"""


def run(argv: Sequence[str], folder: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=folder, capture_output=True, text=True, check=False, timeout=120,
        stdin=subprocess.DEVNULL, env=os.environ | env,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stauts"], "did you mean status?"),
        (["--inventory", "x.yaml", "plan"], "fab plan --inventory"),
        (["-e", *AWAY, "status"], "-e/--echo"),
        (["-R", *AWAY, "add-node"], "fab plan"),
        (["-t", "0", "status"], "a whole number"),
        (["status", "-t", "soon"], "a whole number"),
        ([*AWAY, "status", "-S", "nosuch"], "read nosuch"),
        (["-H", "c1:ssh", "status"], "'ssh' is no port"),
    ],
)
def test_fab_in_this_checkout_is_the_program(words: list[str], said: str) -> None:
    done = run([FAB, *words])
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr


def test_fab_and_pacefab_list_the_same() -> None:
    ours, theirs = run([PACEFAB, "--list"]), run([FAB, "--list"])
    assert ours.stdout.replace("pacefab --help", "fab --help") == theirs.stdout
    assert ours.stdout.startswith("First steps\n")


def test_pacefab_works_from_any_folder(tmp_path: Path) -> None:
    assert run([PACEFAB, "--list"], tmp_path).returncode == 0
    assert run([PACEFAB], tmp_path).stdout.startswith("Usage: pacefab ")
    done = run([PACEFAB, *AWAY, "--", "uptime"], tmp_path)
    assert done.returncode == 1
    assert "unknown host" in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_are_those_of_the_folder_or_above(tmp_path: Path) -> None:
    (tmp_path / "pacefab.yaml").write_text("pacefab: {ssh_config: hosts}\n")
    (tmp_path / "hosts").write_text("Host deep\n  HostName 127.0.0.1\n  Port 1\n")
    (tmp_path / "below").mkdir()
    for words in (["status"], ["--", "uptime"]):
        done = run([PACEFAB, "-H", "deep", *words], tmp_path / "below")
        assert "the port refused the connection" in done.stdout + done.stderr
    (tmp_path / "fabric.yaml").write_text("[")
    done = run([PACEFAB, "-H", "deep", "status"], tmp_path / "below")
    assert (done.returncode, f"read {tmp_path / 'fabric.yaml'}" in done.stderr) == (2, True)


def test_the_tasks_work_in_a_collection_of_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "fabfile.py").write_text(OWN_FABFILE)
    assert "ha.status" in run([FAB, "--list"], tmp_path).stdout
    assert run([FAB, "greet"], tmp_path).stdout == "hello\n"
    for name in ("ha.status", "status"):
        done = run([FAB, *AWAY, name], tmp_path)
        assert done.returncode == 2
        assert "unknown host" in done.stdout
        assert "please report" not in done.stdout + done.stderr
    for words in (["-R", "ha.add-node"], ["-e", "status"], ["ha.deploy", "no/plan.json"]):
        done = run([FAB, *words], tmp_path)
        assert (done.returncode, done.stderr.startswith("error\n")) == (2, True), done.stderr


def test_settings_of_somebody_elses_collection_are_checked(tmp_path: Path) -> None:
    configured = 'ns.configure({"pacefab": {"parallel": "many"}})\n'
    (tmp_path / "fabfile.py").write_text(OWN_FABFILE + configured)
    done = run([FAB, *AWAY, "ha.status"], tmp_path)
    assert (done.returncode, "pacefab.parallel: many" in done.stderr) == (2, True)


def test_fabric_stays_fabrics_in_somebody_elses_fabfile(tmp_path: Path) -> None:
    own = OWN_FABFILE.replace("import pacefab\n", "import fabfile as pacefab\n")
    (tmp_path / "ops.py").write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{own}")
    done = run([FAB, "-c", "ops", "nosuch"], tmp_path)
    assert (done.returncode, done.stderr) == (1, "No idea what 'nosuch' is!\n")
    done = run([FAB, "-c", "ops", *AWAY, "ha.status"], tmp_path)
    assert "unknown host" in done.stdout


def test_importing_changes_nothing() -> None:
    code = """
import gc, sys
def state(): return sys.excepthook, gc.get_threshold(), sys.dont_write_bytecode, sys.path[:]
before = state()
import pacefab, pacefab.tasks, fabfile
from pacefab.tasks import status, create_vips
assert pacefab.namespace["status"] is status
assert fabfile.namespace is pacefab.namespace
assert state() == before
import fabric.main
assert type(fabric.main.program) is fabric.main.Fab
"""
    done = run([sys.executable, "-c", code])
    assert (done.returncode, done.stderr) == (0, "")


def ended(argv: Sequence[str], stdout: int, **env: str) -> tuple[int, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        argv,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env=kept | env,
        cwd=ROOT,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("env", [{}, {"PYTHONUNBUFFERED": "1"}])
@pytest.mark.parametrize(
    "argv",
    [
        (FAB, "--list"),
        (FAB, *AWAY, "status"),
        (PACEFAB, "--help"),
        (PACEFAB, "--version"),
        (INVOKE, "--list"),
    ],
)
def test_a_reader_who_leaves_and_a_full_disk(argv: tuple[str, ...], env: dict[str, str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    assert ended(argv, writer, **env) == (141, "")
    os.close(writer)
    with Path("/dev/full").open("wb") as full:
        status, said = ended(argv, full.fileno(), **env)
    assert status == 1
    assert said.startswith("error\n  attempted: write to the output\n")
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cluster-upp"], "did you mean cluster-up?"),
        (["cluster-up", "--imag", "x"], "did you mean --image?"),
        (["cluster-shell"], "invoke --help cluster-shell"),
        (["status"], "it is one of fab: fab status"),
    ],
)
def test_invoke_explains_its_errors_too(words: list[str], said: str) -> None:
    done = run([INVOKE, *words])
    assert (done.returncode, done.stderr.startswith("error\n")) == (2, True), done.stderr
    assert said in done.stderr


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        (f"{PACEFAB} -H nowhere.invalid status >&-", 2, ""),
        (f"{PACEFAB} init >&-", 0, ""),
        (f"{PACEFAB} init >/dev/full", 1, "write to the output"),
        (f"{PACEFAB} stauts 2>&-", 2, ""),
        (f"{PACEFAB} -H c1 --prompt-for-sudo-password status </dev/null", 2, "no terminal"),
        (f"rmdir $PWD; {PACEFAB} --list", 2, "find the current folder"),
        (f"INVOKE_RUNTIME_CONFIG= {PACEFAB} -H nowhere.invalid status", 2, ""),
        (f"printf '\\377' >x; {PACEFAB} -S x -H c1 status", 2, "read the ssh configuration"),
    ],
)
def test_odd_surroundings_end_in_no_defect(
    line: str, status: int, said: str, tmp_path: Path
) -> None:
    done = run(["/bin/sh", "-c", line], tmp_path)
    assert done.returncode == status, done.stderr
    assert said in done.stdout + done.stderr
    assert "please report" not in done.stderr
    assert "Traceback" not in done.stderr
