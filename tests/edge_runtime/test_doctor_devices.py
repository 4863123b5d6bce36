"""`asmnet-doctor` on devices that we do not have: fake /proc, /sys and /dev trees."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from asmnet.edge_runtime.doctor import cameras as doctor_cameras
from asmnet.edge_runtime.doctor import machine
from asmnet.edge_runtime.doctor.findings import ProbeError, probe


def write(root: Path, files: dict[str, str]) -> Path:
    """A fake root folder with these files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    """A Raspberry Pi 4 on Bookworm: powersave, no camera, its decoder's nodes."""
    core = "processor\t: {}\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU part\t: 0xd08\n\n"
    cpufreq = {
        f"sys/devices/system/cpu/cpu{n}/cpufreq/{name}": f"{value}\n"
        for n in range(4)
        for name, value in {
            "scaling_governor": "powersave", "scaling_driver": "cpufreq-dt",
            "scaling_max_freq": 1800000, "cpuinfo_max_freq": 1800000,
        }.items()
    }  # fmt: skip
    tree = {
        "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
        "proc/cpuinfo": "".join(map(core.format, range(4))),
        "proc/meminfo": "MemTotal: 3884376 kB\nMemFree: 100 kB\nMemAvailable: 3145728 kB\n",
        "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
        "sys/class/thermal/thermal_zone0/temp": "82300\n",
        "sys/class/video4linux/video10/name": "bcm2835-codec-decode\n",
        "dev/video10": "",
    }
    return write(tmp_path, tree | cpufreq)


def vcgencmd(folder: Path, says: str) -> str:
    path = folder / "vcgencmd"
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return str(path)


def test_a_raspberry_pi_4_is_described(pi: Path):
    cpu = machine.cpu(pi, 4)
    assert (cpu.mark, cpu.found) == (
        "ok",
        "Raspberry Pi 4 Model B Rev 1.4, Cortex-A72, 4 cores; int8 with asimd, "
        "without dot products",
    )
    memory = machine.memory(pi)
    assert memory is not None and memory.found == "3072 of 3793 MB available"


def test_powersave_is_warned_of(pi: Path):
    found = machine.governor(pi)
    assert found is not None and found.mark == "warn"
    assert "powersave, up to 1800 MHz" in found.found and "scaling_governor" in found.remedy


def test_powersave_of_intels_own_driver_is_its_everyday_policy(pi: Path):
    for driver in pi.glob("sys/devices/system/cpu/*/cpufreq/scaling_driver"):
        driver.write_text("intel_pstate\n")
    found = machine.governor(pi)
    assert found is not None and found.mark == "ok"


def test_a_capped_clock_is_warned_of(pi: Path):
    for path in pi.glob("sys/devices/system/cpu/*/cpufreq/scaling_*"):
        path.write_text("ondemand" if path.name == "scaling_governor" else "600000")
    found = machine.governor(pi)
    assert found is not None and found.mark == "warn" and "600 MHz of 1800" in found.found


def test_under_voltage_is_told_bit_by_bit(pi: Path):
    found = machine.power(pi, vcgencmd(pi, "echo throttled=0x50005"))
    assert found is not None and found.mark == "warn"
    assert found.found == (
        "under-voltage, throttled now; under-voltage, throttled since the start (0x50005)"
    )
    assert "power supply" in found.remedy


@pytest.mark.parametrize(
    ("says", "mark", "words"),
    [
        ("echo throttled=0x0", "ok", "never throttled"),
        ("echo throttled=0x80008", "warn", "hot (soft limit) now"),
        ("echo VCHI initialization failed", "warn", "cannot tell"),
        ("echo no /dev/vcio >&2; exit 255", "warn", "no /dev/vcio"),
    ],
)
def test_other_answers_of_vcgencmd(says: str, mark: str, words: str, pi: Path):
    found = machine.power(pi, vcgencmd(pi, says))
    assert found is not None and found.mark == mark and words in found.found
    assert ("cool it" in found.remedy) == ("hot" in words)


def test_without_vcgencmd_only_a_raspberry_pi_misses_it(pi: Path, tmp_path_factory):
    found = machine.power(pi)
    assert found is not None and "raspi-utils" in found.remedy
    assert machine.power(tmp_path_factory.mktemp("pc")) is None


def test_a_hot_processor_is_warned_of(pi: Path):
    found = machine.temperature(pi)
    assert (
        found is not None and found.mark == "warn" and "82 degrees C (cpu-thermal)" in found.found
    )


def test_a_machine_that_tells_nothing_is_no_problem(tmp_path: Path):
    checks = (machine.governor, machine.power, machine.temperature, machine.memory, machine.limits)
    assert [check(tmp_path) for check in checks] == [None] * len(checks)
    assert machine.cpu(tmp_path).mark == "ok"


@pytest.mark.parametrize(
    ("flags", "mark", "words"),
    [
        ("flags : sse2 avx2 avx512_vnni", "ok", "int8 fast: VNNI (avx512_vnni)"),
        ("flags : sse2 avx2", "ok", "int8 with avx2, without dot products"),
        ("flags : sse2", "warn", "neither AVX2 nor NEON"),
        ("Features : asimd asimddp", "ok", "int8 fast: dot products (asimddp)"),
        ("Features : asimd asimddp i8mm", "ok", "int8 fast: matrix instructions (i8mm)"),
        ("Features : half thumb neon vfpv4", "ok", "int8 with neon"),
        ("Features : half thumb", "warn", "neither"),
    ],
)
def test_what_int8_can_expect(flags: str, mark: str, words: str, tmp_path: Path):
    found = machine.cpu(write(tmp_path, {"proc/cpuinfo": f"{flags}\n"}), 4)
    assert found.mark == mark and words in found.found


@pytest.mark.parametrize(
    ("quota", "above", "mark"),
    [("50000 100000", "max 100000", "warn"), ("max 100000", "200000 100000", "ok")],
)
def test_a_containers_share_is_told(quota: str, above: str, mark: str, tmp_path: Path):
    tree = {"proc/self/cgroup": "0::/box/1\n", "sys/fs/cgroup/box/1/cpu.max": quota,
            "sys/fs/cgroup/box/cpu.max": above}  # fmt: skip
    found = machine.limits(write(tmp_path, tree), 4)
    assert found is not None and found.mark == mark and "of 4 cores" in found.found
    assert machine.limits(tmp_path, 2) is None or mark == "warn"


def camera(root: Path, number: int, name: str) -> None:
    write(root, {f"sys/class/video4linux/video{number}/name": name, f"dev/video{number}": ""})


def test_no_camera_is_a_warning_with_remedies(pi: Path):
    found = doctor_cameras.cameras(pi)
    assert found.mark == "warn" and found.found == "none found"
    assert all(w in found.remedy for w in ("USB", "--device", "rpicam-hello", "--source demo"))


def test_cameras_are_listed_without_their_metadata_nodes(pi: Path):
    camera(pi, 0, "HD Webcam")
    camera(pi, 1, "HD Webcam")
    found = doctor_cameras.cameras(pi, capture=lambda node: node.name == "video0")
    assert (found.mark, found.found) == ("ok", "0 (HD Webcam)")


def test_the_ribbon_cable_needs_picamera2(pi: Path):
    camera(pi, 0, "unicam-image")
    found = doctor_cameras.cameras(pi, picamera2=False)
    assert found.mark == "warn" and "python3-picamera2" in found.remedy
    found = doctor_cameras.cameras(pi, picamera2=True)
    assert found.mark == "ok" and "--source picamera" in found.found


def test_a_camera_of_another_group_is_explained(pi: Path, monkeypatch: pytest.MonkeyPatch):
    camera(pi, 0, "HD Webcam")
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = doctor_cameras.cameras(pi)
    assert found.mark == "warn" and "sudo usermod -aG" in found.remedy


def test_a_camera_left_outside_the_container_is_explained(pi: Path):
    camera(pi, 0, "HD Webcam")
    (pi / "dev/video0").unlink()
    found = doctor_cameras.cameras(pi)
    assert found.mark == "warn" and "--device /dev/video0" in found.remedy


def test_a_camera_that_hangs_is_given_up(pi: Path):
    camera(pi, 0, "Broken Webcam")
    (pi / "dev/video0").unlink()
    os.mkfifo(pi / "dev/video0")  # opening it waits for a writer, for ever
    start = time.monotonic()
    found = doctor_cameras.cameras(pi, capture=lambda node: probe("camera", node, timeout=0.5))
    assert time.monotonic() - start < 5
    assert found.mark == "warn" and "0 (Broken Webcam): no answer in 0.5 s" in found.found


def test_a_node_that_is_no_camera_says_so(tmp_path: Path):
    (tmp_path / "video0").write_text("")
    with pytest.raises(ProbeError, match="ioctl"):
        doctor_cameras.can_capture(tmp_path / "video0")
