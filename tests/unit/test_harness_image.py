"""Images are found again by the content of their recipe, and only by that."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pacefab.harness import image
from pacefab.harness.errors import HarnessError


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the recipes that a test may change."""
    copy = shutil.copytree(image.RECIPES, tmp_path / "recipes")
    monkeypatch.setattr(image, "RECIPES", copy)
    return copy


def tags() -> dict[str, str]:
    """Return all tags by kind."""
    return {kind: image.tag_of(kind) for kind in image.RECIPE_OF}


def test_same_recipe_same_tag(recipes: Path) -> None:
    before = tags()
    (recipes / "node/setup").touch()
    assert tags() == before
    assert len(set(before.values())) == len(before)


DEBIAN_BARE = {"debian12-bare", "debian13-bare"}
FENCING = {"debian12-fencing", "debian13-fencing"}
RPM = {"rpm-bare", "rpm"}
MADE_OF_BARE = {"debian12", "debian13"} | RPM | FENCING
CENTOS = {"centos9", "centos10"}


@pytest.mark.parametrize(
    ("changed", "kinds"),
    [
        ("node/setup", CENTOS | DEBIAN_BARE | MADE_OF_BARE),
        ("node/sudoers", CENTOS | DEBIAN_BARE | MADE_OF_BARE),
        ("deb-repository", DEBIAN_BARE | MADE_OF_BARE),
        ("debian.Containerfile", {"debian12", "debian13"} | FENCING),
        ("fencing.Containerfile", FENCING),
        ("rpm/memcached.spec", RPM),
        ("rpm/pacefab.repo", CENTOS | RPM),
        ("rpm.Containerfile", {"rpm"}),
        ("centos.Containerfile", CENTOS),
    ],
)
def test_changed_recipe_changes_the_images_made_of_it(
    recipes: Path, changed: str, kinds: set[str]
) -> None:
    before = tags()
    path = recipes / changed
    path.chmod(0o644)
    path.write_text(path.read_text() + "\n")
    assert {kind for kind, tag in tags().items() if tag != before[kind]} == kinds


def test_every_file_of_the_recipes_counts(recipes: Path) -> None:
    for path in (path for path in recipes.rglob("*") if path.is_file()):
        before = tags()
        path.chmod(0o644)
        path.write_text(path.read_text() + "\n")
        assert tags() != before, f"no image depends on {path.name}"


def test_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(HarnessError, match=r"centos9.*rpm"):
        image.choose_kind("slackware")


@pytest.mark.parametrize(
    ("flags", "unified", "said"),
    [
        ("avx avx2", True, "x86-64-v3 processor; this one lacks abm, bmi1"),
        (" ".join(image.V3_FLAGS), False, "control groups of version 2"),
        (" ".join(image.V3_FLAGS), True, ""),
    ],
)
def test_el_10_says_what_the_machine_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, unified: bool, said: str
) -> None:
    cpuinfo, controllers = tmp_path / "cpuinfo", tmp_path / "cgroup.controllers"
    cpuinfo.write_text(f"processor\t: 0\nflags\t\t: fpu {flags}\n")
    if unified:
        controllers.touch()
    monkeypatch.setattr(image, "CPUINFO", cpuinfo)
    monkeypatch.setattr(image, "UNIFIED", controllers)
    image.check_machine("centos9")
    if not said:
        image.check_machine("centos10")
        return
    with pytest.raises(HarnessError) as error:
        image.check_machine("centos10")
    assert said in error.value.seen
    assert "centos9" in error.value.next_step
