"""Files that are whole or absent, and what ends a command early."""

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from asmnet.core import UserError, atomic_path, cli_errors


def test_atomic_path_leaves_the_old_file_when_the_writer_fails(tmp_path):
    target = tmp_path / "new" / "file.weights.h5"
    with atomic_path(target) as temporary:
        assert temporary.name.endswith(".weights.h5")
        temporary.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(target.parent.iterdir()) == [target]


def test_others_may_read_a_result_as_any_other_file(tmp_path):
    with atomic_path(tmp_path / "atomic"):
        pass
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_unwritable_targets_are_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"), atomic_path(tmp_path / "file" / "x"):
        pass
    with pytest.raises(UserError, match="is a folder"), atomic_path(tmp_path):
        pass


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


WRITERS = {
    "bytes": lambda path: path.write_bytes(bytes(200_000)),
    "npz": lambda path: np.savez(path, np.zeros(200_000)),
}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_a_full_disk_is_one_sentence_and_keeps_the_old_file(small_disk, writer):
    target = small_disk / "x.npz"
    target.write_text("old")
    with pytest.raises(UserError, match="cannot write .*x.npz: No space left"):
        with atomic_path(target) as temporary:
            writer(temporary)
    assert target.read_text() == "old"
    assert list(small_disk.iterdir()) == [target]


@pytest.mark.parametrize("moment", ["write", "rename"])
def test_a_disk_that_fails_at_any_moment_is_one_sentence(moment, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if moment == "rename":
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(UserError, match="cannot write .*x: No space left on device; "):
        with atomic_path(tmp_path / "x"):
            if moment == "write":
                fail()
    assert list(tmp_path.iterdir()) == []


def test_another_files_error_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError, match="input"), atomic_path(tmp_path / "x"):
        (tmp_path / "input").read_bytes()


def python(code: str, **options) -> subprocess.CompletedProcess:
    """Run a script of its own."""
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def test_what_a_killed_process_left_is_removed_and_what_a_live_one_writes_stays(tmp_path):
    killed = """
        import os, signal
        from asmnet.core import atomic_path
        with atomic_path("x.tflite") as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    assert python(killed, cwd=tmp_path).returncode < 0
    (left,) = tmp_path.iterdir()
    with atomic_path(tmp_path / "y.tflite") as temporary:
        assert left not in tmp_path.iterdir()
        again = "from asmnet.core import atomic_path\nwith atomic_path('y.tflite'): pass"
        assert python(again, cwd=tmp_path).returncode == 0
        assert temporary.exists()


def command(raises: str, extra: str = "") -> subprocess.CompletedProcess:
    """A script whose command ends in some way."""
    return python(f"""
        import errno, click
        from asmnet.core import UserError, cli_errors
        @click.command()
        @cli_errors(extra={extra!r})
        def main():
            {raises}
        main()
    """)


@pytest.mark.parametrize(
    "raises, sentence",
    [
        ("raise UserError('x is no y')", "error: x is no y\n"),
        (
            "raise OSError(errno.ENOSPC, 'No space left on device')",
            "error: cannot write: No space left on device; make room on the disk and repeat "
            "the command\n",
        ),
        ("raise click.UsageError('no such option')", "Usage: -c [OPTIONS]\n"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(raises, sentence):
    done = command(raises)
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "module, extra, advice",
    [
        ("tensorflow", "export", "asmnet[export]"),
        ("PIL", "export", "asmnet[export]"),  # by way of asmnet[train]
        ("keras", "train", "asmnet[train]"),
        ("cv2", "", "asmnet"),
    ],
)
def test_a_missing_package_of_the_extra_is_to_be_installed(module, extra, advice, capsys):
    done = command(f"raise ModuleNotFoundError(name={module!r})", extra)
    assert done.returncode == 2
    assert done.stderr == f"error: {module} is not installed; run: pip install '{advice}'\n"


@pytest.mark.parametrize(
    "fault",
    [
        "import nunpy",
        "import asmnet.trian",
        "import click.missing",
        "raise ModuleNotFoundError(name='tensorflow')",  # which no command of the base needs
        "1 / 0",
    ],
)
def test_a_fault_of_the_program_keeps_its_traceback_and_is_not_exit_code_1(fault):
    done = command(fault)
    assert done.returncode == 2
    assert done.stderr.startswith("Traceback") and "pip install" not in done.stderr


def test_a_command_may_still_say_that_the_gate_failed():
    @cli_errors()
    def main() -> None:
        sys.exit(1)

    with pytest.raises(SystemExit, match="1"):
        main()
