"""Scripts inside files that are no bash: read where their embedding is plain, else reported."""

from __future__ import annotations

import pytest

from pacefab.legacy.embedded import embedded
from pacefab.legacy.migrate import migrate_tree
from pacefab.legacy.model import Fate
from pacefab.legacy.source import SourceFile, Tree

MAKEFILE = """\
NET ?= 192.0.2
ADDRESS := $(NET).7
# a target of its own
well: check
\t@echo making
\t-pcs resource create well ocf:heartbeat:IPaddr2 \\
\t  ip=$(ADDRESS)
\tfor n in b c; do pcs constraint location well avoids $$n; done
\tpcs resource create $(WHO) ocf:heartbeat:Dummy
"""
DOCKERFILE = """\
FROM scratch
RUN true && \\
    pcs resource create well ocf:heartbeat:IPaddr2 ip=192.0.2.7
CMD ["pcs", "status"]
"""
VAGRANTFILE = """\
$first = <<-STEPS
  pcs resource create well ocf:heartbeat:IPaddr2 ip=192.0.2.7
  pcs resource create #{name} ocf:heartbeat:Dummy
STEPS
Vagrant.configure("2") do |config|
  config.vm.provision "shell", inline: $first
end
"""
PLAYBOOK = """\
- hosts: all
  tasks:
    - name: the well
      ansible.builtin.shell: |
        pcs resource create well ocf:heartbeat:IPaddr2 \\
          ip=192.0.2.7
      when: inventory_hostname == 'a'
    - command: "pcs resource create {{ who }} ocf:heartbeat:Dummy"
"""
CLOUD = """\
#cloud-config
packages: [pcs]
runcmd:
  - pcs resource create well ocf:heartbeat:IPaddr2 ip=192.0.2.7
  - [pcs, resource, cleanup]
"""
UNIT = """\
[Service]
ExecStart=-/bin/bash -c "pcs resource create well ocf:heartbeat:IPaddr2 ip=192.0.2.7"
ExecStop=/usr/sbin/pcs resource create %i ocf:heartbeat:Dummy
"""
TERRAFORM = """\
  inline = [
    "sudo pcs resource create well ocf:heartbeat:IPaddr2 ip=192.0.2.7",
  ]
"""
# The file, its text, the line that makes the well, and one that cannot be known.
FILES = [
    ("Makefile", MAKEFILE, 6, 9),
    ("build/Dockerfile", DOCKERFILE, 3, 4),
    ("Vagrantfile", VAGRANTFILE, 2, 3),
    ("site.yml", PLAYBOOK, 5, 8),
    ("user-data", CLOUD, 4, 0),
    ("well.service", UNIT, 2, 3),
    ("main.tf", TERRAFORM, 2, 0),
]


@pytest.mark.parametrize(("path", "text", "line", "unclear"), FILES, ids=[f[0] for f in FILES])
def test_a_script_in_another_file_is_read(path: str, text: str, line: int, unclear: int) -> None:
    done = migrate_tree(Tree({path: SourceFile(path, text)}), "folder", "cluster")
    assert "  well:" in done.inventory
    assert "ip: 192.0.2.7" in done.inventory
    fates = {one.place.line: (one.fate, one.reason) for one in done.entries
             if one.place.file == path}  # fmt: skip
    fate, reason = fates[line]
    assert fate is Fate.TRANSLATED
    assert "assumed to hold" in reason
    assert not unclear or fates[unclear][0] is Fate.UNTRANSLATED


def test_the_condition_of_a_task_is_reported() -> None:
    (first, second) = embedded(SourceFile("site.yml", PLAYBOOK))
    assert first.condition == "when: inventory_hostname == 'a'"
    assert second.condition == "the task runs"


def test_what_a_makefile_fills_in_is_known_where_it_sets_it() -> None:
    texts = [one.text for one in embedded(SourceFile("Makefile", MAKEFILE))]
    assert "ip=192.0.2.7" in texts[1]
    assert texts[2].startswith("for n in b c; do pcs constraint location well avoids $n;")
    assert "$(WHO)" in texts[3]
