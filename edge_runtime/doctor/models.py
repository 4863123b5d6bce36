"""Checks of `asmnet-doctor`: the model files, and how fast they run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asmnet import models
from asmnet.core import UserError, read_spec
from asmnet.edge_runtime.doctor.findings import Finding, ProbeError

__all__ = ["DETECTORS", "detector", "model", "speed"]

# The shipped detectors by check: file, and its SHA-256 as NOTICE states it.
DETECTORS = {
    "detector": (
        models.DETECTOR,
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    ),
    "turned faces": (
        models.TURNED_DETECTOR,
        "d4566e9d4a390f0eed551101a9a7fa44d381bcf3ab57443b4728ab48fc0a4308",
    ),
}
_AGAIN = "install the package again: pip install --force-reinstall --no-deps asmnet"
_FAST = "asmnet-spatial-68-112"
_REAL_TIME, _TOO_SLOW = 25, 15


def model(name: str, trial: Callable[[Path], Any] | None) -> Finding:
    """The landmark model: found, with a readable contract, and running.

    Args:
        name: of a shipped model, or a path.
        trial: runs it once; a `ProbeError` if it does not; None if there is nothing to run
            it with.
    """
    facts: dict[str, Any] = {"model": name}
    again = _AGAIN if name in models.shipped() else "export it again, or leave out --model"
    try:
        path = models.find(name)
        spec = read_spec(path)
        facts |= _file(path)
        facts |= {"scheme": spec.scheme, "size": spec.input_size, "version": spec.version}
        found = (
            f"{name}: {spec.scheme}, {spec.input_size} px, {facts['bytes'] / 1e6:.2f} MB, "
            f"sha256 {facts['sha256'][:12]}"
        )
        if trial is None:
            return Finding("model", "warn", f"{found}; not tried", "see what fails above", facts)
        trial(path)
    except (UserError, ProbeError, OSError) as error:
        return Finding("model", "FAIL", str(error), again, facts)
    return Finding("model", "ok", f"{found}; runs", "", facts)


def detector(check: str, trial: Callable[[Path], Any] | None, path: Path | None = None) -> Finding:
    """A face detector: the shipped file itself, and running.

    Args:
        check: a key of `DETECTORS`.
        trial: as of `model`.
        path: of another file in its place.
    """
    facts: dict[str, Any] = {}
    shipped, expected = DETECTORS[check]
    path = path or shipped
    try:
        facts = _file(path)
        found = f"{facts['bytes'] / 1e6:.2f} MB, sha256 {facts['sha256'][:12]}"
        if facts["sha256"] != expected:
            found += f", not the shipped {expected[:12]}"
        if trial is None:
            return Finding(check, "warn", f"{found}; not tried", "see what fails above", facts)
        trial(path)
    except OSError as error:
        return Finding(check, "FAIL", f"{path}: {error.strerror or error}", _AGAIN, facts)
    except ProbeError as error:
        return Finding(check, "FAIL", f"{found}: {error}", _AGAIN, facts)
    if facts["sha256"] != expected:
        return Finding(check, "warn", f"{found}; runs", _AGAIN, facts)
    return Finding(check, "ok", f"{found}; runs", "", facts)


def speed(
    size: int,
    clip: Path,
    threads: int,
    slowed: bool,
    trial: Callable[[], dict[str, Any]] | None,
) -> Finding:
    """How fast faces are tracked here.

    Args:
        size: input side of the model, pixels.
        clip: the sample clip.
        threads: what the network is tried with besides one thread.
        slowed: something found before keeps the processor slow.
        trial: `probes.speed`; None if it cannot work.
    """
    if not clip.is_file():
        return Finding("speed", "warn", f"not measured: the sample clip {clip} is missing", _AGAIN)
    if trial is None:
        return Finding("speed", "warn", "not measured", "see what fails above")
    try:
        facts = trial()
    except ProbeError as error:
        return Finding("speed", "FAIL", f"tracking the sample clip: {error}", "see --json; report")
    network: list[float] = facts["network"]
    found = f"network {network[0]:.2f} ms"
    if len(network) > 1:
        found += f" ({network[1]:.2f} on {threads} threads)"
    found += f", whole update {facts['update']:.2f} ms: {facts['fps']:.0f} frames a second"
    if facts["memory"]:
        found += f"; {facts['memory']:.0f} MB of memory"
    if facts["faces"] < 0.5:
        remedy = "try the shipped model: leave out --model"
        return Finding(
            "speed", "warn", f"{found}; but few faces found in the sample clip", remedy, facts
        )
    if facts["fps"] >= _TOO_SLOW:
        return Finding("speed", "ok", found, "", facts)
    remedies = ["first what is warned of above"] if slowed else []
    if size > 112:
        remedies.append(f"--model {_FAST}, more than twice as fast")
    if len(network) > 1 and network[1] < 0.8 * network[0]:
        remedies.append(f"--threads {threads}")
    remedy = "; ".join(remedies) or "a faster board"
    return Finding("speed", "warn", f"{found}: too slow to follow faces", remedy, facts)


def speed_in_words(fps: float | None) -> str:
    """What a speed means, in words; nothing for None."""
    if fps is None:
        return ""
    about = round(fps, -1) if fps >= 100 else round(fps)
    meaning = (
        "real time"
        if fps >= _REAL_TIME
        else "nearly real time"
        if fps >= _TOO_SLOW
        else "too slow to follow faces, see speed"
    )
    return f"about {about:.0f} frames a second on one thread: {meaning}"


def _file(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "path": str(path),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
