"""Images of nodes, one per kind, built once and found again by the content of their recipe."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from .engine import ensure_program
from .errors import HarnessError, HarnessUsageError, one_of
from .place import open_state
from .program import run, succeeds
from .progress import note, step

RECIPES: Final = Path(__file__).with_name("recipes")
REPOSITORY: Final = "pacefab/node"
BUILD_SECONDS: Final = 900
INSPECT_SECONDS: Final = 30
PULL_SECONDS: Final = 20
"""How long `auto` tries to pull CentOS: enough for its 60 MB where a registry answers."""
COMMON: Final = "node"
DIGEST_DIGITS: Final = 12
CPUINFO: Final = Path("/proc/cpuinfo")
V3_FLAGS: Final = ("abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave")
"""What x86-64-v3 has beyond what every processor of today has, as the kernel names it."""
UNIFIED: Final = Path("/sys/fs/cgroup/cgroup.controllers")
"""Is there where control groups are of version 2 alone."""


class Recipe(Protocol):
    """How images of one kind are made."""

    def digest(self) -> str:
        """Return what distinguishes this recipe from any other."""

    def build(self, tag: str) -> None:
        """Make the image."""


@dataclass(frozen=True)
class FromMirror:
    """A root file system made by mmdebstrap from the Debian mirror, without a registry."""

    suite: str

    def digest(self) -> str:
        """Return the digest of suite and recipe files."""
        return digest_of("debian", "deb-repository", COMMON, extra=self.suite)

    def build(self, tag: str) -> None:
        """Make the tree and import it."""
        ensure_program("mmdebstrap", package="mmdebstrap")
        if os.geteuid():
            raise HarnessError(
                "building a Debian image", next_step="run this as root: it makes a root file system"
            )
        with tempfile.TemporaryDirectory(prefix="pacefab-image-") as folder:
            tree = Path(folder, "tree.tar")
            run([str(RECIPES / "debian"), self.suite, str(tree)], timeout=BUILD_SECONDS)
            set_command = ["--change", 'CMD ["/sbin/init"]']
            run(["docker", "import", *set_command, str(tree), tag], timeout=BUILD_SECONDS)


@dataclass(frozen=True)
class FromContainerfile:
    """An image on top of another one: of a registry, or of a kind that is built here first."""

    containerfile: str
    files: tuple[str, ...]
    base: str = ""
    base_kind: str = ""

    def digest(self) -> str:
        """Return the digest of base and recipe files."""
        base = self.base or RECIPE_OF[self.base_kind].digest()
        return digest_of(self.containerfile, *self.files, COMMON, extra=base)

    def build(self, tag: str) -> None:
        """Run the Containerfile."""
        base = self.base or ensure_image(self.base_kind)
        argv = ["docker", "build", "--quiet", "--force-rm", "--tag", tag]
        argv += ["--build-arg", f"BASE={base}", "--file", str(RECIPES / self.containerfile)]
        run([*argv, str(RECIPES)], timeout=BUILD_SECONDS)


CENTOS9: Final = "quay.io/centos/centos:stream9"
CENTOS10: Final = "quay.io/centos/centos:stream10"
NODE_RECIPES: Final[dict[str, Recipe]] = {
    "centos9": FromContainerfile("centos.Containerfile", ("rpm/pacefab.repo",), base=CENTOS9),
    "centos10": FromContainerfile("centos.Containerfile", ("rpm/pacefab.repo",), base=CENTOS10),
    "debian12": FromContainerfile("debian.Containerfile", (), base_kind="debian12-bare"),
    "debian13": FromContainerfile("debian.Containerfile", (), base_kind="debian13-bare"),
    "rpm": FromContainerfile("rpm.Containerfile", (), base_kind="rpm-bare"),
}
BARE: Final = {"debian12": "debian12-bare", "debian13": "debian13-bare", "rpm": "rpm-bare"}
"""Which image is the one of a kind's bare hosts, where there is one."""
FENCING: Final = {"debian12": "debian12-fencing", "debian13": "debian13-fencing"}
"""Which image is the one of a kind's nodes that have a fence agent, where there is one."""
RECIPE_OF: Final = NODE_RECIPES | {
    BARE["debian12"]: FromMirror("bookworm"),
    BARE["debian13"]: FromMirror("trixie"),
    BARE["rpm"]: FromContainerfile("rpm-bare.Containerfile", ("rpm",), base_kind="debian12-bare"),
    FENCING["debian12"]: FromContainerfile("fencing.Containerfile", (), base_kind="debian12"),
    FENCING["debian13"]: FromContainerfile("fencing.Containerfile", (), base_kind="debian13"),
}
KINDS: Final = ("auto", *NODE_RECIPES)


def image_of(kind: str, *, bare: bool, fencing: bool) -> str:
    """Return which image nodes of a kind are made of: bare hosts, members, ones that fence."""
    if bare:
        return BARE[kind]
    return FENCING[kind] if fencing else kind


def choose_kind(kind: str, *, bare: bool = False, fencing: bool = False) -> str:
    """Return the kind to use for what was asked for; `auto` says which one it takes, and why.

    Raises `HarnessUsageError` for a kind that there is no recipe for.
    """
    check_kind(kind, bare=bare, fencing=fencing)
    if kind != "auto":
        return kind
    if bare or fencing:
        return next(iter(BARE))
    if is_present(tag_of("centos9")) or is_present(CENTOS9):
        note("image centos9: CentOS Stream is here")
        return "centos9"
    reason = why_not_pulled(CENTOS9)
    chosen = "debian12" if reason else "centos9"
    note(f"image {chosen}: " + (reason or "CentOS Stream was pulled"))
    return chosen


def check_kind(kind: str, *, bare: bool = False, fencing: bool = False) -> None:
    """Refuse a kind that there is no recipe for. Raises `HarnessUsageError`."""
    known = ["auto", *(BARE if bare else FENCING if fencing else NODE_RECIPES)]
    if kind not in known:
        what = "image of bare nodes" if bare else "node image with a fence agent"
        what = what if bare or fencing else "node image"
        raise HarnessUsageError(f"no {what} {kind!r}", next_step=one_of(kind, known))


def fences(kind: str) -> bool:
    """Whether a kind's nodes can have a fence agent; `auto`: there is such an image, or may be.

    Only root can make one.
    """
    if kind != "auto":
        return kind in FENCING
    return os.geteuid() == 0 or any(is_present(tag_of(image)) for image in FENCING.values())


def why_not_pulled(image: str) -> str:
    """Try to pull an image; return why that failed, or nothing when it is here now."""
    if succeeds(["docker", "pull", "--quiet", image], timeout=PULL_SECONDS):
        return ""
    return f"{image} can't be pulled from here within {PULL_SECONDS} s"


def ensure_image(kind: str) -> str:
    """Return the tag of a kind's image, after building it where it isn't there yet.

    Of two processes that need the same image, one builds and the other waits.
    """
    check_machine(kind)
    tag = tag_of(kind)
    if is_present(tag):
        return tag
    with locked(kind):
        if not is_present(tag):
            with step(f"node image {kind} built"):
                RECIPE_OF[kind].build(tag)
            prune(kind, but=tag)
    return tag


def check_machine(kind: str) -> None:
    """Refuse a kind whose nodes cannot run on this machine's processor and kernel.

    EL 10 is built for x86-64-v3, and its systemd needs version 2 of control groups alone (RHEL 10,
    "Considerations in adopting RHEL 10"). Raises `HarnessError`.
    """
    if kind != "centos10":
        return
    flags = re.search(r"(?m)^flags\s*:(.*)", CPUINFO.read_text())
    lacking = sorted({*V3_FLAGS} - set(flags[1].split())) if flags else []
    seen = []
    if lacking:
        seen.append(f"EL 10 needs an x86-64-v3 processor; this one lacks {', '.join(lacking)}")
    if not UNIFIED.exists():
        seen.append("EL 10 needs control groups of version 2; this kernel has them in version 1")
    if seen:
        others = ", ".join(other for other in NODE_RECIPES if other != kind)
        raise HarnessError(
            f"starting nodes of {kind}", seen="\n".join(seen), next_step=f"use one of {others}"
        )


def prune(kind: str, but: str) -> None:
    """Remove a kind's images of other recipes; one that a container uses stays, by the engine."""
    listing = run(["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", REPOSITORY],
                  timeout=INSPECT_SECONDS)  # fmt: skip
    of_kind = re.compile(rf"{REPOSITORY}:{kind}-[0-9a-f]{{{DIGEST_DIGITS}}}")
    for tag in listing.stdout.split():
        if of_kind.fullmatch(tag) and tag != but:
            succeeds(["docker", "image", "rm", tag], timeout=BUILD_SECONDS)


def tag_of(kind: str) -> str:
    """Return the tag, which carries the recipe's digest."""
    return f"{REPOSITORY}:{kind}-{RECIPE_OF[kind].digest()}"


def is_present(tag: str) -> bool:
    """Whether the engine has an image."""
    return succeeds(["docker", "image", "inspect", tag], timeout=INSPECT_SECONDS)


def digest_of(*names: str, extra: str) -> str:
    """Return hex digits over recipe files (all of a folder), their modes, and `extra`."""
    digest = hashlib.sha256(extra.encode())
    for path in sorted(file for name in names for file in _files(RECIPES / name)):
        mode = oct(path.stat().st_mode & 0o100)
        digest.update(f"{path.relative_to(RECIPES)} {mode}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:DIGEST_DIGITS]


@contextmanager
def locked(kind: str) -> Iterator[None]:
    """Hold the build of a kind to one process; the lock ends with its holder, in any case."""
    with (open_state() / f"image-{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _files(path: Path) -> Iterator[Path]:
    return (file for file in path.rglob("*") if file.is_file()) if path.is_dir() else iter((path,))
