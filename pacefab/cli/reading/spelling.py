"""What a word that nobody knows may have been meant to be."""

from __future__ import annotations

from collections.abc import Iterable

_LIKENESS = 0.6  # of 1; what difflib calls a close match
_MOST = 5  # names that a sentence lists


def nearest(word: str, names: Iterable[str]) -> list[str]:
    """Return the names that `word` may stand for, the best first; none where none is near.

    Underscores count as dashes, and the order of a name's words does not count.
    """
    plain, known = _plain(word), list(names)
    same = [name for name in known if _words(name) == _words(plain)]
    if same:
        return same[:1]
    longer = [name for name in known if _plain(name).startswith(plain + "-")]
    if longer:
        return longer[:_MOST]
    import difflib  # only for who mistypes

    by_plain = {_plain(name): name for name in known}
    close = difflib.get_close_matches(plain, by_plain, n=1, cutoff=_LIKENESS)
    return [by_plain[name] for name in close]


def _plain(word: str) -> str:
    return word.lower().replace("_", "-")


def _words(name: str) -> list[str]:
    return sorted(_plain(name).strip("-").split("-"))


def alternatives(names: Iterable[str]) -> str:
    """Return names as a question lists them: a, b or c."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
