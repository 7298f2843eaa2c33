"""The page of `migrate --html` in a real browser, of scripts with what breaks pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pacefab.legacy.migrate import migrate
from pacefab.report.pages import migration
from tests.cluster.browser import Page, assert_it_fits_a_phone

SCRIPT = """\
#!/bin/bash
# <b>bold</b> & "quoted" \x1b[31m
pcs cluster setup lake n1 n2
pcs resource create a ocf:heartbeat:Dummy state='</code><script>alert(1)</script>'
pcs resource create vip IPaddr2 ip=$1
pcs cluster auth n1 n2 -u hacluster -p hunter2
pcs property set stonith-enabled=false
pcs stonith level add 1 n1 {name}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "build.sh").write_text(SCRIPT.format(name="x" * 300))
    (folder / "late.sh").write_text("#!/bin/bash\npcs resource create late ocf:heartbeat:Dummy\n")
    path = tmp_path_factory.mktemp("page") / "migration.html"
    path.write_text(migration.render(migrate(folder), "scripts"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def page(file: Path) -> Page:
    return Page(file, file.with_name("profile"))


def test_each_line_stands_beside_what_became_of_it(page: Page) -> None:
    assert page.console == []
    rows = "//section[h3='build.sh' or .//h3='build.sh']//tbody/tr"
    lines = SCRIPT.format(name="x" * 300).splitlines()
    assert len(page.texts(rows)) == len(lines) + 1  # the last one is empty
    fates = page.texts(f"{rows}/td[2]")
    assert "translated cluster lake of n1, n2" in fates[2]
    assert "translated a: ocf:heartbeat:Dummy" in fates[3]
    assert "decide" in fates[4]
    assert "argument 1, which the operator gives" in fates[4]
    assert "translate by hand fencing levels" in fates[7].replace("✗ ", "")
    assert fates[0] == fates[1] == ""


def test_what_is_to_do_comes_first_and_leads_to_the_lines(page: Page) -> None:
    steps = page.texts("//*[@id='steps']/li")
    assert [step.partition(":")[0] for step in steps] == [
        "Translate by hand", "Decide", "Check", "Nothing to do", "The scripts, line by line",
    ]  # fmt: skip
    links = page.values("//section[@id='decide']//a/@href")
    assert links
    (shown,) = page.texts(f"//tr[@id='{links[0][1:]}']/td[1]")
    assert shown.startswith("pcs resource create vip")


def test_it_is_usable_without_a_mouse_and_without_eyes(page: Page) -> None:
    every = page.values("//@id")
    assert len(every) == len(set(every))
    assert {link[1:] for link in page.values("//a/@href")} <= set(every)
    assert page.values("/html/@lang") == ["en"]
    assert len(page.texts("//h1")) == 1
    assert len(page.texts("//table")) == len(page.texts("//table/caption"))
    assert page.values("//table//th[not(@scope)]") == []
    assert page.values("//@tabindex | //@onclick") == []
    assert all(page.texts("//td[@class='fate']//span[starts-with(@class, 'badge')]"))


def test_it_holds_nothing_foreign_and_no_secret(file: Path, page: Page) -> None:
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"(?:src|action)\s*=|url\(|@import|<script|\x1b", text) == []
    assert {link for link in page.values("//@href") if not link.startswith("#")} == {"data:,"}
    assert page.texts("//b") == []
    assert "hunter2" not in text


def test_it_is_readable_on_a_phone_and_in_the_dark(file: Path) -> None:
    assert_it_fits_a_phone(file)
