"""`python -m tests.bench`: how fast gds-exec is beside the bare interpreter and its peers."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.installs import Installer
from tests.bench.measurements import MEASUREMENTS, Bench, measure
from tests.bench.stage import open_stage
from tests.bench.table import Row, as_record, render


def main(argv: Sequence[str]) -> int:
    """Measure, print the table, and return the exit status: 1 where a run failed or counted wrong."""
    options, machine = _parse(argv), _machine()
    installer = Installer(options.cache_dir.expanduser())
    with open_stage() as stage:
        bench = Bench(stage, installer, options.runs, pinned_to=options.pin)
        rows = [row for name in options.only or MEASUREMENTS for row in _measure(name, bench)]
    programs = [installation.description for installation in installer.installed]
    print((_as_json if options.json else _as_text)(rows, machine, programs))
    return int(any(row.is_broken for row in rows))


def _measure(name: str, bench: Bench) -> list[Row]:
    print(f"measuring: {name}", file=sys.stderr)
    return measure(name, bench)


def _as_text(rows: Sequence[Row], machine: str, programs: Sequence[str]) -> str:
    return "\n".join((machine, ", ".join(programs), "", render(rows)))


def _as_json(rows: Sequence[Row], machine: str, programs: Sequence[str]) -> str:
    records = [as_record(row) for row in rows]
    return json.dumps({"machine": machine, "programs": programs, "rows": records}, indent=2)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--runs", type=_positive, default=15, metavar="N", help="rounds of each measurement (15)"
    )
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, help="measure this; may be repeated")
    parser.add_argument("--json", action="store_true", help="print every measurement, for a program to read")
    parser.add_argument(
        "--pin", type=int, metavar="CPU", help="keep runs without a terminal on this processor"
    )
    parser.add_argument(
        "--cache-dir",
        type=Path,
        default=_default_cache_directory(),
        metavar="DIR",
        help="where virtual environments stay between runs (%(default)s)",
    )
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one")
    return number


def _default_cache_directory() -> Path:
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path("~/.cache")) / "gds-exec-bench"


def _machine() -> str:
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return (
        f"{os.cpu_count()} cores, {memory_bytes / 2**30:.0f} GiB, "
        f"{platform.system()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
