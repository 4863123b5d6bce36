"""What a check of `asmnet-doctor` says, and how it stays alive whatever it touches."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

__all__ = ["Finding", "Mark", "ProbeError", "examine", "outcome", "probe", "read"]

Mark = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True)
class Finding:
    """The answer of one check.

    Attributes:
        check: its name, one word.
        mark: "ok"; "warn": works, but not as it could; "FAIL": unusable until remedied.
        found: what is there.
        remedy: what to do about it; empty if all is well.
        facts: the same for machines: names, numbers.
    """

    check: str
    mark: Mark
    found: str
    remedy: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


class ProbeError(Exception):
    """A process did not do what it was started for; the text says how it ended."""


def examine(check: str, function: Callable[[], Finding | None]) -> Finding | None:
    """Run a check; one that breaks is a finding too."""
    try:
        return function()
    except Exception as error:
        return Finding(
            check,
            "warn",
            f"this check broke: {type(error).__name__}: {_short(str(error))}",
            "please report it with the output of asmnet-doctor --json",
        )


def probe(name: str, *given: object, timeout: float = 60.0) -> Any:
    """Call a function of `probes` in a process of its own.

    What it imports may kill the process, what it opens may hang.

    Args:
        name: of the function.
        given: its arguments, as strings.
        timeout: seconds.

    Returns:
        What the function returned, by way of JSON.

    Raises:
        ProbeError: it raised, died, hung or said nothing.
    """
    # The working folder is on the path after -c, unlike in a command: someone's ./cv2.py
    # would be found.
    code = (
        "import sys; sys.path = [p for p in sys.path if p]; "
        "from asmnet.edge_runtime.doctor.probes import main; main()"
    )
    text = outcome([sys.executable, "-c", code, name, *map(str, given)], timeout)
    try:
        answer = dict(json.loads(text.splitlines()[-1]))  # libraries may have talked before
    except (IndexError, TypeError, ValueError) as error:
        raise ProbeError("ended without an answer") from error
    if "error" in answer:
        raise ProbeError(_short(answer["error"]))
    return answer["value"]


def outcome(command: Sequence[str], timeout: float) -> str:
    """What a command prints.

    Raises:
        ProbeError: it cannot be started, fails, dies or hangs.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise ProbeError(f"cannot start {command[0]}: {error.strerror or error}") from error
    try:
        out, complaints = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        # Inside a broken driver not even SIGKILL ends a process, so it is not waited for
        # as `subprocess.run` would.
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=0.2)
        raise ProbeError(f"no answer in {timeout:g} s") from error
    if process.returncode < 0:
        names = {number.value: number.name for number in signal.Signals}
        raise ProbeError(f"killed by {names.get(-process.returncode, -process.returncode)}")
    if process.returncode:
        last = (complaints.strip() or out.strip() or f"exit code {process.returncode}").splitlines()
        raise ProbeError(_short(last[-1]))
    return out


def read(path: Path) -> str:
    """A small system file without its closing newline or zero; empty if it cannot be read."""
    try:
        return path.read_text(errors="replace").strip("\0\n ")
    except OSError:
        return ""


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 300 else words[:297] + "..."
