from pathlib import Path

from gds_exec.cli.commands.run import obey
from gds_exec.invocation import Invocation


def test_nothing_else_is_done_if_becoming_the_command_returns(tmp_path: Path) -> None:
    became: list[tuple[Invocation, dict[str, str]]] = []
    invocation = Invocation(role="admin", command=("true",))
    environ = {"HOME": str(tmp_path)}  # in which there is no such role: its document cannot be printed

    obey(invocation, environ, run_role=lambda *told: became.append(told))

    assert became == [(invocation, environ)]
