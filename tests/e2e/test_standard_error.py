"""If standard error cannot be written, the actions, the output and the exit status stay the same."""

import pytest

from .world import GDS_EXEC, World

BROKEN_STDERR = [
    pytest.param("exec 2> >(exit); wait $!", id="a closed pipe"),
    pytest.param("exec 2>/dev/full", id="a full disk"),
    pytest.param("exec 2>&-", id="closed"),
    pytest.param("exec 2</dev/null", id="not open for writing"),
    pytest.param("exec 2>/dev/full; export PYTHONUNBUFFERED=1", id="a full disk, unbuffered"),
]
# Each run writes a warning, or a mask for CI, to standard error.
WARNS = "duration_seconds = 1h"
WHAT_PRINTS = [
    "",
    "--help",
    "--version",
    "--unset",
    "credential-process prod",
    "explain prod",
    "prod -d",
    "prod -e",
    "prod -e --format json",
    "prod -l",
    "prod -l --print",
    "prod --switch-role",
    "renew plain",
    "roles",
    "roles --names",
    "sessions",
    "sessions clear",
    "whoami",
    "whoami --json",
]
WHAT_ENDS_WITH = [
    ("prod -- sh -c 'echo ran; exit 7'", 7),
    ("prod -- sh -c 'echo ran; kill $$'", 143),
    ("prod --new-session --mfa-code CODE -- sh -c 'echo ran; exit 7'", 7),
    ("prod --refresh -- sh -c 'echo ran; exit 7'", 7),
    ("prod --refresh -- sh -c 'kill $$'", 143),
    ("try -- sh -c 'echo ran; exit 7'", 7),
    ("try -- gds-exec try-no-mfa -- sh -c 'echo ran; exit 7'", 7),
    ("prod --bogus", 2),
    ("whoami too many words", 2),
    ("prod --duration 2h -- true", 124),
    ("nobody -- true", 125),
    ("credential-process nobody", 125),
    ("renew nobody", 125),
    ("prod --refresh --expect-account 999999999999 -- true", 125),
    ("prod -- /etc/passwd", 126),
    ("prod -- no-such-command", 127),
    ("prod --refresh -- no-such-command", 127),
]


@pytest.fixture
def signed_in(world: World) -> World:
    world.add_role("plain", mfa=False)
    world.add_role("prod", settings=WARNS)
    world.sign_in("prod")
    world.environ |= {"GITHUB_ACTIONS": "true", "BROWSER": "false"}
    return world


def run(world: World, arguments: str, *, before: str) -> tuple[int, bytes, bytes]:
    # Death by a signal gives 128 + its number. bash reports it on its own standard error.
    script = f"({before}; exec {GDS_EXEC} {arguments}); exit $?"
    done = world.run_program("bash", "-c", script)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.matrix(81)
@pytest.mark.parametrize("arguments", WHAT_PRINTS)
def test_the_whole_output_is_printed_with_status_0(arguments: str, signed_in: World) -> None:
    status, expected, said = run(signed_in, arguments, before=":")
    assert status == 0, said.decode()

    for parameters in BROKEN_STDERR:
        (broken,) = parameters.values
        status, printed, _ = run(signed_in, arguments, before=str(broken))

        assert (broken, status) == (broken, 0)
        assert len(printed.splitlines()) == len(expected.splitlines())
        assert bool(printed) == bool(expected)


@pytest.mark.matrix(81)
@pytest.mark.parametrize("broken", BROKEN_STDERR)
@pytest.mark.parametrize(("arguments", "expected"), WHAT_ENDS_WITH)
def test_the_exit_status_is_the_same(broken: str, arguments: str, expected: int, signed_in: World) -> None:
    arguments = arguments.replace("CODE", signed_in.code())

    status, printed, _ = run(signed_in, arguments, before=broken)

    assert (status, printed) == (expected, b"ran\n" if "echo ran" in arguments else b"")


@pytest.mark.matrix(81)
@pytest.mark.parametrize("broken", BROKEN_STDERR)
@pytest.mark.parametrize("arguments", ["nobody -- true", "prod -e", "prod -- true", "whoami"])
def test_a_debug_message_that_cannot_be_written_changes_no_status(
    broken: str, arguments: str, signed_in: World
) -> None:
    first, *rest = arguments.split()
    line = " ".join([first, "--debug", *rest])

    assert run(signed_in, line, before=broken)[0] == run(signed_in, arguments, before=":")[0]
