"""Naming a module that gds-exec loaded from another installation instead of its own."""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder

from gds_exec.errors import BrokenInstall
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_HINT = "remove that directory from PYTHONPATH, or run env -u PYTHONPATH gds-exec …"
_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_OLDEST_BOTOCORE = (1, 34)
# Users may provide these two themselves.
_MEANT_TO_BE_REPLACED = ("sitecustomize", "usercustomize")


def module_of_another(error: BaseException) -> BrokenInstall | None:
    """Return an error that names the old or foreign module that caused `error`; otherwise None."""
    entries = _python_path()
    path = next((file for file in _files_of(error) if _is_below(file, entries)), None) or _replacing(entries)
    found = _old_botocore()
    if found is None and path is not None:
        found = BrokenInstall(f"a module on PYTHONPATH does not work with gds-exec: {show(path)}", hint=_HINT)
    if found is not None:
        _load_nothing_more_from(entries)  # reporting the error loads modules, too
    return found


def check_botocore() -> None:
    """Raise `BrokenInstall` if the loaded botocore is too old for gds-exec."""
    if (error := _old_botocore()) is not None:
        raise error


def _old_botocore() -> BrokenInstall | None:
    botocore = sys.modules.get("botocore")
    version, path = getattr(botocore, "__version__", None), getattr(botocore, "__file__", None) or ""
    if version is None or _numbers(version) >= _OLDEST_BOTOCORE:
        return None
    is_of_another = _is_below(path, _python_path())
    origin = " (from PYTHONPATH)" if is_of_another else ""
    needed = ".".join(map(str, _OLDEST_BOTOCORE))
    return BrokenInstall(
        f"botocore {show(version)} in {show(os.path.dirname(path))}{origin} is too old: "
        f"gds-exec needs {needed} or newer",
        hint=_HINT if is_of_another else "install gds-exec in its own environment: pipx install",
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


def _python_path() -> list[str]:
    """Return the directories of PYTHONPATH, except one that contains gds-exec itself."""
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    directories = [os.path.abspath(entry) for entry in entries if entry]
    return [directory for directory in directories if not _is_below(_PACKAGE, [directory])]


def _is_below(path: str, directories: list[str]) -> bool:
    return any(path.startswith(os.path.join(directory, "")) for directory in directories)


def _files_of(error: BaseException | None) -> Iterator[str]:
    """Return the files that an error and its causes came from; the innermost first."""
    while error is not None:
        for name in ("path", "filename"):  # of an ImportError or a SyntaxError
            if isinstance(file := getattr(error, name, None), str):
                yield file
        files, place = [], error.__traceback__
        while place is not None:
            files.append(place.tb_frame.f_code.co_filename)
            place = place.tb_next
        yield from reversed(files)
        error = error.__cause__ or error.__context__


def _replacing(entries: list[str]) -> str | None:
    """Return the file of a loaded module that replaces another of the same name."""
    others = [entry for entry in sys.path if entry not in entries]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not file or "." in name or name in _MEANT_TO_BE_REPLACED or not _is_below(file, entries):
            continue
        if PathFinder.find_spec(name, others) is not None:
            return str(file)
    return None


def _load_nothing_more_from(entries: list[str]) -> None:
    sys.path[:] = [entry for entry in sys.path if entry not in entries]
    for name, module in list(sys.modules.items()):
        if _is_below(getattr(module, "__file__", None) or "", entries):
            del sys.modules[name]
