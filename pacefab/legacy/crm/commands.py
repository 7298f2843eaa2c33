"""Commands of crmsh carried out on the model, as crmsh would."""

from __future__ import annotations

from dataclasses import replace

from pacefab.legacy.cluster.book import Job
from pacefab.legacy.cluster.outcome import (
    ReplayOutcome,
    UndecidedError,
    UntranslatableError,
    left_out,
)
from pacefab.legacy.crm import constraints, edits, resources, settings
from pacefab.legacy.crm.attributes import CrmWords
from pacefab.legacy.crm.context import CrmContext, CrmHandler
from pacefab.legacy.crm.operating import ASKING, ONCE, OPERATING, asked_for
from pacefab.legacy.unknown import Unknowns, is_known

_CONFIGURE: dict[str, CrmHandler] = {
    "primitive": resources.primitive,
    "resource": resources.primitive,
    "rsc_template": resources.template,
    "group": resources.group,
    "clone": resources.clone,
    "ms": resources.clone,
    "master": resources.clone,
    "monitor": resources.monitor,
    "location": constraints.location,
    "order": constraints.order,
    "colocation": constraints.colocation,
    "collocation": constraints.colocation,
    "property": settings.settings("property"),
    "rsc_defaults": settings.settings("rsc_defaults"),
    "op_defaults": settings.settings("op_defaults"),
    "node": settings.node,
    "fencing_topology": settings.fencing_topology,
    "fencing-topology": settings.fencing_topology,
    "delete": edits.delete,
    "rm": edits.delete,
    "rename": edits.rename,
    "modgroup": edits.modgroup,
    "set": edits.set_value,
    "erase": edits.erase,
}
_NO_PLACE = {
    "bundle": "a bundle", "rsc_ticket": "a ticket's constraint", "tag": "a tag",
    "role": "a role of access control", "user": "a user of access control",
    "acl_target": "a user of access control", "acl_group": "a group of access control",
    "alert": "an alert", "xml": "a piece of XML", "filter": "a change by another program",
    "default-timeouts": "a change by the agents' advice",
    "default_timeouts": "a change by the agents' advice",
}  # fmt: skip
_MAKING = {"primitive", "resource", "rsc_template", "group", "clone", "ms", "master", "bundle",
           "tag", "location", "order", "colocation", "collocation", "rsc_ticket"}  # fmt: skip
_ASKING = {"get_property", "get-property", "edit", "verify", "validate-all", "validate_all",
           "graph", "ptest", "simulate", "ls", "help", "?"}  # fmt: skip
_NO_CHANGE = {
    "save": "it saves the configuration into a file",
    "commit": "it makes the changes before it, which have entries of their own",
    "refresh": "it reads the configuration again",
    "upgrade": "it brings the CIB to the newest schema, as current Pacemaker does",
    "schema": "it shows or chooses the CIB's schema",
    "rsctest": "it tests resources once",
}
_READING_LEVELS = {"ra", "history", "cibstatus", "options", "site", "assist"}
_READS: dict[str, set[str]] = {
    "resource": ASKING,
    "corosync": {"diff", "get", "log", "show", "status"},
    "template": {"list", "show"},
    "script": {"list", "show", "verify", "json"},
}
_TAKES_AWAY = {("configure", "delete"), ("configure", "rm"), ("configure", "erase"),
               ("resource", "stop"), ("resource", "disable"), ("node", "delete"),
               ("cluster", "remove"), ("cluster", "delete")}  # fmt: skip


class CrmCommands:
    """Carries out commands of crmsh.

    Args:
        unknowns: the register of what is unknown.
    """

    def __init__(self, unknowns: Unknowns) -> None:
        self._context = CrmContext(unknowns)

    def __call__(self, job: Job) -> ReplayOutcome:
        """Do one command.

        Raises:
            NotUnderstoodError: crmsh does not take its words.
            RefusedCommandError: crmsh refuses it as the cluster stands.
            UntranslatableError: it has no place in an inventory, or is not known enough.
        """
        if job.call.reads:
            return left_out(f"it reads commands from {job.call.reads}: each has its own entry")
        level, name, words = self._parted(job)
        if self._only_asks(level, name):
            by_name = (level, name) == ("configure", "show") or level == "resource"
            answer = asked_for(job, words.rest() if by_name else [])
            unsure = (level, name) == ("", "status") and not job.cluster.nodes
            return replace(answer, status=None) if unsure else answer
        if level == "configure" and name in _NO_CHANGE:
            return left_out(_NO_CHANGE[name])
        if (level, name) not in ONCE:
            self._check(job, level, name)
        if level in OPERATING:
            return OPERATING[level](job, name, words)
        if level == "configure":
            return self._configure(job, name, words)
        raise UntranslatableError(
            f"what crm {level} {name} does is not translated", "add what it does by hand"
        )

    def _parted(self, job: Job) -> tuple[str, str, CrmWords]:
        first, *second = job.line.words
        if not second:
            return "", first, CrmWords(first, [*second, *job.line.operands])
        if first in {"status", "report", "verify", "help"}:
            return "", first, CrmWords(first, second)
        return first, second[0], CrmWords(second[0], job.line.operands)

    def _only_asks(self, level: str, name: str) -> bool:
        if level in _READING_LEVELS or name in {"help", "ls", "?"}:
            return True
        if level == "configure":
            return name in _ASKING or name == "show"
        return level == "" or name in _READS.get(level, ())

    def _check(self, job: Job, level: str, name: str) -> None:
        """Refuse what depends on unknown values or conditions."""
        call = job.call
        if not is_known(*call.arguments):
            reasons = self._context.unknowns.reasons(" ".join(call.arguments))
            _unclear(job, name)
            raise UndecidedError(
                "a value is known only at run time: " + "; ".join(reasons),
                "look the value up on the cluster, and add it to the inventory by hand",
            )
        if call.excluded:
            _unclear(job, name)
            raise UndecidedError(
                f"whether it runs is known only at run time: {call.condition}",
                "decide which branch applies to this cluster and add it by hand",
            )
        if call.condition and (level, name) in _TAKES_AWAY:
            raise UndecidedError(
                f"it removes something only if: {call.condition}", "decide whether to keep it"
            )

    def _configure(self, job: Job, name: str, words: CrmWords) -> ReplayOutcome:
        if name == "load":
            return self._load(job, words)
        try:
            return _CONFIGURE.get(name, _no_place)(self._context, job, words)
        except UntranslatableError:
            _unclear(job, name)
            raise

    def _load(self, job: Job, words: CrmWords) -> ReplayOutcome:
        method, file = words.any("a method"), words.any("a file")
        if method == "xml":
            raise UntranslatableError(f"the XML of {words.peek()} is not read", "add it by hand")
        if method in {"replace", "push"}:
            edits.empty(self._context, job, settings=method == "replace")
        kept = {"update": "what is there of the same ids takes the new form"}
        return left_out(f"it loads {file} ({kept.get(method, 'everything else goes')})")


def _no_place(_context: CrmContext, job: Job, _words: CrmWords) -> ReplayOutcome:
    raise UntranslatableError(
        f"{_NO_PLACE[job.line.words[1]]} has no place in the inventory",
        "check whether it is still needed; if so, keep a step of your own for it",
    )


def _unclear(job: Job, name: str) -> None:
    """Remember an id that a command would have made: what names it later is not mistaken."""
    if name in _MAKING and job.line.operands and is_known(job.line.operands[0]):
        job.book.unclear.setdefault(job.line.operands[0].removeprefix("id="), job.place)
