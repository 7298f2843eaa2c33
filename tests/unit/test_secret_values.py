"""Secrets: where they are looked for, what is refused, and that none of them is ever said."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from pacefab.errors import UsageError
from pacefab.inventory.secret_values import SecretValues
from pacefab.report.text import render_error

ROOT = Path(__file__).resolve().parents[2]
FAB = Path(sys.executable).with_name("fab")
NEEDS_ONE = (
    "cluster: lab\nnodes: [nowhere.invalid]\nresources:\n"
    "  a: {agent: 'ocf:heartbeat:a', parameters: {passwd: {secret: a}}}\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "lab.secrets.yaml"
    file.touch(mode=0o600)
    return file


def refusal(values: SecretValues, *names: str) -> str:
    with pytest.raises(UsageError) as caught:
        values.gather(names)
    return "\n".join(render_error(caught.value))


def test_the_environment_wins_over_the_file_and_the_file_over_the_prompt(file: Path) -> None:
    file.write_text("galera: from the file\nhacluster: from the file\nother: x\n")
    asked = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return "from the prompt"

    values = SecretValues({"PACEFAB_SECRET_GALERA": "from the environment"}, file, ask)
    values.gather(["galera", "hacluster", "haproxy_stats"])
    assert values.get("galera") == "from the environment"
    assert values.get("hacluster") == "from the file"
    assert values.get("haproxy_stats") == "from the prompt"
    assert asked == ["secret haproxy_stats: "]


def test_a_value_is_the_text_as_it_is_written(file: Path) -> None:
    file.write_text("a: 0123\nb: true\nc: 'päss: # word'\nd: 1.10\n")
    values = SecretValues({}, file, None)
    assert [values.get(name) for name in "abcd"] == ["0123", "true", "päss: # word", "1.10"]


def test_all_that_are_missing_are_named_at_once_with_the_ways_to_give_them() -> None:
    said = refusal(SecretValues({"PACEFAB_SECRET_A": "x"}, None, None), "a", "galera", "hacluster")
    assert "missing: galera, hacluster" in said
    assert "PACEFAB_SECRET_GALERA, PACEFAB_SECRET_HACLUSTER" in said
    assert "--secrets FILE" in said


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o700, 0o644])
def test_a_file_that_others_may_read_is_refused(file: Path, mode: int) -> None:
    file.write_text("galera: hunter2\n")
    file.chmod(mode)
    said = refusal(SecretValues({}, file, None), "galera")
    assert f"its mode is {mode:o}" in said
    assert "hunter2" not in said


def test_a_file_of_mode_400_is_read(file: Path) -> None:
    file.write_text("galera: x\n")
    file.chmod(0o400)
    assert SecretValues({}, file, None).get("galera") == "x"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_of_somebody_else_is_refused(file: Path) -> None:
    os.chown(file, 1, 1)
    assert "belongs to another user" in refusal(SecretValues({}, file, None), "galera")


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path, seen in (
        (tmp_path / "pipe", "no regular file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "absent", "No such file"),
        (Path("/dev/null"), "no regular file"),
    ):
        assert seen in refusal(SecretValues({}, path, None), "galera")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", "not a mapping"),
        ("hunter2", "not a mapping"),
        ("- hunter2", "not a mapping"),
        ("a: x\ngalera: [hunter2", "not YAML"),
        ("galera: *hunter2", "not YAML"),
        ("galera: hunter2: hunter2", "line 1: not YAML"),
        ("a: 1\ngalera:\n", "line 2: the value of galera is not text"),
        ("galera: {value: hunter2}", "line 1: the value of galera is not text"),
        ("galera: hunter2\ngalera: hunter2", "line 2: galera is there twice"),
        ("hunter2!: x", "line 1: not a name"),
        ("{hunter2: x}: hunter2", "line 1: not a name"),
        ('galera: ""', "galera: line 1 of "),
        ('galera: "hunter2\\n"', "is no single line of text"),
        ("galera: |\n  hunter2\n  hunter2\n", "is no single line of text"),
        ("galera: !hunter2 [x]", "is not text"),
    ],
)
def test_a_broken_file_is_reported_without_what_is_in_it(file: Path, text: str, seen: str) -> None:
    file.write_text(text)
    said = refusal(SecretValues({}, file, None), "galera")
    assert seen in said
    assert "hunter2" not in said


def test_bytes_that_are_no_text_are_reported(file: Path) -> None:
    file.write_bytes(b"galera: \xff\n")
    assert "not YAML" in refusal(SecretValues({}, file, None), "galera")


@pytest.mark.parametrize("value", ["", "hunter2\n", "hunter2\x00", "\udc80hunter2"])
def test_values_that_cannot_be_secrets_are_refused_wherever_they_come_from(value: str) -> None:
    given = refusal(SecretValues({"PACEFAB_SECRET_GALERA": value}, None, None), "galera")
    typed = refusal(SecretValues({}, None, lambda _: value), "galera")
    assert "galera" in given
    assert "galera" in typed
    assert "hunter2" not in given + typed


def test_no_answer_at_the_prompt_is_reported() -> None:
    def ask(_: str) -> str:
        raise EOFError

    assert "galera was not typed in" in refusal(SecretValues({}, None, ask), "galera")


def test_no_representation_shows_a_value(file: Path) -> None:
    file.write_text("galera: hunter2\n")
    values = SecretValues({"PACEFAB_SECRET_A": "hunter2"}, file, None)
    values.gather(["galera", "a"])
    assert "hunter2" not in repr(values) + str(values)


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """An inventory that needs a secret, and no node of which can be reached."""
    (tmp_path / "lab.yaml").write_text(NEEDS_ONE)
    return tmp_path / "lab.yaml"


def plan(inventory: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FAB, "plan", "--inventory", inventory, *options],
        env=os.environ | environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_task_that_lacks_a_secret_contacts_nobody(inventory: Path) -> None:
    done = plan(inventory)
    assert done.returncode == 2
    assert "missing: a" in done.stderr
    assert "nowhere.invalid" not in done.stdout + done.stderr


def test_the_option_wins_over_the_environment_and_that_over_the_usual_file(
    inventory: Path, file: Path
) -> None:
    file.write_text("a: hunter2")  # beside the inventory, by the name that is looked for
    found = plan(inventory)
    assert "missing" not in found.stderr
    assert "nowhere.invalid" in found.stdout + found.stderr
    assert "/from-the-variable" in plan(inventory, PACEFAB_SECRETS="/from-the-variable").stderr
    options = ("--secrets", "/from-the-option")
    both = plan(inventory, *options, PACEFAB_SECRETS="/from-the-variable")
    assert "/from-the-option" in both.stderr


def test_a_terminal_is_asked_and_does_not_show_what_is_typed(inventory: Path) -> None:
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(ROOT)
        os.execv(FAB, [str(FAB), "plan", "--inventory", str(inventory)])  # noqa: S606
    shown = b""
    while b"secret a: " not in shown:
        shown += os.read(terminal, 1024)
    os.write(terminal, b"hunter2\n")
    try:
        while piece := os.read(terminal, 1024):
            shown += piece
    except OSError:  # Linux's word for the end of a terminal
        pass
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    assert b"nowhere.invalid" in shown
    assert b"hunter2" not in shown
