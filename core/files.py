"""Errors a user can act on, and files that are either whole or absent."""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib.metadata
import os
import re
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["IMAGE_SUFFIXES", "UserError", "atomic_path", "cli_errors", "remove_temporaries"]

# What every room takes for the file of an image.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")

_Command = TypeVar("_Command", bound=Callable[..., Any])
# No room, a quota, a file larger than the file system takes, a disk that fails.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
INTERRUPTED = 130  # what shells say of Ctrl-C
# Where the module has another name than the package.
_PACKAGE_OF = {"cv2": "opencv_python_headless", "PIL": "pillow"}


class UserError(ValueError):
    """Bad input: one sentence that names the offending value and the remedy.

    Commands print it without a traceback and leave with exit code 2.
    """


def cli_errors(extra: str = "") -> Callable[[_Command], _Command]:
    """Decorate a command: what ends it early is exit code 2, "could not be done".

    A `UserError`, a full disk, and a missing package that the extra brings are told in one
    sentence.  Any other exception is a fault of the program and keeps its traceback.  So exit
    code 1 is left to what a command defines: "the gate failed", never "it crashed".

    Args:
        extra: the extra of asmnet that the command needs; "" if the base install is enough.
    """

    def decorate(command: _Command) -> _Command:
        @functools.wraps(command)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            try:
                return command(*args, **kwargs)
            except KeyboardInterrupt:
                sys.exit(INTERRUPTED)  # click's would be 1
            except Exception as error:
                # Click's own are no faults: it prints a usage error, and ends quietly at a
                # closed pipe.
                if type(error).__module__.startswith("click.") or isinstance(
                    error, BrokenPipeError
                ):
                    raise
                message = _sentence(error, extra)
                if message is None:
                    traceback.print_exc()
                else:
                    print(f"error: {message}", file=sys.stderr)
                sys.exit(2)

        return wrapper  # type: ignore[return-value]

    return decorate


def _sentence(error: Exception, extra: str) -> str | None:
    """What to tell the user; None for a fault of the program."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        if _PACKAGE_OF.get(error.name, error.name).lower() in _packages(extra):
            option = f"[{extra}]" if extra else ""
            return f"{error.name} is not installed; run: pip install 'asmnet{option}'"
    if isinstance(error, OSError) and error.errno in _FULL:
        reason = os.strerror(error.errno)
        return f"cannot write: {reason}; make room on the disk and repeat the command"
    return None


def _packages(extra: str) -> set[str]:
    """The packages that asmnet with an extra requires, in the spelling of a module."""
    try:
        requirements = importlib.metadata.requires("asmnet") or []
    except importlib.metadata.PackageNotFoundError:
        return set()
    found: set[str] = set()
    for requirement in requirements:
        package, _, marker = requirement.partition(";")
        of = re.search(r"extra == ['\"](\w+)", marker)
        if of is None or of[1] == extra:
            name, *extras = re.findall(r"[\w.-]+", re.sub(r"[<>=!~ ].*", "", package))
            if name == "asmnet":
                found.update(*map(_packages, extras))
            else:
                found.add(name.lower().replace("-", "_"))
    return found


@contextlib.contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `target`; rename it there if the block succeeds.

    The temporary keeps `target`'s last suffixes, so writers that pick a format by
    them still work.  If the block raises, `target` is left as it was.  What killed processes
    of this machine left in the folder is removed.

    Raises:
        UserError: `target` is a folder, its own folder cannot be created or written, or the
            disk is full, at whatever moment.
    """
    target = Path(target)
    if target.is_dir():
        raise UserError(f"cannot write {target}: it is a folder; give a file name")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent.resolve())
        ending = "".join(target.suffixes[-2:])
        handle, name = tempfile.mkstemp(
            prefix=f"{_start(target.name)}{socket.gethostname()}-{os.getpid()}-",
            suffix=ending if len(ending) < 20 else target.suffix,
            dir=target.parent,
        )
    except OSError as error:
        raise _unwritable(target, error) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes private files; give the result the permissions `open` would have.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
    except OSError as error:
        # Another file's error, told within the block, is not about this one.
        if error.errno in _FULL or name in (error.filename, error.filename2):
            raise _unwritable(target, error) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(target: Path, error: OSError) -> UserError:
    # Not `error.strerror`: HDF5 puts several lines there.
    return UserError(
        f"cannot write {target}: {os.strerror(error.errno) if error.errno else error}; "
        "choose a folder you may write to, on a disk with space"
    )


@functools.cache
def _sweep(folder: Path) -> None:
    """Remove what dead processes of this machine left: SIGKILL leaves no time for `finally`."""
    ours = re.compile(rf"\..+-{re.escape(socket.gethostname())}-(\d{{1,9}})-\w{{8}}(\..*)?")
    for path in folder.iterdir():
        temporary = ours.fullmatch(path.name)
        if temporary and not _runs(int(temporary[1])):
            path.unlink(missing_ok=True)


def remove_temporaries(targets: Iterable[Path]) -> None:
    """Remove what killed processes of any machine left beside files; nobody may write them now.

    Args:
        targets: files that `atomic_path` wrote.
    """
    starts: dict[Path, set[str]] = {}
    for target in targets:
        starts.setdefault(target.parent, set()).add(_start(target.name))
    for folder, known in starts.items():
        for path in folder.glob(".*"):
            temporary = re.fullmatch(r"\..+-\d{1,9}-\w{8}(\..*)?", path.name)
            if temporary and any(path.name.startswith(start) for start in known):
                path.unlink(missing_ok=True)


def _start(name: str) -> str:
    """Of a temporary file's name: the whole of a long one would leave no room for the rest."""
    return f".{name[:30]}-"


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    with contextlib.suppress(OSError):  # Linux: killed, and not yet collected by its parent
        status = Path(f"/proc/{process}/stat").read_text()
        return status.rpartition(")")[2].split()[0] not in ("Z", "X")
    return True
