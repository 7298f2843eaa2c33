"""Record what the trees with a started.txt run: `record_trees.py IMAGE [NAME…]`, from here.

The scripts run as record.sh runs them. Before that, in a copy, each name of a cluster's program that
stands before a word is given one more: --at=FILE:LINE:NUMBER, which the stand-ins note. So each line
of expected/ran.txt ends with all places that its words came by: `HOST: words @FILE:LINE:NUMBER …`.
What other files than scripts have is run as what reads them would: make -n prints the recipes, the
tasks of playbooks are those that a reader of YAML finds, each with the items of its loop.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

from ruamel.yaml import YAML

HERE = Path(__file__).parent
PROGRAMS = r"pcs|crm|crmsh|crm_attribute|crm_resource|cibadmin|stonith_admin"
OTHERS = {
    "compute": "|pcs_", "hana": r"|\$CRM", "nfsdrbd": r"|\$PCS",
    "iscsi": r'|"\$\{PCS\[@\]\}"', "webfarm": "|p", "zabbix": "|p",
}  # fmt: skip
ITEMS = {  # what the tasks of a playbook loop over, by a name in the loop
    "gfs2_volumes": [{"name": "home", "device": "/dev/vg_shared/home"},
                     {"name": "data", "device": "/dev/vg_shared/data"}],
}  # fmt: skip
PREPARED = {"iscsi": "mkdir -p /etc/san; echo s > /etc/san/secret"}  # what a host of theirs has
TARGETS = ("cluster", "exercise-1", "exercise-2", "exercise-3", "exercise-5", "status", "clean")


def program(name: str) -> re.Pattern[str]:
    """Return what finds the names of a cluster's programs, before a word, in a tree's files."""
    names = rf"(?<![\w./@'-])(?:{PROGRAMS}{OTHERS.get(name, '')})|\$\(PCS\)"
    return re.compile(rf"({names})(?=[ \t]+[\"a-z$<-])")


def marked(name: str, path: str, text: str) -> str:
    """Return a file's text with the place of each program's name behind it."""
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
        count = 0

        def with_place(found: re.Match[str], number: int = number) -> str:
            nonlocal count
            count += 1
            return f"{found[0]} --at={path}:{number}:{count}"

        lines.append(program(name).sub(with_place, line))
    return "\n".join(lines)


def of_playbook(text: str) -> Iterator[str]:
    """Yield the commands of a file of tasks."""
    found = YAML(typ="safe").load(re.sub(r"!vault", "", text)) or []
    tasks = [task for play in found for task in play.get("tasks", [play])]
    for task in tasks:
        for key in ("shell", "command", "ansible.builtin.shell", "ansible.builtin.command"):
            if key not in task:
                continue
            given = task[key]
            if isinstance(given, dict):
                given = shlex.join(given["argv"]) if "argv" in given else given["cmd"]
            loop = task.get("loop", [""])
            items = next((ITEMS[one] for one in ITEMS if one in loop), loop)
            yield from (filled(given, item) for item in items)


def filled(text: str, item: object) -> str:
    """Return a command with the item of a loop in it."""

    def value(found: re.Match[str]) -> str:
        name = found[1].strip()
        if name == "item":
            return str(item)
        return str(item[name[5:]]) if isinstance(item, dict) else name.upper()

    return re.sub(r"\{\{(.*?)\}\}", value, text)


def of_cloud(text: str) -> Iterator[str]:
    """Yield the commands of cloud-init, the files that it writes before them."""
    found = YAML(typ="safe").load(text)
    for file in found.get("write_files", []):
        yield f"cat > {file['path']} << 'FILE'\n{file['content']}FILE"
    for one in found.get("runcmd", []):
        yield one if isinstance(one, str) else shlex.join(one)


def elsewhere(tree: Path) -> Iterator[str]:
    """Yield the commands of the files that are no scripts."""
    for file in sorted(tree.rglob("*")):
        if file.name == "Vagrantfile":
            yield from re.findall(r"<<-(\w+)\n(.*?)\n\s*\1\n", file.read_text(), re.DOTALL)[0][1:]
        elif file.name == "Makefile":
            for target in TARGETS:
                made = ["make", "-n", "-o", "up", "-o", "cluster", target]
                if target == "cluster":
                    made = ["make", "-n", "-o", "up", target]
                yield subprocess.run(
                    made, cwd=file.parent, capture_output=True, text=True, check=True
                ).stdout
        elif file.suffix in {".yml", ".yaml"} and "runcmd:" in file.read_text():
            yield from of_cloud(file.read_text())
        elif file.suffix == ".yml" and "group_vars" not in file.parts:
            yield from of_playbook(file.read_text())


def record(name: str, image: str) -> None:
    """Write the expected/ran.txt of a tree."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        copytree(HERE / name / "scripts", tree)
        for file in tree.rglob("*"):
            if file.is_file():
                path = file.relative_to(tree).as_posix()
                file.write_text(marked(name, path, file.read_text()))
        (tree / ".others").mkdir()
        for number, text in enumerate(elsewhere(tree)):
            (tree / ".others" / str(number)).write_text(text)
        started = (HERE / name / "expected" / "started.txt").read_text().splitlines()
        others = sorted((tree / ".others").iterdir(), key=lambda one: int(one.name))
        prepared = [PREPARED[name]] if name in PREPARED else []
        commands = [*prepared, *(f"bash .others/{one.name}" for one in others), *started]
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        done = subprocess.run(
            [HERE / "record.sh", tree, image, *commands],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    (HERE / name / "expected" / "ran.txt").write_text(done.stdout)
    print(name, len(done.stdout.splitlines()))


if __name__ == "__main__":
    os.chdir(HERE)
    names = sys.argv[2:] or sorted(one.parent.parent.name for one in HERE.glob("*/*/started.txt"))
    for one in names:
        record(one, sys.argv[1])
