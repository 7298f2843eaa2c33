"""A real browser, without a window and without a network: Debian's chromium."""

from __future__ import annotations

import re
from html import escape
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


def assert_it_fits_a_phone(file: Path) -> None:
    """Assert that a page is readable within 390 pixels, in light and in dark, by WCAG 2.1."""
    # A frame: a window of the browser's is never as narrow as that.
    frame = file.with_name("phone.html")
    light = escape(file.read_text(encoding="utf-8"))
    dark = light.replace("@media (prefers-color-scheme:dark)", "@media all")
    assert dark != light
    frame.write_text(f"<body>{_FRAMES.format(light, dark)}</body>", encoding="utf-8")
    page = Page(frame, file.with_name("phone"))
    for name in ("light", "dark"):
        needed, contrast = (
            float(page.values(f"//body/@data-{name}-{what}")[0]) for what in ("needed", "contrast")
        )
        assert needed <= 390  # nothing to scroll sideways for
        assert contrast >= 4.5  # 1.4.3
    shades = [float(page.values(f"//body/@data-{name}-paper")[0]) for name in ("light", "dark")]
    assert shades[0] > 0.8
    assert shades[1] < 0.1


_FRAMES = """
<iframe id="light" width="390" height="800" frameborder="0" srcdoc="{}"></iframe>
<iframe id="dark" width="390" height="800" frameborder="0" srcdoc="{}"></iframe>
<script>
function luminance(color) {{
  const parts = color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
  const [r, g, b] = parts.map((p) => p <= 0.03928 ? p / 12.92 : ((p + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}}
function contrast(element, behind) {{
  const text = luminance(getComputedStyle(element).color);
  const back = luminance(getComputedStyle(behind).backgroundColor);
  return (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
}}
for (const frame of document.querySelectorAll("iframe")) {{
  frame.addEventListener("load", () => {{
    const inner = frame.contentDocument;
    const found = [...inner.querySelectorAll(".card td")];
    const badges = [...inner.querySelectorAll(".badge")].map((one) => contrast(one, one));
    const least = Math.min(...badges, ...found.map((one) => contrast(one, one.closest(".card"))));
    document.body.dataset[frame.id + "Needed"] = inner.documentElement.scrollWidth;
    document.body.dataset[frame.id + "Contrast"] = least;
    document.body.dataset[frame.id + "Paper"] =
      luminance(getComputedStyle(inner.body).backgroundColor);
  }});
}}
</script>
"""
