"""A plan in a file: reviewed by somebody, then applied exactly so, or refused.

What is applied is always planned again from the inventory; the file says what that must come to.
Beside the plan for people it holds a digest over everything that would run, contents of secret
files included, keyed by random salt so that nothing can be guessed from it.
"""

from __future__ import annotations

import difflib
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pacefab.errors import RefusedError, UsageError
from pacefab.report.plan import as_data
from pacefab.report.stream import json_text
from pacefab.workflows.rollout.planning import Plan

_FORMAT = 1
_SHOWN_LINES = 10


@dataclass(frozen=True)
class SavedPlan:
    """What a file holds: the options it was planned with, the plan as data, its digest."""

    inventory: str
    prune: bool
    plan: dict[str, Any]
    salt: str
    digest: str

    def check(self, plan: Plan) -> None:
        """Raise a RefusedError that says what is not as reviewed, unless everything is."""
        if not hmac.compare_digest(self.digest, _digest(plan, self.salt)):
            again = "nothing was changed; review a new one: fab plan --save"
            raise RefusedError("apply the saved plan", self._differences(plan), again)

    def _differences(self, plan: Plan) -> str:
        then, now = (_lines(data) for data in (self.plan, as_data(plan)))
        changed = [
            line
            for line in difflib.unified_diff(then, now, n=0, lineterm="")
            if line[:1] in "+-" and line[:3] not in {"---", "+++"}
        ]
        if not changed:
            return "a file that holds a secret would be written differently now"
        return "\n".join(["it is no longer what was reviewed:", *changed[:_SHOWN_LINES]])


def save(path: Path, plan: Plan, inventory: Path, *, prune: bool) -> None:
    """Write a plan, readable by its owner alone.

    Raises:
        UsageError: the file cannot be written.
    """
    salt = secrets.token_hex(16)
    content = {
        "pacefab_plan": _FORMAT,
        "inventory": str(inventory.resolve()),
        "prune": prune,
        "plan": as_data(plan),
        "salt": salt,
        "digest": _digest(plan, salt),
    }
    new = path.with_name(f".{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        with os.fdopen(
            os.open(new, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(json_text(content) + "\n")
        new.replace(path)
    except OSError as error:
        seen = error.strerror or str(error)
        raise UsageError(f"write {path}", seen, "name another file") from None


def load(path: Path) -> SavedPlan:
    """Return the plan in a file.

    Raises:
        UsageError: there is none, or it is none of ours.
    """
    attempted, advice = f"read the plan {path}", "make one: fab plan --save FILE"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["pacefab_plan"] != _FORMAT:
            raise UsageError(attempted, "another version of pacefab saved it", advice)
        keys = ("inventory", "prune", "plan", "salt", "digest")
        return SavedPlan(**{key: content[key] for key in keys})
    except OSError as error:
        raise UsageError(attempted, error.strerror or str(error), advice) from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(attempted, "it is no saved plan", advice) from None


def _digest(plan: Plan, salt: str) -> str:
    steps = {
        name: [(repr(step), step.stdin) for step in (*node.install, *node.steps)]
        for name, node in plan.nodes.items()
    }
    objects = [repr(change) for change in plan.configuration.changes]
    whole = json.dumps([_reviewed(as_data(plan)), steps, objects], sort_keys=True)
    return hmac.new(salt.encode(), whole.encode(), hashlib.sha256).hexdigest()


def _reviewed(data: dict[str, Any]) -> dict[str, Any]:
    """Return what has to be the same when it is applied: not what waits for a restart."""
    return {key: value for key, value in data.items() if key != "pending"}


def _lines(data: dict[str, Any]) -> list[str]:
    return json.dumps(_reviewed(data), indent=1, sort_keys=True).splitlines()
