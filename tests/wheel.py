"""The package as others get it: a wheel, built from this checkout, in environments of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_PIP_SECONDS = 300
Done = subprocess.CompletedProcess[str]


def build_wheel(source: Path, folder: Path) -> Path:
    """Return the wheel of a source tree, built by this environment's build program, offline."""
    words = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    _pip("wheel", *words, "--wheel-dir", str(folder), str(source))
    (wheel,) = folder.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Environment:
    """A virtual environment with nothing of this checkout in it."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Environment:
        """Make an empty one; without pip, this environment's own serves it."""
        venv.create(folder, symlinks=True)
        return cls(folder)

    def install(self, *requirements: str) -> None:
        """Install packages, those of requirements.txt in the versions that are pinned there."""
        text = (ROOT / "requirements.txt").read_text()
        pins = re.findall(r"^[A-Za-z0-9._-]+==\S+", text, re.MULTILINE)
        constraints = self.folder / "constraints.txt"
        constraints.write_text("\n".join(pins))
        words = ["--quiet", "--constraint", str(constraints), *requirements]
        _pip("--python", self._python, "install", *words)

    def uninstall(self, package: str) -> None:
        """Remove a package."""
        _pip("--python", self._python, "uninstall", "--quiet", "--yes", package)

    @property
    def _python(self) -> str:
        return str(self.folder / "bin" / "python")

    def run(
        self, program: str, *words: str | Path, cwd: Path, seconds: float = 60, **env: str
    ) -> Done:
        """Run one of its programs with a bare environment, from a folder outside this checkout."""
        argv = [str(self.folder / "bin" / program), *map(str, words)]
        clean = {"HOME": str(cwd), "PATH": os.defpath} | env
        return subprocess.run(
            argv, capture_output=True, text=True, timeout=seconds, check=False, env=clean, cwd=cwd
        )


def _pip(*words: str) -> None:
    argv = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stdout + done.stderr
