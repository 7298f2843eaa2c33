# ruff: noqa: E501, Q003  (snippets of bash stand in one line each, as they are)
"""Values against bash's own: hundreds of snippets, each equal to what bash prints, or unknown.

The snippets are those of tests/data/legacy_bash/snippets.txt (parted by lines with %%), and those
that operators, values and patterns make with each other.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from pacefab.legacy.bash.budget import ExhaustedError
from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.syntax import Script
from pacefab.legacy.bash.world import World
from pacefab.legacy.interpreter.evaluation import run_to_end
from pacefab.legacy.model import CommandResult
from pacefab.legacy.source import SourceFile, Tree
from pacefab.legacy.unknown import OPEN, is_known

WRITTEN = Path(__file__).resolve().parents[1] / "data" / "legacy_bash" / "snippets.txt"
FILES = {
    "vars.sh": "FROM=vars\nLIST=(a b)\n",
    "lib.sh": "twice() { echo $1 $1; }\n",
    "list.txt": "db 10.0.0.1\nmq 10.0.0.2 extra words\n\nlast 10.0.0.3\n",
    "sub/inner.sh": "INNER=in\n. ./where.sh 2>/dev/null || . sub/where.sh\n",
    "sub/where.sh": "WHERE=sub\n",
    "args.sh": 'GOT="$*"\n',
    "echoargs.sh": '#!/bin/bash\necho "$#:$1:$2"\n',
}
END = "\x1e"  # printed between the answers of bash
LEAST_EQUAL = 0.9  # of all snippets: "unknown" is no answer to everything
GENERATED: dict[str, tuple[str, list[list[str]]]] = {
    "operators": (
        "v='{0}'; echo \"<${{v{1}}}>\"",
        [["", "alpha", "a.b.c", "one two", "/srv/www/site.conf", "Node-07", "x=y=z"],
         ["#*.", "##*.", "%.*", "%%.*", "#*/", "%/*", "/o/0", "//o/0", "/#a/Z", "/%c/Z",
          "//[aeiou]/_", "//[^a-z]/", "^", "^^", ",", ",,", ":1", ":1:2", ": -2", ":0:-1", "//./-",
          "/*/q", "//a*c/q", "#?", "%?", "#[a-z]", "^^[a-c]", "//\\//_"]],
    ),
    "operators on each": (
        "a=(node1 Node2.b ooo); set -- \"${{a[@]}}\"; printf '<%s>' \"${{a[@]{0}}}\" ${{a[*]{0}}} \"${{@{0}}}\"",
        [["%.*", "#n", "/%/.lan", "/#/x-", "//o/0", "^", "^^", ",,", ":1:1", ":0:2", ""]],
    ),
    "ranges": (
        "echo n{{{0}..{1}{2}}}",
        [["1", "01", "8", "10", "-2"], ["3", "10", "010", "1", "-1"], ["", "..2", "..-1", "..3"]],
    ),
    "braces": (
        "x=v n=3; for w in {0}; do echo \"<$w>\"; done",
        [["a{b,c}d", "{a,b}{1,2}", "{a,{b,c}}", "{a}", "{,x}y", "a{b", "{a..}", "x{1..2}{a,b}",
          "{1..3}{a..b}", "'{1..2}'", '"{a,b}"', "{a,'b c'}", "a{1,2}\\ b", "$x{1,2}", "{$x,b}",
          "{1..$n}", "pre{,-mid}post", "{a,b}'c d'", "{x..z..2}", "{z..x}", "{9..1..4}", "{1..9..4}",
          "{001..3}", "{a,b,}", "{},{a,b}", "{a..e..2}", "${x}{1,2}"]],
    ),
    "printf": (
        "printf '{0}\\n' '{1}' 2> /dev/null",
        [["%s", "%d", "%03d", "%5s|", "%-5s|", "%x", "%o", "%c", "%q", "%+d", "%.2s", "%b", "%%",
          "%i", "%05.1f"], ["7", "-3", "abc", "007", "3.5", ""]],
    ),
    "arithmetic": (
        "echo $(( {0} {1} {2} ))",
        [["7", "-7", "2"], ["+", "-", "*", "/", "%", "**", "<<", ">>", "&", "|", "^", "<", ">=", "==",
                            "!=", "&&", "||"], ["3", "2"]],
    ),
    "patterns": (
        "shopt -s extglob\ncase '{0}' in {1}) echo yes ;; *) echo no ;; esac",
        [["vip-db", "vip", "db01", "", "[x]"],
         ["vip-*", "v?p", "*", "[dv]*", "vip|db*", "@(vip|db01)", "!(vip)", "*[0-9]", "''",
          "\\[x\\]", "[[:alpha:]]*", "+([a-z])"]],
    ),
    "matches": (
        "if [[ '{0}' =~ {1} ]]; then echo \"${{BASH_REMATCH[0]}}|${{BASH_REMATCH[1]}}|${{#BASH_REMATCH[@]}}\"; else echo no; fi",
        [["ip=192.0.2.7", "node12", "a b"],
         ["^ip=(.*)$", "([a-z]+)([0-9]+)", "(.)\\ (.)", "^[0-9]", "[[:digit:]]{2}$", "(x)?node"]],
    ),
    "tests": (
        "[ {0} ] && echo yes || echo no",
        [["-z ''", "-n ''", "a = a", "a == b", "a != b", "1 -lt 2", "2 -le 1", "01 -eq 1", "a \\< b",
          "! a = b", "-n x -a 1 -eq 1", "'' -o x", "x", "'!'", "-n", "a = a -a b = c -o d = d"]],
    ),
    "double tests": (
        "x=abc y='a*' e= n=3; [[ {0} ]] && echo yes || echo no",
        [["-z ''", "a == a*", "a == 'a*'", "abc < abd", "1 -lt 2", "! a == b",
          "( a == b || b == b ) && x", "-v HOME", "-v nix", "a =~ b|a", "$x == $y", '$x == "$y"',
          "-n $e", "01 -eq 1", "n -eq 3", "a.b =~ a\\.b", "axb =~ a\\.b", "-n $x && -z $e"]],
    ),
}  # fmt: skip


def snippets() -> Iterator[str]:
    yield from WRITTEN.read_text(encoding="utf-8").split("\n%%\n")
    for form, choices in GENERATED.values():
        yield from (form.format(*words) for words in product(*choices))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("snippets")
    (made / "sub").mkdir()
    for path, content in FILES.items():
        (made / path).write_text(content)
        (made / path).chmod(0o755)
    return made


def by_bash(texts: list[str], folder: Path) -> list[str]:
    """Return what bash prints for each snippet, each in a bash of its own."""
    script = f"for one; do bash -c \"$one\" < /dev/null 2> /dev/null; printf '{END}'; done"
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["bash", "-c", script, "bash", *texts], cwd=folder, env=environment,
                          capture_output=True, text=True, check=True, timeout=120)  # fmt: skip
    return done.stdout.split(END)[:-1]


def by_us(text: str) -> str:
    tree = Tree({path: SourceFile(path, content) for path, content in FILES.items()})
    try:
        script = Script("snippet.sh", text.encode())
        return run_to_end(script, Shell(), World(tree, lambda _: CommandResult())).output
    except ExhaustedError:
        return OPEN


def test_every_value_is_bashs_or_unknown(folder: Path) -> None:
    texts = list(dict.fromkeys(snippets()))
    printed = [
        one
        for some in (texts[at : at + 100] for at in range(0, len(texts), 100))
        for one in by_bash(some, folder)
    ]
    found = [(text, by_us(text), bash) for text, bash in zip(texts, printed, strict=True)]
    wrong = [(text, ours, bash) for text, ours, bash in found if is_known(ours) and ours != bash]
    assert not wrong, "\n".join(map(str, wrong))
    kinds = Counter(is_known(ours) for _, ours, _ in found)
    assert len(texts) > 700
    assert kinds[True] > LEAST_EQUAL * len(texts), kinds
