import os
from pathlib import Path

import pytest

from gds_exec.cli.commands.completions import install, show_completion
from gds_exec.errors import ConfigError, OutputFailed, UsageError

from ....completers import COMPLETIONS

SHELLS = pytest.mark.parametrize(
    ("shell", "source", "path"),
    [
        ("bash", "gds-exec.bash", ".local/share/bash-completion/completions/gds-exec"),
        ("zsh", "_gds-exec", ".local/share/zsh/site-functions/_gds-exec"),
        ("fish", "gds-exec.fish", ".config/fish/completions/gds-exec.fish"),
    ],
    ids=["bash", "zsh", "fish"],
)


@SHELLS
def test_it_is_written_where_the_shell_looks_and_that_is_printed(
    shell: str, source: str, path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(shell, {"HOME": str(tmp_path)})

    assert (tmp_path / path).read_text() == (COMPLETIONS / source).read_text()
    assert capsys.readouterr().out.splitlines()[0] == str(tmp_path / path)


@SHELLS
def test_the_users_own_directories_are_heeded(shell: str, source: str, path: str, tmp_path: Path) -> None:
    named = {"XDG_DATA_HOME": str(tmp_path / "share"), "XDG_CONFIG_HOME": str(tmp_path / "config")}

    install(shell, {"HOME": str(tmp_path / "home"), **named})

    below = path.removeprefix(".local/share/").removeprefix(".config/")
    assert (tmp_path / ("config" if shell == "fish" else "share") / below).exists()


@SHELLS
def test_an_older_one_of_ours_is_replaced(shell: str, source: str, path: str, tmp_path: Path) -> None:
    install(shell, {"HOME": str(tmp_path)})
    with (tmp_path / path).open("a") as file:
        file.write("# as it was once\n")

    install(shell, {"HOME": str(tmp_path)})

    assert (tmp_path / path).read_text() == (COMPLETIONS / source).read_text()
    assert os.listdir((tmp_path / path).parent) == [(tmp_path / path).name]


@SHELLS
def test_a_file_of_somebody_elses_is_left_alone(shell: str, source: str, path: str, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text("mine")

    with pytest.raises(ConfigError, match="is not ours"):
        install(shell, {"HOME": str(tmp_path)})
    assert (tmp_path / path).read_text() == "mine"


def test_a_link_to_where_the_user_keeps_it_stays_a_link(tmp_path: Path) -> None:
    kept, place = tmp_path / "dotfiles", tmp_path / ".config/fish/completions"
    kept.mkdir()
    place.parent.mkdir(parents=True)
    place.symlink_to(kept)

    install("fish", {"HOME": str(tmp_path)})

    assert place.is_symlink()
    assert (kept / "gds-exec.fish").exists()


def test_zsh_is_told_how_its_directory_is_searched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install("zsh", {"HOME": str(tmp_path)})

    assert f"fpath=({tmp_path}/.local/share/zsh/site-functions $fpath)" in capsys.readouterr().out


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".config").write_text("a file")

    with pytest.raises(OutputFailed, match="fish"):
        install("fish", {"HOME": str(tmp_path)})


def test_nowhere_to_write_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no home directory"):
        install("fish", {})


@SHELLS
def test_it_is_shown(shell: str, source: str, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_completion(shell)

    assert capsys.readouterr().out == (COMPLETIONS / source).read_text()


def test_an_unknown_shell_is_an_error() -> None:
    with pytest.raises(UsageError, match="no completion for tcsh"):
        show_completion("tcsh")


def test_other_users_can_read_it_as_far_as_the_umask_allows(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        install("bash", {"HOME": str(tmp_path)})
    finally:
        os.umask(old)

    written = tmp_path / ".local/share/bash-completion/completions/gds-exec"
    assert written.stat().st_mode & 0o777 == 0o644
    assert os.listdir(written.parent) == ["gds-exec"]
