"""Virtual environments, one for each program, so that none starts with another's packages."""

import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from tests.bench.timing import RunFailed, last_words

_PROJECT = Path(__file__).resolve().parents[2]
_PRODUCT = "gds-exec"
_VERSIONS = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"


@dataclass(frozen=True, slots=True)
class Installation:
    """A program in its virtual environment."""

    name: str
    programs: Path

    @property
    def description(self) -> str:
        """Its version, and the one of the AWS SDK that came with it."""
        python = self.programs / "python"
        version, sdk = _run(python, "-c", _VERSIONS, self.name, "botocore").split()
        return f"{self.name} {version} (botocore {sdk})"


class Installer:
    """Installs programs below a directory that outlives the run; raises `RunFailed` with the reason."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / f"python-{sysconfig.get_python_version()}"
        self._installed: dict[str, Installation] = {}

    @property
    def installed(self) -> tuple[Installation, ...]:
        """What was asked for, and is there."""
        return tuple(self._installed.values())

    def product(self) -> Installation:
        """Install this project as it is now, the way that a person installs it; once a run."""
        if _PRODUCT in self._installed:
            return self._installed[_PRODUCT]
        found = self._venv(_PRODUCT)
        # An uninstall first: pip may take a version that it has for the version that is here.
        _run(found.programs / "python", "-m", "pip", "uninstall", "--quiet", "--yes", _PRODUCT)
        return self._install(found, str(_PROJECT))

    def peer(self, package: str) -> Installation:
        """Install `package` from the package index, unless that was done before."""
        if package not in self._installed:
            self._install(self._venv(package), package)
        return self._installed[package]

    def _venv(self, name: str) -> Installation:
        venv = self._directory / name
        if not (venv / "pyvenv.cfg").exists():
            _run(Path(sys.executable), "-m", "venv", str(venv))
        return Installation(name, venv / "bin")

    def _install(self, found: Installation, what: str) -> Installation:
        python = found.programs / "python"
        _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", what)
        # Old packages hold files that this Python cannot compile, and never imports either.
        _run(python, "-m", "compileall", "-q", str(found.programs.parent / "lib"), may_fail=True)
        self._installed[found.name] = found
        return found


def _run(program: Path, *words: str, may_fail: bool = False) -> str:
    # Elsewhere than here: what lies in the current directory must not be imported.
    done = subprocess.run((program, *words), cwd="/", capture_output=True, text=True, check=False)
    if done.returncode != 0 and not may_fail:
        raise RunFailed(last_words(done.stderr or done.stdout))
    return done.stdout
