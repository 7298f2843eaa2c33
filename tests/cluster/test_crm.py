"""A cluster that crmsh configured, against what `migrate` makes of the same script."""

from __future__ import annotations

from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster.test_migrate import migrate

INSTALL = "apt-get install -qq --no-install-recommends crmsh >/dev/null"
SCRIPT = """\
#!/bin/bash
cat > front.crm <<'EOF'
group front web page
primitive web ocf:pacemaker:Dummy params fake=x op monitor interval=20s timeout=20s
primitive page ocf:pacemaker:Dummy op monitor interval=21s
rsc_defaults resource-stickiness=100
EOF
crm configure <<EOF
node 1: c1
node 2: c2
node 3: c3
property stonith-enabled=false dc-deadtime=3s load-threshold=0% cluster-recheck-interval=5min
primitive everywhere ocf:pacemaker:Dummy
clone cl_everywhere everywhere \\
    meta interleave=true
primitive state ocf:pacemaker:Stateful \\
    op monitor interval=10s role=Master op monitor interval=11s role=Slave
ms ms_state state meta master-max=1 notify=true
EOF
crm configure load update front.crm
echo 'configure location l_front front rule 50: rack eq a' | crm
crm configure order o_front Optional: cl_everywhere front
crm configure order o_state inf: ms_state:promote front:start
crm configure colocation k_front inf: front ms_state:Master
crm node attribute c1 set rack a
crm resource stop page
"""


def test_what_migrate_reads_is_what_crmsh_made(bare: Cluster, tmp_path: Path) -> None:
    if bare.run("c1", "command -v apt-get", check=False).returncode:
        pytest.skip("this distribution has no package of crmsh")
    bare.run("c1", INSTALL, timeout=180)
    bare.run("c1", "cd /root && bash -e", stdin=SCRIPT)
    folder, live = tmp_path / "scripts", tmp_path / "cib.xml"
    folder.mkdir()
    (folder / "build.sh").write_text(SCRIPT, encoding="utf-8")
    live.write_text(bare.run("c1", "cibadmin --query").stdout, encoding="utf-8")
    migrate("--from", folder, "--check", live)
