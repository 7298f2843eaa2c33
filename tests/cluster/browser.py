"""A real browser, without a window and without a network: Debian's chromium."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

from lxml import html

from pacefab.harness.engine import ensure_program
from pacefab.harness.program import run

_SECONDS = 60
_CONSOLE = re.compile(r":CONSOLE[:(]\d+\)?\] (.*)")


class Page:
    """A page as the browser has it once its scripts ran, and what they said on the console."""

    def __init__(self, file: Path, profile: Path, script: str = "") -> None:
        """Open `file` in a window; `script` runs at its end, in the place of a person's hands."""
        ensure_program("chromium", package="chromium")
        if script:
            text = file.read_text(encoding="utf-8").replace(
                "</body>", f"<script>{script}</script></body>"
            )
            file = profile.with_suffix(".html")
            file.write_text(text, encoding="utf-8")
        # Whatever the page would fetch is found nowhere, and said on the console.
        options = [
            "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
            "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
            "--virtual-time-budget=2000", "--window-size=1060,1700",
        ]  # fmt: skip
        done = run(["chromium", *options, "--dump-dom", file.as_uri()], timeout=_SECONDS)
        self._root = html.fromstring(done.stdout)
        self.console = _CONSOLE.findall(done.stderr)

    def texts(self, path: str) -> list[str]:
        """Return the text of every element that an XPath finds, blanks folded."""
        return [" ".join(element.text_content().split()) for element in self._find(path)]

    def values(self, path: str) -> list[str]:
        """Return the attributes that an XPath finds."""
        return [str(value) for value in self._find(path)]

    def _find(self, path: str) -> list[Any]:
        return cast("list[Any]", self._root.xpath(path))
