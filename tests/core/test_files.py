"""Files that are whole or absent, and what ends a command early."""

import errno
import importlib.metadata
import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import click
import numpy as np
import pytest

from asmnet.core import UserError, atomic_path, cli_errors, remove_temporaries
from asmnet.core.files import _runs


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


def test_a_name_as_long_as_file_systems_allow_can_be_written(tmp_path):
    target = tmp_path / f"{'n' * 240}. A title.mp4.csv"[-255:]
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
        assert temporary.suffixes[-2:] == [".mp4", ".csv"]
    assert target.read_text() == "whole"


def test_what_other_machines_left_of_a_file_can_be_removed(tmp_path):
    left, others = (
        tmp_path / ".a.csv-node-7-77-abcdefgh.csv",
        tmp_path / ".b.csv-node-7-77-abcdefgh",
    )
    for path in (left, others):
        path.touch()
    remove_temporaries([tmp_path / "a.csv"])
    assert list(tmp_path.iterdir()) == [others]


def test_what_another_process_removes_meanwhile_is_no_error(tmp_path, monkeypatch):
    gone = tmp_path / ".a.csv-node-7-77-abcdefgh.csv"
    monkeypatch.setattr(Path, "glob", lambda *_: [gone])
    remove_temporaries([tmp_path / "a.csv"])


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


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="needs /proc, which tells of such processes"
)
def test_a_process_that_ended_uncollected_runs_no_more():
    """As workers do whose parent was killed: their files can be removed."""
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout.read() == b""  # its end: it was not waited for yet
        deadline = time.monotonic() + 10
        while _runs(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not _runs(process.pid) and process.returncode is None


def ends(error: Exception, extra: str, capsys: pytest.CaptureFixture) -> str:
    """What a command prints that ends in an exception; its exit code is 2."""

    @(cli_errors(extra) if extra else cli_errors())
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "error, sentence",
    [
        (UserError("x is no y"), "x is no y"),
        (
            OSError(errno.ENOSPC, "No space"),
            "cannot write: No space left on device; make room on the disk and repeat the command",
        ),
    ],
)
def test_what_the_user_can_mend_is_one_sentence(error, sentence, capsys):
    assert ends(error, "", capsys) == f"error: {sentence}\n"


@pytest.mark.parametrize(
    "module, extra, advice",
    [
        ("tensorflow", "export", "asmnet[export]"),
        ("PIL", "export", "asmnet[export]"),  # by way of asmnet[train]
        ("keras", "train", "asmnet[train]"),
        ("tensorflow_model_optimization", "qat", "asmnet[qat]"),
        ("cv2", "", "asmnet"),
        ("numpy", "train", "asmnet[train]"),
    ],
)
def test_a_missing_package_of_the_extra_is_to_be_installed(module, extra, advice, capsys):
    told = ends(ModuleNotFoundError(name=module), extra, capsys)
    assert told == f"error: {module} is not installed; run: pip install '{advice}'\n"


@pytest.mark.parametrize(
    "error, extra",
    [
        (ZeroDivisionError(), "export"),
        (FileNotFoundError(errno.ENOENT, "x"), "export"),
        (ModuleNotFoundError(), "export"),
        (ModuleNotFoundError(name="nunpy"), "export"),
        (ModuleNotFoundError(name="asmnet"), "export"),
        (ModuleNotFoundError(name="asmnet.trian"), "export"),
        (ModuleNotFoundError(name="tensorflow"), "train"),  # which the export alone needs
        (ModuleNotFoundError(name="keras"), ""),
    ],
)
def test_a_fault_of_the_program_keeps_its_traceback(error, extra, capsys):
    told = ends(error, extra, capsys)
    assert told.startswith("Traceback") and "pip install" not in told


def test_without_an_installation_nothing_is_advised(monkeypatch, capsys):
    def absent(_: str) -> None:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "requires", absent)
    assert ends(ModuleNotFoundError(name="keras"), "train", capsys).startswith("Traceback")


@pytest.mark.parametrize(
    "error", [click.UsageError("no such option"), click.Abort(), BrokenPipeError()]
)
def test_what_click_answers_reaches_it(error):
    @cli_errors()
    def main() -> None:
        raise error

    with pytest.raises(type(error)):
        main()


def test_a_script_that_crashes_does_not_say_that_the_gate_failed():
    done = python("""
        from asmnet.core import cli_errors
        @cli_errors(extra="export")
        def main():
            import nunpy
        main()
    """)
    assert done.returncode == 2
    assert done.stderr.startswith("Traceback") and "nunpy" in done.stderr


def test_a_command_may_still_say_that_the_gate_failed():
    @cli_errors()
    def main(code: int) -> None:
        sys.exit(code)

    with pytest.raises(SystemExit) as end:
        main(1)
    assert end.value.code == 1


def test_a_process_that_runs_is_known_from_one_that_does_not(monkeypatch):
    child = subprocess.Popen(["sleep", "60"])
    assert _runs(child.pid)
    with pytest.raises(subprocess.TimeoutExpired):  # it was asked, not ended
        child.wait(0.2)
    child.kill()
    child.wait()
    assert not _runs(child.pid)

    def forbidden(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    assert _runs(1), "another user's"


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="needs /proc, which tells of such processes"
)
def test_a_program_may_be_called_anything(tmp_path):
    """/proc has its name in brackets before its state; Z is that of an ended one."""
    (tmp_path / "a) Z b").symlink_to(shutil.which("sleep"))
    with subprocess.Popen(["sleep", "60"], executable=tmp_path / "a) Z b") as process:
        assert _runs(process.pid)
        process.kill()


def test_without_proc_a_process_that_takes_signals_runs(monkeypatch):
    """As on macOS."""

    def absent(path: Path) -> str:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))

    monkeypatch.setattr(Path, "read_text", absent)
    assert _runs(os.getpid())
