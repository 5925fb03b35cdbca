import errno

import pytest

from gds_exec.error_boundary import guarded
from gds_exec.errors import AwsUnreachable, UnknownRole


def caused_by(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(MemoryError(), "not enough memory", id="memory"),
        pytest.param(OSError(errno.ENOMEM, ""), "Cannot allocate memory", id="memory for the kernel"),
        pytest.param(OSError(errno.EMFILE, ""), "Too many open files", id="files"),
        pytest.param(RuntimeError("can't start new thread"), "no more threads", id="threads"),
        pytest.param(ImportError("x.so: failed to map segment from x"), "not enough memory", id="a library"),
        pytest.param(caused_by(ImportError("x"), MemoryError()), "not enough memory", id="a module"),
        pytest.param(caused_by(AwsUnreachable("no answer"), MemoryError()), "not enough memory", id="a call"),
    ],
)
def test_a_lack_of_resources_is_reported_wherever_it_shows(
    error: Exception, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(lambda: _raise(error)) == 125

    written = capsys.readouterr().err
    assert written.startswith(f"gds-exec: the system is out of resources: {said}")
    assert "[system-refused]\nhint: " in written


@pytest.mark.parametrize(
    ("error", "slug"),
    [
        pytest.param(RuntimeError("x"), "internal-error", id="a bug in gds-exec"),
        pytest.param(ImportError("no module"), "internal-error", id="a module is missing"),
        pytest.param(OSError(errno.EIO, ""), "internal-error", id="an unexpected error"),
        pytest.param(AwsUnreachable("no answer"), "aws-unreachable", id="the network"),
        pytest.param(caused_by(UnknownRole("x"), KeyError("x")), "unknown-role", id="the caller"),
    ],
)
def test_another_error_is_not_reported_as_a_lack_of_resources(
    error: Exception, slug: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(lambda: _raise(error)) == 125
    assert f"[{slug}]" in capsys.readouterr().err


def _raise(error: Exception) -> int:
    raise error
