"""Checks of `asmnet-doctor`: Python, the interpreter, OpenCV."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asmnet.edge_runtime.doctor.findings import Finding, Mark, ProbeError

__all__ = ["INTERPRETERS", "OPENCVS", "Userland", "interpreter", "opencv", "python", "versions",
           "video", "window"]  # fmt: skip

INTERPRETERS = ("ai-edge-litert", "tflite-runtime")
OPENCVS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
# What there are wheels for: ai-edge-litert up to 2.3.0 is tagged manylinux_2_27, CPython 3.10
# to 3.14; tflite-runtime 2.14.0 manylinux_2_34 on ARM, up to CPython 3.11.
_PYTHONS, _GLIBC = ((3, 10), (3, 14)), (2, 27)
_OLD_PYTHON, _OLD_GLIBC = (3, 11), (2, 34)


@dataclass(frozen=True)
class Userland:
    """What wheels are chosen by.

    Attributes:
        version: of Python.
        machine: what the kernel says: x86_64, aarch64, armv7l.
        bits: of Python itself; 32 under a 64-bit kernel happens.
        libc: name and version, such as ("glibc", "2.36") or ("musl", "").
        system: linux, darwin, win32.
    """

    version: tuple[int, int, int]
    machine: str
    bits: int
    libc: tuple[str, str]
    system: str = "linux"

    @property
    def arm32(self) -> bool:
        """32-bit ARM, whatever the kernel is."""
        return self.bits == 32 and self.machine.startswith(("aarch64", "arm"))

    @classmethod
    def here(cls, root: Path = Path("/")) -> Userland:
        """The one that this process runs in."""
        name, version = platform.libc_ver()
        if not name and any(root.glob("lib/ld-musl-*")):
            name = "musl"
        bits = 8 * struct.calcsize("P")
        return cls(sys.version_info[:3], platform.machine(), bits, (name, version), sys.platform)


def versions(names: tuple[str, ...]) -> dict[str, str]:
    """Those of the packages that are installed, with their versions."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def python(here: Userland) -> Finding:
    """Whether this Python, processor and C library can have the interpreters at all."""
    libc = " ".join(here.libc).strip()
    found = f"{'.'.join(map(str, here.version))}, {here.bits} bits, {here.machine}, "
    found += libc or here.system
    facts = {"python": here.version, "bits": here.bits, "machine": here.machine, "libc": libc}
    short = here.version[:2]
    glibc = tuple(map(int, re.findall(r"\d+", here.libc[1])[:2])) if here.libc[0] == "glibc" else ()

    def problem(mark: Mark, what: str, remedy: str) -> Finding:
        return Finding("python", mark, f"{found}: {what}", remedy, facts)

    if here.libc[0] == "musl":
        return problem(
            "FAIL",
            "no interpreter is built for musl (Alpine)",
            "use a system with glibc; as a container image, python:3.11-slim",
        )
    if here.machine.startswith("armv6"):
        return problem(
            "FAIL",
            "no interpreter is built for armv6 (Raspberry Pi 1, Zero, Zero W)",
            "a Zero 2 W, or a Raspberry Pi 3 or later",
        )
    if short < _PYTHONS[0]:
        return problem("FAIL", "too old", "install Python 3.10 or later")
    if here.arm32 and short > _OLD_PYTHON:
        return problem(
            "warn",
            "32-bit ARM has tflite-runtime alone, which ends with Python 3.11",
            "install 64-bit Raspberry Pi OS, or Python 3.11",
        )
    if here.arm32 and glibc and glibc < _OLD_GLIBC:
        return problem(
            "warn",
            "tflite-runtime 2.14 needs glibc 2.34",
            "install Raspberry Pi OS Bookworm or later, better the 64-bit one",
        )
    if here.bits == 32 and here.machine in ("aarch64", "x86_64"):
        return problem(
            "warn",
            "a 32-bit Python under a 64-bit kernel, for which pip finds no interpreter",
            "install the 64-bit system (Raspberry Pi OS has both); or stay with 32 bits: "
            "pip install tflite-runtime==2.14.0 'numpy<2'",
        )
    if short > _PYTHONS[1]:
        return problem(
            "warn",
            "newer than the interpreter's packages known here",
            "if pip finds none, use Python 3.13",
        )
    if glibc and glibc < _GLIBC:
        return problem("warn", "ai-edge-litert needs glibc 2.27", "install a newer system")
    return Finding("python", "ok", found, "", facts)


def interpreter(
    here: Userland,
    installed: Mapping[str, str],
    numpy: str,
    forced: str | None,
    trial: Callable[[], dict[str, Any]],
) -> Finding:
    """The TFLite interpreter: there, alone or chosen, fit for numpy, and running.

    Args:
        here: decides what can be installed.
        installed: versions of those of `INTERPRETERS` that are there.
        numpy: its version.
        forced: the environment variable ASMNET_INTERPRETER.
        trial: `probes.interpreter`; a `ProbeError` if it breaks.
    """
    facts: dict[str, Any] = {"installed": dict(installed), "numpy": numpy, "forced": forced}
    install = "pip install " + (
        "tflite-runtime==2.14.0 'numpy<2'" if here.arm32 else INTERPRETERS[0]
    )

    def fail(found: str, remedy: str) -> Finding:
        return Finding("interpreter", "FAIL", found, remedy, facts)

    if forced and forced not in INTERPRETERS:
        return fail(
            f"ASMNET_INTERPRETER={forced} names no interpreter",
            f"unset ASMNET_INTERPRETER, or set it to {' or '.join(INTERPRETERS)}",
        )
    if forced and forced not in installed:
        return fail(
            f"ASMNET_INTERPRETER={forced}, which is not installed",
            f"pip install {forced}, or unset ASMNET_INTERPRETER",
        )
    if not installed:
        return fail("none installed", install)
    first = forced or next(name for name in INTERPRETERS if name in installed)
    if first == "tflite-runtime" and int(numpy.split(".")[0]) >= 2:
        return fail(
            f"tflite-runtime {installed[first]}, built for numpy 1, dies beside numpy {numpy}",
            "pip install 'numpy<2'" + ("" if here.arm32 else f", or better {install}"),
        )
    try:
        answer = trial()
    except ProbeError as error:
        illegal = "SIGILL" in str(error)
        return fail(
            f"{first} {installed[first]} does not run: {error}",
            "this processor lacks instructions that the package was built with; try the "
            f"other one ({', '.join(INTERPRETERS)})"
            if illegal
            else f"pip install --force-reinstall --no-deps {first}=={installed[first]}",
        )
    facts |= answer
    found = f"{answer['package']}, numpy {numpy}"
    found += ": runs" if not answer["refused"] else ": loads, but had no intact file to run"
    used = answer["package"].split()[0]
    if forced:
        found += "; ASMNET_INTERPRETER chose it"
    elif others := [name for name in installed if name != used]:
        found += f"; {others[0]} is there too, unused"
    if used != first:
        remedy = f"pip install --force-reinstall --no-deps {first}=={installed[first]}"
        return Finding(
            "interpreter", "warn", f"{found}, since it cannot be imported", remedy, facts
        )
    if used == "tflite-runtime" and here.machine == "x86_64":
        remedy = "pip install ai-edge-litert"
        return Finding(
            "interpreter", "warn", f"{found}; no fast int8 kernels on x86", remedy, facts
        )
    return Finding("interpreter", "ok", found, "", facts)


def opencv(installed: Mapping[str, str], answer: dict[str, Any] | ProbeError) -> Finding:
    """OpenCV: imports, and is there only once.

    Args:
        installed: versions of those of `OPENCVS` that are there.
        answer: of `probes.opencv`, or how it failed.
    """
    names = ", ".join(f"{name} {version}" for name, version in installed.items())
    facts: dict[str, Any] = {"installed": dict(installed)}
    clean = (
        f"pip uninstall -y {' '.join(installed)}; then pip install opencv-python-headless "
        "(or opencv-python, which has windows)"
    )
    if isinstance(answer, ProbeError):
        reason = str(answer)
        if not installed and "No module" in reason:
            return Finding(
                "opencv", "FAIL", "not installed", "pip install opencv-python-headless", facts
            )
        if len(installed) > 1:
            remedy = clean
        elif "libGL" in reason or "libgthread" in reason or "libglib" in reason:
            remedy = (
                "pip uninstall -y opencv-python opencv-contrib-python; "
                "pip install opencv-python-headless (or: sudo apt install libgl1 libglib2.0-0)"
            )
        elif "numpy" in reason or "_ARRAY_API" in reason:
            remedy = "pip install --upgrade opencv-python-headless, or pip install 'numpy<2'"
        else:
            remedy = "pip install --force-reinstall --no-deps opencv-python-headless"
        return Finding("opencv", "FAIL", f"{names or 'cv2'}: {reason}", remedy, facts)
    facts |= answer
    if len(installed) > 1:
        found = f"{len(installed)} packages overwrite each other: {names}; {answer['version']} won"
        return Finding("opencv", "warn", found, clean, facts)
    return Finding("opencv", "ok", names or f"{answer['version']}, not from pip", "", facts)


def window(answer: dict[str, Any], environment: Mapping[str, str]) -> Finding:
    """Whether a preview can open: needs an OpenCV with windows and a display."""
    display = environment.get("WAYLAND_DISPLAY") or environment.get("DISPLAY") or ""
    facts = {"gui": answer["gui"], "display": display}
    if answer["gui"] and display:
        return Finding("window", "ok", f"{answer['gui']}, display {display}", "", facts)
    if answer["gui"]:
        return Finding("window", "ok", "no display: asmnet-webcam runs without one", "", facts)
    if not display:
        return Finding("window", "ok", "none: no display, and an OpenCV without windows", "", facts)
    return Finding(
        "window",
        "warn",
        f"display {display}, but this OpenCV has no windows",
        "for a preview: pip uninstall -y opencv-python-headless; pip install opencv-python",
        facts,
    )


def video(answer: dict[str, Any], system: str = "linux") -> Finding:
    """What OpenCV can read: files and streams by FFmpeg, cameras by V4L2 or GStreamer."""
    support: dict[str, bool] = answer["video"]
    found = ", ".join(f"{'' if there else 'no '}{name}" for name, there in support.items())
    lacking = [
        what
        for what, name in (("video files", "FFmpeg"), ("USB cameras", "V4L2"))
        if not support[name] and not (name == "V4L2" and system != "linux")
    ]
    if lacking:
        remedy = "use the OpenCV of pip: pip install --force-reinstall opencv-python-headless"
        return Finding(
            "video", "warn", f"{found}: no {' and no '.join(lacking)}", remedy, dict(support)
        )
    return Finding("video", "ok", found, "", dict(support))
