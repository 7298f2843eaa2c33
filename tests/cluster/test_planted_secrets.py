"""Secrets that are easily found again: in nothing that is printed, kept or run, whatever is done.

A fence device stands for what has a password; ocf:pacemaker:Dummy runs where no device is. `passwd`
is a secret by its name, `fake` because the inventory said so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from pacefab.harness.parallel import on_all
from tests.cluster import eyes
from tests.cluster.eyes import Done

OLD, NEW, STATS = "OldPlantedPw1", "NewPlantedPw2", "StatsPlantedPw3"
PLANTED = re.compile(r"PlantedPw|\$2b\$")  # and the hash of the one for HAProxy's page
# What any user can see, again and again: argv of all processes.
SAMPLE = r"""
while :; do
    cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' >>/tmp/planted
    sleep 0.05
done
"""
# What others than root may read of what pacefab keeps, and of what lies beside files.
READABLE = r"""
find /var/lib/pacefab /etc/haproxy /tmp /run -xdev -type f -perm -o+r ! -name planted \
    -exec grep -l -e PlantedPw -e '\$2b\$' {} + 2>/dev/null
true
"""
# Of what is noted of a change: it is printed later, to whoever asks.
NOTES = (
    "cat /var/lib/pacefab/history/*/note.json; base64 -d /var/lib/pacefab/history/*/note.json; true"
)


class Trial:
    """Runs of the program, with all that they printed."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self.said = ""

    def inventory(self, *, secret: bool = True, stats: bool = True, fails: bool = False) -> Path:
        """Write an inventory; without secrets their parameters are left out."""
        own = "passwd: {secret: ipmi}, fake: {secret: fake}, " if secret else ""
        bad = f"parameters: {{{own}fail_start_on: c1}}, clone: {{}}"
        failing = f"  bad: {{agent: 'ocf:pacemaker:Dummy', {bad}}}\n" if fails else ""
        page = "stats: {port: 1993}, " if stats else ""
        proxy = f"{{name: cache, vip: {self.cluster.address('c1')}, port: 11999}}"
        file = self.folder / "cluster.yaml"
        file.write_text(
            f"cluster: {self.cluster.name}\nnodes: [{', '.join(self.cluster.nodes)}]\n"
            "fencing: {disabled: true, reason: test}\n"
            "resources:\n  dev: {agent: 'ocf:pacemaker:Dummy', "
            f"parameters: {{{own}op_sleep: 0}}}}\n{failing}"
            f"services:\n  haproxy: {{{page}proxies: [{proxy}]}}\n"
        )
        return file

    def fab(self, *words: str, password: str, file: Path, status: Sequence[int] = (0,)) -> Done:
        """Run a task with the secrets in the environment."""
        env = {
            "PACEFAB_SECRET_IPMI": password,
            "PACEFAB_SECRET_FAKE": password,
            "PACEFAB_SECRET_HAPROXY_STATS": STATS,
            "XDG_STATE_HOME": str(self.folder / "state"),
        }
        done = self.cluster.fab(*words, "--inventory", str(file), env=env)
        assert done.returncode in status, done.stdout + done.stderr
        self.said += done.stdout + done.stderr
        assert not PLANTED.search(done.stdout + done.stderr), words
        return done


@pytest.fixture(scope="module")
def trial(bare: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A cluster on which an ordinary user of each node looks at all processes all the time."""
    start = "systemd-run --quiet --collect --unit=sampler --uid=nobody sh /run/sample"

    def begin(node: str) -> None:
        bare.run(node, "cat >/run/sample", stdin=SAMPLE)
        bare.run(node, f"rm -f /tmp/planted; {start}")

    on_all(begin, bare.nodes)
    eyes.until(lambda: all(eyes.exists(bare, n, "/tmp/planted") for n in bare.nodes), "they look")
    yield Trial(bare, tmp_path_factory.mktemp("planted"))
    on_all(lambda node: bare.run(node, "systemctl stop sampler; rm -f /tmp/planted"), bare.nodes)


@pytest.mark.long
def test_no_secret_is_shown_kept_for_others_or_run(trial: Trial) -> None:
    cluster = trial.cluster
    yes = ("--yes", "--allow-interruption")
    trial.fab("deploy", "--yes", password=OLD, file=trial.inventory())
    changed = trial.fab("deploy", *yes, password=NEW, file=trial.inventory())
    assert "passwd: (secret) -> (another secret)" in changed.stdout
    assert "fake: (secret) -> (another secret)" in changed.stdout

    whole = trial.inventory()
    for words in (("--dry-run",), yes):
        done = trial.fab("rollback", *words, password=NEW, file=whole)
        assert "passwd: (secret) -> (another secret)" in done.stdout
        assert "fake: (secret) -> (another secret)" in done.stdout
    dropped = trial.inventory(secret=False, stats=False)
    for form in ("--json", "--show-pcs"):
        trial.fab("plan", form, password=NEW, file=dropped, status=(0, 2))
    trial.fab("deploy", *yes, password=NEW, file=dropped)
    trial.fab("rollback", *yes, password=NEW, file=dropped)
    trial.fab("adopt", password=OLD, file=trial.inventory(), status=(0, 1, 2))
    failing = trial.inventory(fails=True)
    trial.fab("deploy", *yes, "--timeout", "60", password=NEW, file=failing, status=(1,))
    trial.fab("history", password=NEW, file=whole)
    trial.fab("status", "--json", password=NEW, file=whole, status=(0, 1))

    for node in cluster.nodes:
        seen = cluster.run(node, "cat /tmp/planted").stdout
        assert "#pacefab" in seen, "the sampler saw our processes"
        assert not PLANTED.search(seen)
        assert cluster.run(node, READABLE).stdout == ""
        assert not PLANTED.search(cluster.run(node, NOTES, check=False).stdout)
    for file in (trial.folder / "state" / "pacefab" / cluster.name).iterdir():
        assert (file.stat().st_mode | file.parent.stat().st_mode) & 0o077 == 0, file
        assert file.suffix != ".json" or not PLANTED.search(file.read_text())
