"""Values that a script does not determine: marks inside texts, each with its reason.

A mark is a number between two characters of Unicode's private area, which no script read here can
contain (`source` replaces them). So a text with an unknown part can be joined, split into words and
compared like any other, and code that uses it asks `is_known` first.
"""

from __future__ import annotations

import re

OPEN, CLOSE = "\ue000", "\ue001"
BREAK = "\ue003"  # between the elements of "$@" and "${x[@]}": each is a word of its own
RESERVED = re.compile("[\ue000-\ue003\ue100-\uf0ff]")  # what no script may contain
_MARK = re.compile(f"{OPEN}(\\d+){CLOSE}")
_MOST_REASONS = 2000  # more of them say nothing more
_LONGEST_REASON = 1000  # characters


class Unknowns:
    """The reasons behind marks: one register for a whole tree."""

    def __init__(self) -> None:
        self._reasons: list[str] = []
        self._numbers: dict[str, int] = {}
        self._origins: dict[int, set[int]] = {}  # marks that a mark's value was made from

    def mark(self, reason: str, *sources: str) -> str:
        """Return the mark of a value that is unknown for this reason, made from `sources`."""
        origins = {int(one) for one in _MARK.findall("".join([reason, *sources]))}
        reason = self.show(reason)[:_LONGEST_REASON]
        if reason not in self._numbers and len(self._reasons) >= _MOST_REASONS:
            reason = self._reasons[-1]
        if reason not in self._numbers:
            self._numbers[reason] = len(self._reasons)
            self._reasons.append(reason)
        number = self._numbers[reason]
        for origin in origins - {number}:
            self._origins.setdefault(number, set()).update({origin}, self._origins.get(origin, ()))
        return f"{OPEN}{number}{CLOSE}"

    def reaches(self, mark: str, text: str) -> bool:
        """Return whether a mark is in a text, or the values of its marks were made from that."""
        own, found = ({int(one) for one in _MARK.findall(part)} for part in (mark, text))
        return bool(own & found.union(*(self._origins.get(one, ()) for one in found)))

    def reasons(self, text: str) -> tuple[str, ...]:
        """Return why parts of a text are unknown, each once."""
        numbers = dict.fromkeys(int(number) for number in _MARK.findall(text))
        return tuple(self._reasons[number] for number in numbers if number < len(self._reasons))

    def show(self, text: str) -> str:
        """Return a text for people: each unknown part as <reason>."""
        return _MARK.sub(lambda found: f"<{self._reasons[int(found[1])]}>", text)

    def brief(self, text: str) -> str:
        """Return a text for people in short: each unknown part as a question mark."""
        return _MARK.sub("?", text)


def is_known(*texts: str) -> bool:
    """Return whether every part of these texts is known."""
    return not any(OPEN in text for text in texts)


def nothing_known(text: str) -> bool:
    """Return whether a text is unknown from its beginning to its end."""
    return OPEN in text and not _MARK.sub("", text).strip()
