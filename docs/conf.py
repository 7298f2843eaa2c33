"""Sphinx's settings: pages in MyST, parts of the reference generated from the code.

Built by `invoke docs`, as HTML and (with the tag `man`) as a manual page.
"""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from docs.console.lexer import ConsoleLexer  # noqa: E402
from docs.generator import write_pages  # noqa: E402

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

project = "pacefab"
author = "the pacefab authors"
project_copyright = author
version = release = installed_version("pacefab")

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["_generated/*"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 4
smartquotes = False  # two hyphens begin an option

html_theme = "furo"
html_title = f"pacefab {release}"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["wide.css"]

man_pages = [
    ("manual", "pacefab", "services under Pacemaker, deployed and verified over SSH", [author], 1)
]


def setup(app: Sphinx) -> None:
    """Generate the parts of the reference before any page is read."""
    app.add_lexer("console", ConsoleLexer)
    app.connect("config-inited", choose_pages)
    app.connect("builder-inited", lambda _: write_pages(HERE / "_generated"))


def choose_pages(app: Sphinx, config: Config) -> None:
    """Leave out the manual page, which repeats what others say, unless it is what is built."""
    if not app.tags.has("man"):
        config.exclude_patterns.append("manual.md")
