# ruff: noqa: E501, Q003, ISC004  (snippets of bash stand in one line each, as they are)
"""Evaluation of bash against bash itself, on harmless snippets; and what it does not know."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.syntax import Script
from pacefab.legacy.bash.world import World
from pacefab.legacy.interpreter.evaluation import evaluate
from pacefab.legacy.model import Call, CommandResult
from pacefab.legacy.source import SourceFile, Tree
from pacefab.legacy.unknown import is_known

READINI = Path(__file__).resolve().parents[1] / "data" / "legacy" / "openstack" / "scripts"
FILES = {
    "vars.ini": "[a]\nx=1\n[default]\nha_node1=c1\nha_node1_ip = 192.0.2.1 \nurl=a=b\n[z]\nzz=9\n",
    "lib.sh": "twice() { echo $1 $1; }\nLIB=loaded\n",
    "list.txt": "db 10.0.0.1\nmq 10.0.0.2 extra words\n\nlast 10.0.0.3\n",
    "readini.sh": (READINI / "readini.sh").read_text(),
}
SNIPPETS = [
    'x=3; y="a $x b"; echo "$y" \'$x\' "\\$x" \\"q\\"',
    "a[1]=x; a[2]=y; i=2; echo ${a[i]} ${a[$i]} ${a[@]} ${#a[@]}",
    'arr=(one "two three" four); for x in "${arr[@]}"; do echo "<$x>"; done; echo ${arr[1]}',
    'arr=(one "two three"); for x in ${arr[@]}; do echo "<$x>"; done; arr+=(five); echo ${#arr[@]}',
    "declare -A m=([k]=v [l]=w); k=l; echo ${m[k]} ${m[$k]}",
    "for (( i = 1; i <= 3; i++ )); do echo $i; done; echo $i",
    "n=3; for (( i = 1; i <=$n; i++ ))\ndo\n echo node$i\ndone",
    "for i in {1..3} a{x,y}z {3..1}; do echo $i; done",
    "for i in $(seq 2 4) `echo a b`; do echo $i; done",
    'list="a b  c"; for x in $list; do echo "<$x>"; done; echo "$list" $list',
    "offset=200; offset=$(( $offset + 1 )); ((offset += 2)); let offset=offset*2; echo $offset",
    "echo $((7 / 2)) $((-7 / 2)) $((7 % 3)) $((2 ** 5)) $((1 << 4)) $((3 > 2 && 1))",
    "echo $((5 == 5 ? 8 : 9)) $((0x1f)) $((010)) $(( (1 + 2) * 3 ))",
    "i=5; echo $((i++)) $i $((++i)) $((i--)) $i",
    "x=/a/b/c.tar.gz; echo ${x##*/} ${x#*/} ${x%.*} ${x%%.*} ${x:1:3} ${#x} ${x//\\//-}",
    "echo ${u:-dflt} ${u:=set} $u ${u:+alt} ${v:+no}end",
    'x=abc; echo ${x^} ${x^^} "${x/b/-}" ${x:0:-1}',
    "case vip-db in lb|mem*) echo no;; vip-*) echo yes;; *) echo other;; esac",
    "for c in lb db mongodb; do case $c in\n lb|mongodb)\n echo skip $c\n ;;\n *)\n echo vip-$c\n ;;\nesac; done",
    "if [ 1 -eq 1 ] && [ a != b ]; then echo yes; else echo no; fi",
    'x=""; if [ -z $x ]; then echo empty; fi; if [ ! -z "$x" ]; then echo full; fi',
    "if [[ abc == a* && 5 -gt 3 ]]; then echo glob; fi; [[ abc =~ ^a.c$ ]] && echo regex",
    'if [ "a" = "b" -o 2 -lt 3 ]; then echo or; fi; [ a = a -a b = c ] || echo and',
    "f() { local x=$1; echo in $x $#; return 3; }; x=out; f a b; echo $? $x",
    'function g { for a in "$@"; do echo "<$a>"; done; }; g a \'b c\' d',
    'f() { echo "$@"; shift; echo $1; }; f 1 2 3',
    'loop=0; while [ "$loop" -lt 3 ]; do loop=$((loop + 1)); done; echo $loop',
    "i=0; until [ $i -ge 2 ]; do echo $i; i=$(expr $i + 1); done",
    "for i in 1 2 3 4; do [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done",
    "for i in 1 2; do for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; done",
    "cat <<EOF\n  indented $((1+1))\n\nplain \\$x $(echo sub)\nEOF",
    "x=1; cat <<'EOF'\n$x `no` \\n\nEOF\ncat <<-EOF\n\ttabs $x\n\tgone\n\tEOF",
    "cat <<EOF | awk '{print $2}'\na b\nc d\nEOF",
    'while read name ip rest; do echo "$ip=$name:$rest"; done < list.txt',
    "while read -r a b; do echo $b; done <<< 'x y z'",
    "IFS=, read -ra parts <<< 'a,b,c'; echo ${parts[1]} ${#parts[@]}",
    "echo a:b:c | cut -d : -f 2; echo 'a;b;c' | cut -d ';' -f -2; echo computer12 | cut -b 9-",
    "echo 'k = v' | awk -F= '{print $2}'; echo a b c | awk '{print $1,$3}'; echo a b | awk '{print$2}'",
    "x='a;b;c'; echo $x|awk -F \";\" '{\\\nfor (i=1;i<=NF;i++)\n{\nprint $i;\n}\n}'",
    "awk 'NR==2{print $1}' list.txt; awk '/db/,/mq/{print $2}' list.txt; awk 'END{print NR}' list.txt",
    "awk '{n++} END {printf \"%d lines\\n\", n}' list.txt; awk '!/db/ && NF {print $NF}' list.txt",
    "awk -v k=mq '$1 == k {print $2; exit}' list.txt; awk '{sub(/10/, \"X\"); print}' list.txt",
    "echo a,b,c | tr ',' '\\n' | sort -r | head -2; echo aabb | tr -d a; echo x | tr a-z A-Z",
    "grep -v mq list.txt | grep -c .; grep -o '10[.]0' list.txt | uniq; grep -E 'db|mq' list.txt | wc -l",
    "sed -n '/db/p' list.txt; sed 's/10\\.0/X/g; /^$/d' list.txt; sed -n '2,3p' list.txt; sed '$d' list.txt",
    "sed -n '/\\[default\\]/,/^\\[/p' vars.ini; echo 'a-b' | sed -e 's/a/x/' -e 's#-#/#'",
    "tail -n 1 list.txt; head -n 1 list.txt; basename /a/b.sh .sh; dirname /a/b",
    ". ./lib.sh; twice x; echo $LIB; source lib.sh; twice $LIB",
    "bash -c 'echo $0 $1' zero one; X=env bash -c 'echo $X'; sh -c 'echo \"a b\"'",
    "echo 'echo from stdin' | bash; bash <<'EOF'\nx=5\necho $x\nEOF",
    "(x=sub; echo $x); echo ${x:-unset}; { y=1; echo $y; }; echo $y",
    'x=$(echo "nested $(echo deep)"); echo $x; y=`echo back`; echo $y',
    "false || echo or; true && echo and; ! true || echo not; false; echo $?",
    "x='a b'; set -- $x; echo $2 $#; set -e; echo $1; printf '%s-%s\\n' a b c d; printf 'x\\ty\\n'",
    "grep -A1 mq list.txt; grep -B 1 -A1 mq list.txt; printf 'a\nx\nb\nc\nx\n' | grep -C0 x",
    "printf -v v 'n%02d-%4s|%-4s|' 7 ab cd; echo \"$v\"; printf '%5d%%\n' 42",
    "echo \\*.sh '*.sh' \"*.sh\"; expr 2 \\* 30; echo l*.sh; echo no*match",
    "echo -n no; echo -e 'a\\tb'; echo \"a\\tb\"",
    "cmd='echo evaluated'; eval $cmd; eval \"x=7; echo \\$x\"",
    'p=x; x=indirect; echo ${!p}; unset x; echo "<$x>"',
    "echo one two | xargs -n1 echo got; printf 'a\\nb\\n' | xargs -I{} echo '<{}>'",
    "a=1 b=2\necho $a$b; c=3 d=4 bash -c 'echo $c$d'; echo \"<$c>\"",
    'nodes=\'\'; for i in 1 2; do nodes="$nodes node$i"; done; echo $nodes "$nodes"',
    "x=1,2,3; for y in ${x//,/ }; do echo $y; done; echo $x | tr ',' ' '",
    "exit_early() { echo before; exit 0; echo never; }; (exit_early); echo after",
    "bash readini.sh vars.ini default ha_node1; bash readini.sh vars.ini default ha_node1_ip",
    "bash readini.sh vars.ini default zz; bash readini.sh vars.ini a ha; bash readini.sh vars.ini a url",
    "printf 'b\\na\\nB\\n' | grep --ignore-case b; echo a:b | cut --delimiter=: --fields 2; printf '1\\n2\\n' | head --lines=1",
    "echo x y | awk -F ' ' -- '{print $2}'; echo ab | sed --quiet -e p; echo abc | grep b -c; echo a,b | cut -f2 -d,",
    "printf 'a b\\nc\\n' | xargs -I{} echo '<{}>'; printf 'a b\\nc d\\n' | xargs -L1 echo l; echo a b c | xargs -r -n 2 -P 1 echo",
    "printf 'a\\nb\\nc\\n' | tail -n 0; printf 'a\\nb\\n' | tail -n -1; printf 'a\\nb\\n' | tail --lines=+2; seq -s , 3 -1 1",
    "mapfile -t l < list.txt; echo ${l[1]}; IFS=: read -r -a p <<< a:b; echo ${p[1]}; read -rp '? ' x y <<< '1 2 3'; echo $y",
    "bash -euo pipefail -c 'echo $1' zero one; echo 'echo $1' | bash -s -- arg; echo 'echo $1' | bash -s arg",
    "env -u X Y=1 echo env; nice -n 5 echo nice; timeout -k 1 5 echo in; timeout --signal=TERM 5 echo long; command -- echo c",
    'bash readini.sh vars.ini none x; echo "<$(bash readini.sh vars.ini default none)>"',
]


def run(text: str) -> CommandResult:
    """Return what our evaluation makes of a snippet."""
    tree = Tree({path: SourceFile(path, content) for path, content in FILES.items()})
    world = World(tree, lambda _: CommandResult())
    return evaluate(Script("snippet.sh", text.encode()), Shell(), world)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("snippets")
    for path, content in FILES.items():
        (made / path).write_text(content)
    return made


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_snippet_prints_what_bash_prints(snippet: str, folder: Path) -> None:
    argv = ["bash", "-c", snippet]
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
    real = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True,
                          check=False, timeout=20)  # fmt: skip
    assert real.stdout, real.stderr
    assert run(snippet).output == real.stdout


@pytest.mark.parametrize(
    "snippet",
    [
        "hostname",
        "echo $(date)",
        "cat /etc/hosts",
        "more /etc/hosts | grep vm | awk '{print $2}'",
        "x=$(cibadmin -Q | awk '{print $1}'); echo $x",
        "echo $1",
        "read answer; echo $answer",
        "if [ -f /etc/tag ]; then x=1; else x=2; fi; echo $x",
        "some_program | while read a; do x=$a; echo $a; done",
        "echo $RANDOM",
        ". /root/openrc; echo $OS_USERNAME",
        "echo x >> /etc/hosts; cat /etc/hosts",
    ],
)
def test_what_cannot_be_known_is_unknown(snippet: str) -> None:
    tree = Tree()
    world = World(tree, lambda _: CommandResult())
    answer = evaluate(Script("x.sh", snippet.encode()), Shell(by_hand=True), world)
    assert not is_known(answer.output)


def calls(text: str, **files: str) -> list[tuple[str, str, int, str]]:
    """Return the pcs commands of a script: host, words, line, condition."""
    tree = Tree({f"{name}.sh": SourceFile(f"{name}.sh", one) for name, one in files.items()})
    found: list[Call] = []

    def note(call: Call) -> CommandResult:
        found.append(call)
        return CommandResult()

    world = World(tree, note, {"192.0.2.11": "c1"})
    evaluate(Script("x.sh", text.encode()), Shell(), world)
    shown = world.unknowns.show
    return [(one.host, shown(" ".join(one.arguments)), one.place.line, one.condition)
            for one in found]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssh root@c1 'pcs status'", ("c1", "status", 1, "")),
        ("ssh -o X=y -p 22 -i k c1 pcs status", ("c1", "status", 1, "")),
        ("ssh 192.0.2.11 'hostname; pcs a $(hostname)'", ("c1", "a c1", 1, "")),
        ("x=1; ssh c1 \"pcs a $x \\$x\"", ("c1", "a 1", 1, "")),
        ("ssh c1 \"pcs a 'b c'  \\\"d e\\\"\"", ("c1", "a b c d e", 1, "")),
        ("ssh c1 \"ssh c2 \\\"pcs a\\\"\"", ("c2", "a", 1, "")),
        ("ssh c1 <<EOF\n\npcs a\nEOF", ("c1", "a", 3, "")),
        ("ssh c1 'bash -s' <<'EOF'\nx=2\npcs a $x\nEOF", ("c1", "a 2", 3, "")),
        ("ssh c1 \"cd /root && \\\n  pcs a\"", ("c1", "a", 2, "")),
        ("cat > /tmp/s.sh <<EOF\n#!/bin/bash\npcs a \\$1\nEOF\nscp /tmp/s.sh c1:/root\n"
         "ssh c1 bash /root/s.sh b", ("c1", "a b", 3, "")),
        ("sudo -u root timeout 30 pcs a", ("", "a", 1, "")),
        ("sudo -nu root --host=h pcs a", ("", "a", 1, "")),
        ("flock -n /tmp/lock pcs a", ("", "a", 1, "")),
        ("ssh -qo X=y c1 -t pcs a", ("c1", "a", 1, "")),
        ("su - root -c 'pcs a'", ("", "a", 1, "")),
        ("su root --command='pcs a'", ("", "a", 1, "")),
        ("runuser -u root -- pcs a", ("", "a", 1, "")),
        ("sshpass -p x ssh c1 pcs a", ("c1", "a", 1, "")),
        ("P='pcs -f x'; $P a", ("", "-f x a", 1, "")),
        ("f() { \"$@\"; }\nf pcs a b", ("", "a b", 2, "")),
        ("f() { eval \"$1\"; }\nf 'pcs a b'", ("", "a b", 2, "")),
        ("pcs a \\\n  b \\\n  c", ("", "a b c", 1, "")),
        ("[ -f /x ] && pcs a", ("", "a", 1, "[ -f /x ]")),
        ("if grep -q x /y; then\npcs a\nfi", ("", "a", 2, "grep -q x /y")),
        ("for n in $(cibadmin -Q); do pcs a $n; done",
         ("", "a <what cibadmin -Q prints>", 1, "for each of <what cibadmin -Q prints>")),
        ("if ! pcs show x; then exit; fi; pcs a", ("", "show x", 1, "")),
        ("yum install -y a && pcs a", ("", "a", 1, "")),
        ("echo $(pcs a)", ("", "a", 1, "")),
        ("ask() { read x; if [ $x = y ]; then echo; else ask; fi; }\nask\npcs a", ("", "a", 3, "")),
    ],
)  # fmt: skip
def test_where_a_pcs_command_runs_and_stands(
    text: str, expected: tuple[str, str, int, str]
) -> None:
    assert calls(text)[0] == expected


def test_a_script_runs_once_for_each_host_that_it_is_sent_to() -> None:
    text = "for i in 1 2; do scp n.sh c$i:/root; ssh c$i 'bash n.sh'; done"
    found = calls(text, n="pcs a $(hostname)\n")
    assert [(host, words) for host, words, _, _ in found] == [("c1", "a c1"), ("c2", "a c2")]
