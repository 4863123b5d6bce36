"""Errors a user can act on, and files that are either whole or absent."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["UserError", "atomic_path", "cli_errors"]


class UserError(ValueError):
    """Bad input: one sentence that names the offending value and the remedy.

    Commands print it without a traceback and leave with exit code 2.
    """


def cli_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command: a `UserError` or a missing extra is one sentence and exit code 2."""

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except UserError as error:
            message = str(error)
        except ModuleNotFoundError as error:
            part = command.__module__.split(".")[1]
            extra = f"[{part}]" if part in ("train", "export") else ""
            message = f"{error.name} is not installed; run: pip install 'asmnet{extra}'"
        print(f"error: {message}", file=sys.stderr)
        sys.exit(2)

    return wrapper


@contextlib.contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `target`; rename it there if the block succeeds.

    The temporary keeps `target`'s suffixes, so writers that pick a format by
    them still work.  If the block raises, `target` is left as it was.

    Raises:
        UserError: the folder of `target` cannot be created or written.
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{target.name}-", suffix="".join(target.suffixes), dir=target.parent
        )
    except OSError as error:
        raise UserError(
            f"cannot write {target}: {error.strerror or error}; "
            "choose a folder you may write to, on a disk with space"
        ) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes private files; give the result the permissions `open` would have.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
