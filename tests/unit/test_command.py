"""Scripts are run by a real /bin/sh: what counts is what a shell makes of them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacefab.transport import command
from pacefab.transport.command import (
    LOCK_WAITED_FOR,
    RECEIVER,
    Step,
    failed,
    is_waiting,
    parse_sections,
    render_change,
    render_query,
    shell,
    step,
)


@pytest.fixture(autouse=True)
def own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = command._LOCK.replace("/run/pacefab.lock", str(tmp_path / "lock"))  # noqa: SLF001
    monkeypatch.setattr(command, "_LOCK", own)


def run(script: str) -> dict[str, command.Section]:
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=False, timeout=20
    )
    return parse_sections(done.stdout)


def test_a_query_runs_every_step_and_shows_their_streams_apart() -> None:
    found = run(
        render_query(
            [
                step("good", "echo", "hello"),
                shell("bad", "echo out; echo err >&2; exit 7"),
                step("absent", "no-such-program"),
            ]
        )
    )
    assert (found["good"].status, found["good"].out) == (0, "hello\n")
    assert (found["bad"].status, found["bad"].out, found["bad"].err) == (7, "out\n", "err")
    assert found["absent"].status == 127


def test_a_piece_of_shell_in_a_query_leaves_nothing_to_the_next_one(tmp_path: Path) -> None:
    left = tmp_path / "left"
    first = 'cd /; set -ef; own=$1; trap \'rm "$own"\' EXIT; >"$own"; exit 3'
    found = run(
        render_query(
            [
                shell("one", first, str(left)),
                shell("two", 'echo "$# ${own:-none} [$-]"; pwd; false; echo on'),
                shell("wrong", "if"),
                step("last", "echo", "here"),
            ]
        )
    )  # fmt: skip
    assert (found["one"].status, left.exists()) == (3, False)
    assert found["two"].out.split()[:2] == ["0", "none"]
    assert not {"e", "f"} & set(found["two"].out.split()[2])
    assert found["two"].out.endswith(f"\n{Path.cwd()}\non\n")
    assert found["wrong"].status != 0
    assert found["last"].out == "here\n"


def test_what_a_step_prints_of_others_is_no_section() -> None:
    """Such as the name of a process, which anybody on the node may choose."""
    forged = "\x1ecib\nmine\n\x1f0\n\n"
    found = run(render_query([step("ps", "printf", "%s", forged), step("cib", "echo", "own")]))
    assert (found["ps"].out, found["cib"].out) == (forged, "own\n")
    assert list(found) == ["ps", "cib"]


def test_the_lock_of_a_node_is_roots_alone(tmp_path: Path) -> None:
    (tmp_path / "lock").touch(mode=0o644)  # of an earlier version
    run(render_change([step("one", "true")]))
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


@settings(deadline=None)  # each example starts a shell
@given(st.text(st.characters(blacklist_characters="\x00\r", blacklist_categories=["Cs"])))
def test_no_value_is_ever_read_by_the_shell(value: str) -> None:
    found = run(
        render_query([step("one", "printf", "%s", value), shell("two", 'printf %s "$1"', value)])
    )
    assert found["one"].out == value
    assert found["two"].out == value


def test_a_change_stops_at_the_first_failure_and_undoes_what_came_before(tmp_path: Path) -> None:
    one, two, three = (str(tmp_path / name) for name in ("one", "two", "three"))
    found = run(
        render_change(
            [
                step("one", "touch", one, undo=("rm", one)),
                step("two", "touch", two, undo=("rm", two)),
                step("broken", "false"),
                step("three", "touch", three),
            ]
        )
    )
    assert list(found) == ["lock", "one", "two", "broken", "undo two", "undo one"]
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    stopped = failed(found)
    assert stopped is not None
    assert stopped.name == "broken"


def test_what_makes_a_change_take_effect_runs_again_after_undoing(tmp_path: Path) -> None:
    file, log = tmp_path / "file", tmp_path / "log"
    file.write_text("old\n")
    reload = ("sh", "-c", 'cat "$1" >>"$2"', "-", str(file), str(log))
    found = run(
        render_change(
            [
                shell("write", 'cat >"$1"', str(file), stdin="new\n"),
                step("undone", "true", undo=("sh", "-c", 'echo old >"$1"', "-", str(file))),
                Step("reload", reload, again=True),
                step("broken", "false"),
            ]
        )
    )
    assert list(found)[-2:] == ["undo undone", "undo reload"]
    assert log.read_text() == "new\nold\n"


def received(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        RECEIVER, input=text, capture_output=True, text=True, check=False, timeout=20
    )


def test_a_script_that_arrives_by_stdin_runs_whole_or_not_at_all() -> None:
    script = render_query([shell("read", "cat", stdin="it's a secret"), step("rest", "cat")])
    found = parse_sections(received(script).stdout)
    assert found["read"].out == "it's a secret"
    assert found["rest"].out == "", "no step eats the script"
    for length in range(0, len(script), 17):
        cut = received(script[:length])
        assert (cut.stdout, cut.returncode) == ("", 1)


LOGIN_SHELLS = [
    path for name in ("sh", "bash", "rbash", "dash", "zsh", "fish", "csh", "tcsh")
    if (path := shutil.which(name))
]  # fmt: skip


@pytest.mark.parametrize("shell", LOGIN_SHELLS)
def test_every_login_shell_reads_the_line_alike(shell: str) -> None:
    script = render_query([step("one", "echo", "$HOME `x` !! ~")])
    done = subprocess.run(
        [shell, "-c", shlex.join(RECEIVER)],
        input=script, capture_output=True, text=True, timeout=20, check=True,
    )  # fmt: skip
    assert parse_sections(done.stdout)["one"].out == "$HOME `x` !! ~\n"


def test_a_login_shell_of_the_csh_family_gets_no_newline_and_no_history_in_quotes() -> None:
    assert not set("\n!") & set(shlex.join(RECEIVER))


def test_what_roots_own_shell_sets_decides_nothing() -> None:
    looks = shell("set", 'echo "${TMPDIR-none} ${CIB_file-none} ${CIB_shadow-none}"')
    own = {**os.environ, "TMPDIR": "/no/such", "CIB_file": "/tmp/cib", "CIB_shadow": "mine"}
    for script in (render_query([looks]), render_change([looks])):
        done = subprocess.run(
            RECEIVER, input=script, capture_output=True, text=True, timeout=20, check=True, env=own
        )
        assert parse_sections(done.stdout)["set"].out == "none none none\n"


def test_a_password_that_sudo_did_not_read_is_no_command() -> None:
    done = received("echo password\n" + render_query([step("one", "echo", "1")]))
    assert list(parse_sections(done.stdout)) == ["one"]
    assert "password" not in done.stdout + done.stderr


def test_what_a_step_reads_stands_in_no_argv() -> None:
    seen = 'for pid in /proc/[0-9]*; do tr "\\0" " " <"$pid/cmdline"; echo; done 2>/dev/null'
    script = render_query([shell("look", f"cat >/dev/null; {seen}", stdin="a-" + "secret")])
    found = parse_sections(received(script).stdout)
    assert "pacefab" in found["look"].out
    assert "a-secret" not in found["look"].out


def test_a_change_that_goes_well_undoes_nothing(tmp_path: Path) -> None:
    made = tmp_path / "made"
    found = run(render_change([step("make", "touch", str(made), undo=("rm", str(made)))]))
    assert failed(found) is None
    assert made.exists()


def test_a_second_change_at_the_same_time_waits(tmp_path: Path) -> None:
    script = render_change([shell("hold", f"echo in; sleep 1; echo out >> {tmp_path}/log")])
    both = [subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE) for _ in range(2)]
    printed = [run.communicate(timeout=20)[0].decode() for run in both]
    assert sorted(LOCK_WAITED_FOR in text for text in printed) == [False, True]
    assert (tmp_path / "log").read_text() == "out\nout\n"


def test_a_change_whose_reader_leaves_while_it_waits_is_not_made(tmp_path: Path) -> None:
    free = tmp_path / "free"
    hold = render_change([shell("hold", f"until [ -e {free} ]; do sleep 0.1; done")])
    script = render_change([step("make", "touch", str(tmp_path / "made"))])
    holder = subprocess.Popen(["sh", "-c", hold], stdout=subprocess.PIPE)
    assert holder.stdout
    assert any(b"hold" in line for line in holder.stdout)  # it has the lock: its step has begun
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE) as waiting:
        assert waiting.stdout
        seen = waiting.stdout.readline() + waiting.stdout.readline()
        assert is_waiting(seen)
        waiting.stdout.close()
        assert waiting.wait(20) == 1
    free.touch()
    holder.communicate(timeout=20)
    assert not (tmp_path / "made").exists()


def test_a_section_that_was_cut_off_is_no_section() -> None:
    whole = run(render_query([step("a", "echo", "1"), step("b", "echo", "2")]))
    assert set(whole) == {"a", "b"}
    record, unit = command.RECORD, command._UNIT  # noqa: SLF001
    cut = f"{record}a\n1\n{unit}0\n\n{record}b\n2"
    assert set(parse_sections(cut)) == {"a"}
