"""What is typed wrongly ends with status 2 and a next step; nothing that is typed is ignored."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fabric import Config
from fabric.main import Fab

from pacefab.cli.flags import check_flags, dry_options
from pacefab.cli.inventory import read_inventory
from pacefab.cli.naming import as_typed
from pacefab.cli.options import number
from pacefab.cli.program import Pacefab
from pacefab.cli.reading.completion import completed
from pacefab.cli.reading.host_names import check_hosts
from pacefab.cli.reading.spelling import nearest
from pacefab.cli.routes import HostExecutor
from pacefab.errors import UsageError
from pacefab.tasks import namespace
from pacefab.transport.names import check_name

Ended = tuple[int, str, str]
Type = Callable[..., Ended]


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Type:
    """Run the program in an empty folder: exit status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    for name in namespace.task_names:  # Invoke takes out of it what it has read
        task = namespace[name]
        monkeypatch.setattr(task, "help", dict(task.help))
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)  # Invoke sets it

    def run(*words: str) -> Ended:
        program = Pacefab(
            name="pacefab", binary="pacefab", namespace=namespace, version="1",
            executor_class=HostExecutor, config_class=Config,
        )  # fmt: skip
        status = 0
        try:
            program.run(["pacefab", *words])
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


WRONG = {
    "-H c1 stauts": ("there is no task stauts", "did you mean status?"),
    "-H c1 install_memcached": ("there is no task install_memcached", "did you mean install-mem"),
    "-H c1 memcached-remove": ("memcached-remove", "did you mean remove-memcached?"),
    "create": ("there is no task create", "create-haproxy"),
    "c1,c2 status": ("there is no task c1,c2", "hosts are given with -H"),
    "status nonsense": ("nonsense behind status", "--help status"),
    "history 3": ("3 behind history, which takes options only", "--help history"),
    "status stauts": ("there is no task stauts", "did you mean status?"),
    "add-node --dry-run": ("--dry-run is no option of add-node", "pacefab plan shows"),
    "bootstrap --dry-run": ("--dry-run is no option of bootstrap", "pacefab plan shows"),
    "--inventory x.yaml plan": ("--inventory is no option of pacefab", "pacefab plan --inventory"),
    "--memory 64 install-memcached": ("--memory", "install-memcached --memory"),
    "--host c1 status": ("--host", "did you mean --hosts?"),
    "status --jsn": ("--jsn is no option of status", "did you mean --json?"),
    "install-memcached --max_connections 5": ("--max_connections", "did you mean --max-connect"),
    "status --kind process": ("--kind is no option of status", "it is an option of drill"),
    "install-memcached --memory": ("--memory without a value", "--memory VALUE"),
    "install-memcached --memory --port 1": ("--memory without a value", "--memory VALUE"),
    "install-memcached --lock-timeout": ("--lock-timeout without a value", "VALUE"),
    "-H": ("-H without a value", "VALUE"),
    "plan --json=yes": ("--json takes no value", "--json alone"),
    "deploy --yes plan.json": ("plan.json behind deploy", "--saved-plan plan.json"),
    "-t soon status": ("-t soon", "a whole number, 1 or more"),
    "-t 0 status": ("-t 0", "a whole number, 1 or more"),
    "--connect-timeout=-3 status": ("--connect-timeout -3", "a whole number, 1 or more"),
    "status -t soon": ("-t soon", "a whole number, 1 or more"),
    "-T many status": ("-T many", "a whole number, 1 or more"),
    "--list -D all": ("-D all", "a whole number, 1 or more"),
    "status --version": ("--version behind a task", "before the tasks"),
    "status --list-agent-keys": ("--list-agent-keys behind a task", "before the tasks"),
    "status -d": ("--debug behind a task", "before the tasks"),
    "-D 1 status": ("--list-depth without --list", "--list --list-depth"),
    "-F json status": ("--list-format without --list", "--list --list-format"),
    "--list -F yaml": ("--list-format yaml", "flat, nested, json"),
    "--list nosuch": ("nosuch", "--list shows the tasks"),
    "--help statsu": ("there is no task statsu", "did you mean status?"),
    "--print-completion-script tcsh": ("tcsh", "--help"),
    "-status": ("-status is no option", "status is a task: pacefab status"),
    "--Status": ("--Status is no option", "status is a task"),
    "--help=statsu": ("there is no task statsu", "did you mean status?"),
    "--list json": ("there is no collection of tasks json", "--list -F json"),
    "-H a -H b status": ("-H is given twice", "-H c1,c2"),
    "-H a status -H b": ("-H is given twice", "-H c1,c2"),
    "-H a status --hosts=b": ("--hosts is given twice", "-H c1,c2"),
    "update-memcached --memory 1 --memory 2": ("--memory is given twice", "give it once"),
    "update-memcached --memory=1 --memory=2": ("--memory is given twice", "give it once"),
    "plan --inventory=": ("--inventory ''", "--inventory VALUE, or leave it out"),
    "drill --kind process --report=": ("--report ''", "--report VALUE"),
    "-S= status": ("-S ''", "-S VALUE"),
    "-t 99999999999 status": ("-t 99999999999", "1 to 1000000000"),
    "migrate --from": ("--from without a value", "--from VALUE"),
    "migrate --from x --check y --to z --force": ("--check and --to, --force", "leave out"),
    "migrate --from x --check y --html z": ("--check and --html", "leave out"),
    "migrate --from x --on y": ("it is no HOST=SCRIPT", "--on HOST=SCRIPT"),
    "migrate --from x --on -o=y": ("it is no HOST=SCRIPT", "--on HOST=SCRIPT"),
    "migrate --from . --entry 'a": ("No closing quotation", "quote as in a shell"),
    "migrate --from . --set A": ("it is no NAME=VALUE", "--set NAME=VALUE"),
    "-H c1 init --from-cluster c2": ("--from-cluster and -H c1", "leave out"),
    "init --from-cluster root@": ("'root@' has no host", "[USER@]HOST[:PORT]"),
    "init --from-cluster c1:x": ("'x' is no port", "host:22"),
    "-H c1 status --json --prometheus": ("--json and --prometheus", "leave out"),
    "-H c1 status --json --format classic": ("--json and --format classic", "leave out"),
    "-H c1 status --interval 5": ("--interval without --watch", "add that"),
    "-H c1 drill --kind process,none": ("--kind process,none", "give --kind with one of"),
    "-H c1 drill --undo --kind process": ("--undo and --kind", "leave out"),
    "-H c1 client-config --json --format list": ("--json and --format", "leave out"),
    "-H c1 client-config --write x --format list": ("--write and --format", "leave out"),
    "-H c1 client-config --write x --on ,": ("',' has no host's name", "--on name"),
    "-H c1 check-clients --files x --on c1:x": ("'x' is no port", "host:22"),
    "check-clients a.conf --on c1": ("a.conf behind check-clients", "--files a.conf"),
    "check-clients --files a.conf --on c1": ("--on without -H", "leave --on out"),
    "-H c1 upgrade": ("none of --check, --fix, --packages-only", "--check changes nothing"),
    "-H c1 upgrade --check --fix": ("--check and --fix", "--check changes nothing"),
    "-H c1 upgrade --check --to buster": ("--to buster", "bookworm, trixie"),
    "-H c1 upgrade --check --yes": ("--check and --yes", "leave out"),
    "-H c1 upgrade --fix --json": ("--fix and --json", "leave out"),
    "-H c1 verify-memcached --junit no/such": ("No such file", "another file"),
    "-H c1 plan --save /": ("Is a directory", "another file"),
    "-H root@ status": ("'root@' has no host", "[USER@]HOST[:PORT]"),
    "-H @c1 status": ("'@c1' has no user", "[USER@]HOST[:PORT]"),
    "-H c1: status": ("'' is no port", "host:22"),
    "-H c1:-1 status": ("'-1' is no port", "host:22"),
    "-H c1:70000 status": ("'70000' is no port", "host:22"),
    "-H [::1]:x status": ("'x' is no port", "host:22"),
    "-H [c1]:22 status": ("brackets are for", "[fd00::1]:22"),
    "-H c1 --": ("no command behind --", "-H c1,c2 -- COMMAND"),
    "-f ~nobody-here/x.yaml status": ("No such file", "can be read"),
    "-H , status": ("no host's name", "-H name"),
    "-H c1,,c2 status": ("no host's name", "-H name"),
    "-H c1 status -- uptime": ("a task, status, and a command", "one after the other"),
    "-- uptime": ("no host was given", "-H c1,c2 -- COMMAND"),
    "-f nosuch.yaml status": ("No such file", "can be read"),
    "-f settings.toml status": ("no kind of settings file", ".yaml"),
    "-i nosuch status": ("No such file", "can be read"),
    "-S nosuch status": ("No such file", "can be read"),
    "plan --inventory a.yaml deploy --inventory b.yaml history": ("--inventory differs", "each"),
}


@pytest.mark.parametrize("line", WRONG)
def test_what_is_typed_wrongly_is_named_with_what_to_type(line: str, typed: Type) -> None:
    seen, next_step = WRONG[line]
    status, _, said = typed(*line.split())
    assert status == 2
    lines = said.splitlines()
    assert [text.partition(":")[0].strip() for text in lines[:2]] == ["error", "attempted"]
    assert seen in said.partition("seen:")[2].partition("next:")[0]
    assert next_step in " ".join(said.partition("next:")[2].split())


@pytest.mark.parametrize(
    "text", ["", " 6", "-1", "1.5", "1e3", "1_000", "٣", "²", "9" * 30, "9" * 5000, "0"]
)
def test_a_number_is_digits_within_reason(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        number("--memory", text, least=1)
    assert "a whole number, 1 " in refused.value.next_step
    assert len(refused.value.seen) < 80
    assert refused.value.seen != "--memory "


def test_hosts_that_ssh_would_take_are_taken() -> None:
    for hosts in ("c1", "root@c1:22,10.0.0.1", "::1", "root@fe80::1%eth0", "dom@ain@c1"):
        check_hosts("-H", hosts)
    for name in ("fe80::1%eth0", "fe80::1%eth0.100", "root@fe80::1%br-ex", "c_1"):
        check_name(name)
    for name in ("-c1", "c1;x", "fe80::1%a$b", "fe80::1%"):
        with pytest.raises(UsageError):
            check_name(name)


@pytest.mark.parametrize("columns", [1, 20, 300])
def test_help_fits_a_terminal_of_any_width(
    columns: int, typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pacefab.cli.reading.explaining.pty_size", lambda: (columns, 24))
    assert "--inventory" in typed("status", "--help")[1]
    options = typed("--help", "drill")[1].partition("Options:")[2].splitlines()
    assert max(map(len, options)) <= max(columns, 70)


HONOURED_OR_REFUSED = {
    "-R": "has no --dry-run",
    "--dry": "has no --dry-run",
    "-e": "-e/--echo",
    "--echo": "-e/--echo",
    "-w": "-w/--warn-only",
    "--warn-only": "-w/--warn-only",
    "-p": "-p/--pty",
    "--pty": "-p/--pty",
    "-T 5": "-T/--command-timeout",
    "--command-timeout 5": "-T/--command-timeout",
    "--hide both": "--hide",
}


@pytest.mark.parametrize("flag", HONOURED_OR_REFUSED)
@pytest.mark.parametrize("behind", [False, True])
def test_an_option_of_fabric_that_no_task_can_honour_is_refused(
    flag: str, behind: bool, typed: Type
) -> None:
    words = ["add-node", *flag.split()] if behind else [*flag.split(), "add-node"]
    status, _, said = typed("-H", "nowhere.invalid", *words)
    assert status == 2
    assert HONOURED_OR_REFUSED[flag] in said
    assert "nowhere.invalid" not in said  # nobody was asked


DECIDED = {
    "refused with tasks": {"command-timeout", "echo", "hide", "pty", "warn-only"},
    "the task's --dry-run": {"dry"},
    "with --list only": {"list-depth", "list-format"},
    "before the tasks only": {
        "collection", "debug", "list-agent-keys", "print-completion-script", "search-root",
        "version", "write-pyc",
    },
    "honoured": {
        "complete", "config", "connect-timeout", "help", "hosts", "identity", "list", "no-dedupe",
        "prompt-for-login-password", "prompt-for-passphrase", "prompt-for-sudo-password",
        "ssh-config",
    },
}  # fmt: skip


def test_it_is_decided_what_each_option_of_fabric_means() -> None:
    program = Fab(version="1")
    options = {
        max(option.names, key=len) for option in (*program.core_args(), *program.task_args())
    }
    assert set().union(*DECIDED.values()) == options


def test_dry_is_a_tasks_own_dry_run() -> None:
    dry = Config(overrides={"run": {"dry": True}})
    check_flags(dry, "install-memcached", ["memory", "dry_run"])
    assert dry_options(dry, {"memory": "1", "dry_run": False}) == {"memory": "1", "dry_run": True}
    assert dry_options(Config(), {"dry_run": False}) == {"dry_run": False}
    check_flags(dry, "status")  # changes nothing
    check_flags(dry, "ha.plan")
    with pytest.raises(UsageError) as refused:
        check_flags(dry, "drill", ["kind"])
    assert "--dry-run" in refused.value.next_step


def test_what_others_set_for_their_own_tasks_is_no_option_of_this_command() -> None:
    check_flags(Config(defaults={**Config.global_defaults(), "timeouts": {"command": 5}}), "deploy")


def test_starts_and_variables_of_a_migration_are_given_several_times(
    typed: Type, tmp_path: Path
) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "one.sh").write_text("#!/bin/bash\npcs cluster setup $NAME $1 $SECOND\n")
    (scripts / "two.sh").write_text("#!/bin/bash\npcs resource create $1 systemd:$1\n")
    starts = ("--entry", "one.sh n1", "--entry", "two.sh ink", "--entry=two.sh wax")
    settings = ("--set", "NAME=lake", "--set=SECOND=n2")
    status, _, _ = typed("migrate", "--from=scripts", "--to=made.yaml", *starts, *settings)
    assert status == 0
    made = read_inventory(tmp_path / "made.yaml")
    assert (made.cluster, [node.name for node in made.nodes]) == ("lake", ["n1", "n2"])
    assert list(made.resources) == ["ink", "wax"]


def test_tasks_of_one_command_share_what_is_given_once(typed: Type, tmp_path: Path) -> None:
    status, _, said = typed("plan", "deploy", "--yes", "--inventory", "nosuch.yaml")
    assert (status, "read the inventory nosuch.yaml" in said) == (2, True)
    status, _, said = typed("history", "--inventory", "nosuch.yaml", "plan", "deploy")
    assert (status, "read the inventory nosuch.yaml" in said) == (2, True)


def test_the_list_is_grouped_and_fits_a_terminal(typed: Type) -> None:
    status, said, _ = typed("--list")
    assert status == 0
    assert max(map(len, said.splitlines())) <= 80
    titles = [line for line in said.splitlines() if line and not line.startswith(" ")]
    assert titles[0] == "First steps"
    listed = [line.split()[0] for line in said.splitlines() if line.startswith("  ")]
    assert sorted(listed) == sorted(namespace.task_names)  # once each, and none on two lines
    assert said.index("  bootstrap") < said.index("  deploy") < said.index("  drill")


def test_programs_get_the_list_as_json(typed: Type) -> None:
    assert '"name": "status"' in typed("--list", "--list-format", "json")[1]


def test_help_of_the_program_and_of_a_task(typed: Type) -> None:
    assert "First steps" in typed("--help")[1]
    assert "--inventory" in typed("status", "--help")[1]
    assert typed("--help", "status")[1] == typed("status", "--help")[1]


TASKS = ("client-config", "drill", "status")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("-H c1 status --format ", ["text", "json", "classic", "prometheus"]),
        ("status --format", ["text", "json", "classic", "prometheus"]),
        ("status --format p", ["prometheus"]),
        ("status --format = p", ["prometheus"]),
        ("status --format=c", ["classic"]),
        ("status drill --format ", None),
        ("status --format text ", None),
        ("status --interval ", None),
        ("--format ", None),
        ("", None),
        ("status '", None),
    ],
)
def test_values_from_a_list_are_completed(line: str, offered: list[str] | None) -> None:
    assert completed(line, TASKS) == offered


def test_completion_offers_values_options_and_tasks(typed: Type) -> None:
    kinds = typed("--complete", "--", "/opt/bin/pacefab drill --kind ")[1].split()
    assert "process" in kinds
    assert "status" not in kinds
    assert "--show-pcs" in typed("--complete", "--", "/opt/bin/pacefab plan --s")[1].split()
    assert "status" in typed("--complete", "--", "pacefab sta")[1].split()
    assert "--kind" not in typed("--complete", "--", "pacefab plan --")[1].split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_its_completion(shell: str, typed: Type) -> None:
    assert "pacefab --complete" in typed("--print-completion-script", shell)[1].replace(
        "pacefab ${=collection_arg} ", "pacefab "
    )


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["/usr/bin/fab", "status"], "fab status; fab -H c1 plan, fab --list, fabulous"),
        (["/usr/bin/pacefab"], "pacefab status; pacefab -H c1 plan, pacefab --list, fabulous"),
        (
            ["fab", "-H", "a.b", "ha.deploy"],
            "fab ha.status; fab -H c1 ha.plan, fab --list, fabulous",
        ),
    ],
)
def test_messages_name_tasks_as_they_are_typed_here(argv: list[str], said: str) -> None:
    assert as_typed("fab status; fab -H c1 plan, fab --list, fabulous", argv) == said


def test_a_node_called_fab_keeps_its_name() -> None:
    line = "degraded: fab is standby; see fab status"
    assert as_typed(line, ["/usr/bin/pacefab"]) == "degraded: fab is standby; see pacefab status"


def test_nothing_near_is_no_guess() -> None:
    assert nearest("zzz", ["status", "plan"]) == []
    assert nearest("PLAN", ["status", "plan"]) == ["plan"]
