"""What commands of crmsh need beside the model: templates, ids of lists, what is unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pacefab.legacy.cluster.book import Job
from pacefab.legacy.cluster.model import ReplayedResource
from pacefab.legacy.cluster.outcome import ReplayOutcome, UntranslatableError
from pacefab.legacy.crm.attributes import AttributeList, CrmWords
from pacefab.legacy.model import Fate, ReportLine
from pacefab.legacy.unknown import Unknowns


@dataclass
class CrmContext:
    """What is known beside the cluster, over all commands.

    Args:
        unknowns: the register of what is unknown.
        templates: resource templates by their ids.
        lists: values by the id of their list, for $id-ref.
        values: name and value by the id of an nvpair, for @id.
        made_from: templates by the ids of the resources that are made from them.
    """

    unknowns: Unknowns
    templates: dict[str, ReplayedResource] = field(default_factory=dict)
    lists: dict[str, dict[str, str]] = field(default_factory=dict)
    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    made_from: dict[str, str] = field(default_factory=dict)

    def resolved(self, found: AttributeList, owner: str) -> dict[str, str]:
        """Return the values of a list, those it refers to among them; remember its ids.

        Raises:
            UntranslatableError: it depends on a rule, or refers to what is not known.
        """
        if found.rules:
            raise UntranslatableError(
                f"values that depend on a rule have no place in the inventory: "
                f"{' '.join(found.rules)}",
                "decide for one value, and write it by hand",
            )
        made = found.texts()
        for reference in found.references:
            made.update(self._referred(reference, found.kind))
        self._remember(found, owner, made)
        return made

    def _referred(self, reference: str, kind: str) -> dict[str, str]:
        own_id, _, name = reference.partition(":")
        suffix = _SUFFIXES.get(kind, "")
        if own_id in self.values:
            present, value = self.values[own_id]
            return {name or present: value}
        for list_id in (own_id, f"{own_id}-{suffix}"):
            if list_id in self.lists:
                return self.lists[list_id]
        raise UntranslatableError(
            f"it refers to {reference}, which no command here defines",
            "write the values that it stands for by hand",
        )

    def _remember(self, found: AttributeList, owner: str, made: dict[str, str]) -> None:
        list_id = found.own_id or f"{owner}-{_SUFFIXES.get(found.kind, found.kind)}"
        self.lists[list_id] = made
        for name, value in made.items():
            own_id = found.named.get(name) or f"{list_id}-{name}"
            self.values[own_id] = (name, value)


_SUFFIXES = {"params": "instance_attributes", "meta": "meta_attributes"}
CrmHandler = Callable[[CrmContext, Job, CrmWords], ReplayOutcome]


def untranslated(job: Job, reason: str, advice: str) -> None:
    """Report a part of a command that has no place, beside the command's own entry."""
    text = " ".join([job.call.program, *job.line.words, *job.line.operands[:1]])
    job.book.notes.setdefault(ReportLine(Fate.UNTRANSLATED, job.place, text, reason, advice))
