"""Checks of `asmnet-doctor`: the processor, and what keeps it from running at full speed.

Readers of system files take the root folder under which /proc and /sys lie.
"""

from __future__ import annotations

import platform
import re
from pathlib import Path

from asmnet.core.processor import usable_cores
from asmnet.edge_runtime.doctor.findings import Finding, ProbeError, outcome, read

__all__ = ["cpu", "governor", "is_pi", "limits", "machine_name", "memory", "power",
           "temperature"]  # fmt: skip

# "CPU part" of /proc/cpuinfo on ARM: the cores of Raspberry Pis and other small boards.
_ARM_CORES = {
    "0xb76": "ARM1176", "0xc07": "Cortex-A7", "0xc08": "Cortex-A8", "0xc09": "Cortex-A9",
    "0xc0f": "Cortex-A15", "0xd03": "Cortex-A53", "0xd04": "Cortex-A35", "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57", "0xd08": "Cortex-A72", "0xd09": "Cortex-A73", "0xd0a": "Cortex-A75",
    "0xd0b": "Cortex-A76", "0xd0c": "Neoverse-N1", "0xd41": "Cortex-A78", "0xd42": "Cortex-A78AE",
}  # fmt: skip
# Bits of `vcgencmd get_throttled`; the same 16 bits higher: since the system started.
_THROTTLED = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "hot (soft limit)"}
_HOT = 80.0  # degrees Celsius; from here on a Raspberry Pi slows down
# MB.  Tracking takes about 100, as the speed check says; windows and recordings take more.
_LITTLE_MEMORY = 250


def machine_name(root: Path = Path("/")) -> str:
    """The board or processor, for example "Raspberry Pi 4 Model B Rev 1.4, Cortex-A72"."""
    information = read(root / "proc/cpuinfo")
    parts = dict.fromkeys(re.findall(r"^CPU part\s*: (\w+)", information, re.MULTILINE))
    cores = " + ".join(_ARM_CORES.get(part, f"ARM core {part}") for part in parts)
    board = read(root / "proc/device-tree/model")
    named = re.search(r"^model name\s*: (.+)", information, re.MULTILINE)
    # What armv7 kernels call a model name is less than the core's own name.
    model = "" if cores or not named else named[1].strip()
    return ", ".join(filter(None, (board, cores or model))) or (
        platform.processor() or platform.machine()
    )


def is_pi(root: Path = Path("/")) -> bool:
    """Whether this is a Raspberry Pi."""
    return "Raspberry Pi" in read(root / "proc/device-tree/model")


def cpu(root: Path = Path("/"), usable: int | None = None) -> Finding:
    """The processor, and whether it has instructions for fast int8."""
    information = read(root / "proc/cpuinfo")
    words: set[str] = set()
    for line in re.findall(r"^(?:flags|Features)\s*: (.+)", information, re.MULTILINE):
        words |= set(line.split())
    count = usable or usable_cores()
    found = f"{machine_name(root)}, {count} core{'s' if count > 1 else ''}"
    # Best first, as XNNPACK, the interpreters' kernel library, prefers them.
    known = ("i8mm", "asimddp", "asimd", "neon", "avx512_vnni", "avx_vnni", "avx2")
    features = [name for name in known if name in words]
    facts = {"name": machine_name(root), "cores": count, "features": features}
    fast = {
        "i8mm": "matrix instructions", "asimddp": "dot products",
        "avx512_vnni": "VNNI", "avx_vnni": "VNNI",
    }  # fmt: skip
    if best := [name for name in features if name in fast]:
        return Finding("cpu", "ok", f"{found}; int8 fast: {fast[best[0]]} ({best[0]})", "", facts)
    if features:
        found += f"; int8 with {features[0]}, without dot products"
        return Finding("cpu", "ok", found, "", facts)
    if not words:
        return Finding("cpu", "ok", f"{found}; its instructions are not told here", "", facts)
    return Finding(
        "cpu",
        "warn",
        f"{found}; neither AVX2 nor NEON: slow",
        "the fastest network that ships is the default: leave out --model",
        facts,
    )


def governor(root: Path = Path("/")) -> Finding | None:
    """Whether the clock rises under load; None where the system does not tell."""
    folders = sorted((root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq"))
    names = sorted({name for folder in folders if (name := read(folder / "scaling_governor"))})
    if not names:
        return None
    driver = read(folders[0] / "scaling_driver")
    mhz = [_number(folder / "scaling_max_freq") // 1000 for folder in folders]
    built = [_number(folder / "cpuinfo_max_freq") // 1000 for folder in folders]
    found = f"{', '.join(names)}, up to {max(mhz)} MHz"
    facts = {"governors": names, "driver": driver, "max_mhz": max(mhz)}
    everywhere = "/sys/devices/system/cpu/cpu*/cpufreq"
    # These drivers call their everyday, dynamic policy "powersave".
    dynamic = driver.startswith("intel_pstate") or driver == "amd-pstate-epp"
    if "powersave" in names and not dynamic:
        return Finding(
            "governor",
            "warn",
            f"{found}: the clock stays at its lowest",
            f"echo ondemand | sudo tee {everywhere}/scaling_governor (or performance)",
            facts,
        )
    if max(mhz) < max(built):
        remedy = f"echo {1000 * max(built)} | sudo tee {everywhere}/scaling_max_freq"
        return Finding("governor", "warn", f"{found} of {max(built)}", remedy, facts)
    return Finding("governor", "ok", found, "", facts)


def power(root: Path = Path("/"), command: str | None = None) -> Finding | None:
    """What slows a Raspberry Pi down: supply and heat, now or since it started.

    Args:
        root: tells whether this is a Raspberry Pi.
        command: vcgencmd, if there is one; without it None on other machines.
    """
    if command is None:
        if not is_pi(root):
            return None
        remedy = "sudo apt install raspi-utils (before Bookworm: libraspberrypi-bin)"
        return Finding("power", "warn", "cannot tell: vcgencmd is missing", remedy)
    try:
        text = outcome([command, "get_throttled"], 5.0).strip()
    except ProbeError as error:
        return Finding(
            "power", "warn", f"cannot tell: {error}", "sudo usermod -aG video $USER, log in again"
        )
    match = re.search(r"throttled=(0x[0-9a-fA-F]+)", text)
    if not match:
        remedy = "sudo usermod -aG video $USER, log in again"
        return Finding("power", "warn", f"cannot tell: vcgencmd says {text[:80]!r}", remedy)
    bits = int(match[1], 16)
    now = [name for bit, name in _THROTTLED.items() if bits >> bit & 1]
    since = [name for bit, name in _THROTTLED.items() if bits >> (bit + 16) & 1]
    facts = {"throttled": match[1], "now": now, "since_start": since}
    if not bits:
        return Finding("power", "ok", "never throttled since the start", "", facts)
    found = "; ".join(
        f"{', '.join(names)} {when}"
        for names, when in ((now, "now"), (since, "since the start"))
        if names
    )
    if "under-voltage" in now + since:
        remedy = (
            "the power supply made for this board (5.1 V, 3 A for a Pi 4, 5 A for a Pi 5), "
            "a short thick cable, fewer USB devices"
        )
    else:
        remedy = "cool it: heat sink or fan, an open case"
    return Finding("power", "warn", f"{found} ({match[1]})", remedy, facts)


def temperature(root: Path = Path("/")) -> Finding | None:
    """The hottest sensor; None if there is none."""
    readings = {
        read(zone / "type") or zone.name: _number(zone / "temp") / 1000
        for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*"))
        if read(zone / "temp")
    }
    if not readings:
        return None
    name, degrees = max(readings.items(), key=lambda item: item[1])
    found = f"{degrees:.0f} degrees C ({name})"
    if degrees >= _HOT:
        remedy = "cool it: heat sink or fan, an open case"
        return Finding("temperature", "warn", f"{found}: slows down", remedy, readings)
    return Finding("temperature", "ok", found, "", readings)


def memory(root: Path = Path("/")) -> Finding | None:
    """Memory available; None where the system does not tell."""
    lines = dict(re.findall(r"^(\w+):\s+(\d+) kB", read(root / "proc/meminfo"), re.MULTILINE))
    if "MemAvailable" not in lines:
        return None
    free, total = (int(lines[key]) // 1024 for key in ("MemAvailable", "MemTotal"))
    found, facts = f"{free} of {total} MB available", {"available_mb": free, "total_mb": total}
    if free < _LITTLE_MEMORY:
        return Finding("memory", "warn", f"{found}: little", "close other programs", facts)
    return Finding("memory", "ok", found, "", facts)


def limits(root: Path = Path("/"), usable: int | None = None) -> Finding | None:
    """The share of the processor that a container gets (cgroup v2); None if all of it."""
    group = re.search(r"^0::(/.*)$", read(root / "proc/self/cgroup"), re.MULTILINE)
    if not group:
        return None
    base = root / "sys/fs/cgroup"
    folder = base / group[1].strip("/")
    shares = []
    # Each group above can be limited too.
    for place in (folder, *folder.parents):
        words = read(place / "cpu.max").split()
        if len(words) == 2 and words[0].isdigit() and int(words[1]):
            shares.append(int(words[0]) / int(words[1]))
        if place == base:
            break
    count = usable or usable_cores()
    if not shares or min(shares) >= count:
        return None
    share = min(shares)
    found = f"this container gets {share:g} of {count} cores"
    facts = {"cores": share}
    if share < 1:
        remedy = "give it at least one: docker run --cpus 1, or without --cpus"
        return Finding("limits", "warn", f"{found}: frames will stutter", remedy, facts)
    return Finding("limits", "ok", f"{found}: --threads {int(share)} at most", "", facts)


def _number(path: Path) -> int:
    text = read(path)
    return int(text) if re.fullmatch(r"-?\d+", text) else 0
