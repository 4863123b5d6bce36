"""Check of `asmnet-doctor`: cameras, and who may open them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from asmnet.edge_runtime.doctor.findings import Finding, ProbeError, probe, read
from asmnet.edge_runtime.doctor.machine import is_pi

__all__ = ["can_capture", "cameras"]

# Nodes that deliver pictures and are no cameras: decoders, scalers, image processors.
_PROCESSORS = ("bcm2835-codec", "bcm2835-isp", "pispbe", "rpivid", "rpi-hevc")
# The Raspberry Pi's ribbon cable: raw sensor data, which libcamera alone makes pictures of.
_RIBBON = ("unicam", "rp1-cfe")
_DEMO = "meanwhile: asmnet-webcam --source demo"


def can_capture(node: Path) -> bool:
    """Ask a device node in another process: broken drivers hang.

    Raises:
        ProbeError: no answer.
    """
    return bool(probe("camera", node, timeout=3.0))


def cameras(
    root: Path = Path("/"),
    picamera2: bool = False,
    capture: Callable[[Path], bool] = can_capture,
) -> Finding:
    """Cameras that asmnet-webcam can open, and why not the others.

    Args:
        root: the folder with /sys and /dev.
        picamera2: whether that package can be imported.
        capture: see `can_capture`.
    """
    numbers = {
        int(path.name[5:])
        for folder in ("dev", "sys/class/video4linux")
        for path in (root / folder).glob("video[0-9]*")
        if path.name[5:].isdigit()
    }
    names = {n: read(root / f"sys/class/video4linux/video{n}/name") for n in sorted(numbers)}
    ribbon = any(name.startswith(_RIBBON) for name in names.values())
    good: list[str] = []
    problems: list[str] = []
    remedies: list[str] = []
    for number, name in names.items():
        if name.startswith(_PROCESSORS + _RIBBON):
            continue
        node = root / f"dev/video{number}"
        label = f"{number} ({name})" if name else str(number)
        if not node.exists():
            problems.append(f"{label} has no /dev/video{number} here")
            remedies.append(f"in a container: docker run --device /dev/video{number}")
        elif not os.access(node, os.R_OK | os.W_OK):
            problems.append(f"{label} may not be opened")
            remedies.append(f"sudo usermod -aG {_group(node)} $USER, then log in again")
        else:
            try:
                if capture(node):
                    good.append(label)
            except ProbeError as error:
                problems.append(f"{label}: {error}")
                remedies.append("unplug it and plug it in again; sudo dmesg | tail says more")
    if ribbon and picamera2:
        good.append("ribbon cable: --source picamera")
    elif ribbon:
        problems.append("a camera on the ribbon cable, but no picamera2")
        remedies.append(
            "sudo apt install python3-picamera2; make the virtual environment with "
            "python3 -m venv --system-site-packages; then --source picamera"
        )
    facts = {
        "nodes": {f"/dev/video{number}": name for number, name in names.items()},
        "usable": good,
        "picamera2": picamera2,
    }
    if not good and not problems:
        problems.append("none found")
        remedies.append("plug in a USB camera (in a container: docker run --device /dev/video0)")
        if is_pi(root):
            remedies.append("for the ribbon cable: rpicam-hello --list-cameras")
    if problems:
        remedies += [] if good else [_DEMO]
        remedy = "; ".join(dict.fromkeys(remedies))
        return Finding("cameras", "warn", ", ".join(good + problems), remedy, facts)
    return Finding("cameras", "ok", ", ".join(good), "", facts)


def _group(node: Path) -> str:
    """The group that may open a device; "video" as usual where only root may."""
    import grp  # not on Windows

    try:
        group = node.stat().st_gid
        return grp.getgrgid(group).gr_name if group else "video"
    except (KeyError, OSError):
        return "video"
