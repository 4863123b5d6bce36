"""`asmnet-doctor`: software, models, the command as a whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asmnet import models, samples
from asmnet.edge_runtime.doctor import cli as doctor
from asmnet.edge_runtime.doctor import findings as doctor_findings
from asmnet.edge_runtime.doctor import models as files
from asmnet.edge_runtime.doctor import software
from asmnet.edge_runtime.doctor.findings import Finding, ProbeError, examine, outcome, probe
from asmnet.edge_runtime.doctor.software import Userland

PI = Userland((3, 11, 2), "aarch64", 64, ("glibc", "2.36"))
PC = Userland((3, 12, 1), "x86_64", 64, ("glibc", "2.39"))
RUNS = {"package": "ai-edge-litert 2.3.0", "refused": ""}
OPENCV = {"version": "4.12.0", "gui": "", "video": {"FFmpeg": True, "V4L2": True}}
FAST = {"network": [1.5, 0.9], "update": 2.0, "fps": 476.4, "faces": 1.0, "memory": 98.0}


def fails(reason: str):
    """A trial that ends so."""

    def trial(*_: object):
        raise ProbeError(reason)

    return trial


@pytest.mark.parametrize(
    ("here", "mark", "words"),
    [
        (PI, "ok", "3.11.2, 64 bits, aarch64, glibc 2.36"),
        (Userland((3, 11, 2), "aarch64", 32, ("glibc", "2.36")), "warn", "64-bit kernel"),
        (Userland((3, 11, 2), "armv7l", 32, ("glibc", "2.36")), "ok", "32 bits"),
        (Userland((3, 13, 5), "armv7l", 32, ("glibc", "2.41")), "warn", "ends with Python 3.11"),
        (Userland((3, 10, 2), "armv7l", 32, ("glibc", "2.31")), "warn", "glibc 2.34"),
        (Userland((3, 11, 2), "armv6l", 32, ("glibc", "2.36")), "FAIL", "armv6"),
        (Userland((3, 12, 1), "x86_64", 64, ("musl", "")), "FAIL", "musl"),
        (Userland((3, 10, 1), "x86_64", 64, ("glibc", "2.17")), "warn", "glibc 2.27"),
        (Userland((3, 9, 1), "x86_64", 64, ("glibc", "2.31")), "FAIL", "too old"),
        (Userland((3, 15, 0), "x86_64", 64, ("glibc", "2.41")), "warn", "newer"),
    ],
    ids=str,
)
def test_what_there_are_wheels_for(here: Userland, mark: str, words: str):
    found = software.python(here)
    assert found.mark == mark and words in found.found
    assert bool(found.remedy) == (mark != "ok")


@pytest.mark.parametrize(
    ("installed", "numpy", "forced", "trial", "mark", "words"),
    [
        ({"ai-edge-litert": "2.3.0"}, "2.4.6", None, lambda: RUNS, "ok", "numpy 2.4.6: runs"),
        ({}, "2.4.6", None, fails("unused"), "FAIL", "none installed"),
        ({"tflite-runtime": "2.14.0"}, "2.4.6", None, fails("unused"), "FAIL", "dies beside"),
        ({"ai-edge-litert": "2.3.0", "tflite-runtime": "2.14.0"}, "2.4.6", None,
         lambda: RUNS, "ok", "tflite-runtime is there too"),
        ({"ai-edge-litert": "2.3.0", "tflite-runtime": "2.14.0"}, "2.4.6", "tflite-runtime",
         fails("unused"), "FAIL", "dies beside"),
        ({"ai-edge-litert": "2.3.0", "tflite-runtime": "2.14.0"}, "1.26.4", None,
         lambda: {"package": "tflite-runtime 2.14.0", "refused": ""}, "warn", "cannot be imported"),
        ({"ai-edge-litert": "2.3.0"}, "2.4.6", "tensorrt", fails("unused"), "FAIL", "no interpr"),
        ({"ai-edge-litert": "2.3.0"}, "2.4.6", "tflite-runtime", fails("-"), "FAIL", "not install"),
        ({"ai-edge-litert": "2.3.0"}, "2.4.6", None, fails("killed by SIGILL"), "FAIL", "SIGILL"),
        ({"ai-edge-litert": "2.3.0"}, "2.4.6", None, lambda: RUNS | {"refused": "corrupt"},
         "ok", "no intact file"),
        ({"tflite-runtime": "2.14.0"}, "1.26.4", None,
         lambda: {"package": "tflite-runtime 2.14.0", "refused": ""}, "warn", "no fast int8"),
    ],
)  # fmt: skip
def test_every_state_of_the_interpreter(installed, numpy, forced, trial, mark, words):
    found = software.interpreter(PC, installed, numpy, forced, trial)
    assert found.mark == mark and words in found.found
    assert bool(found.remedy) == (mark != "ok")


def test_numpy_2_beside_tflite_runtime_has_the_remedy_of_its_machine():
    installed = {"tflite-runtime": "2.14.0"}
    pc = software.interpreter(PC, installed, "2.0.1", None, fails("unused"))
    assert pc.remedy == "pip install 'numpy<2', or better pip install ai-edge-litert"
    small = Userland((3, 11, 2), "armv7l", 32, ("glibc", "2.36"))
    pi = software.interpreter(small, installed, "2.0.1", None, fails("unused"))
    assert pi.remedy == "pip install 'numpy<2'"


def test_two_opencvs_are_a_warning_and_named():
    two = {"opencv-python": "4.12.0", "opencv-python-headless": "4.11.0"}
    found = software.opencv(two, OPENCV)
    assert found.mark == "warn" and "4.12.0 won" in found.found
    assert "pip uninstall -y opencv-python opencv-python-headless" in found.remedy
    broken = software.opencv(two, ProbeError("partially initialized module 'cv2'"))
    assert broken.mark == "FAIL" and "pip uninstall" in broken.remedy


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("libGL.so.1: cannot open shared object file", "libgl1"),
        ("numpy.core.multiarray failed to import", "numpy<2"),
        ("killed by SIGILL", "--force-reinstall"),
    ],
)
def test_an_opencv_that_cannot_be_imported(reason: str, remedy: str):
    found = software.opencv({"opencv-python": "4.12.0"}, ProbeError(reason))
    assert found.mark == "FAIL" and reason in found.found and remedy in found.remedy


@pytest.mark.parametrize(
    ("gui", "display", "mark"), [("", ":0", "warn"), ("", "", "ok"), ("QT5", ":0", "ok"),
                                 ("QT5", "", "ok")]
)  # fmt: skip
def test_windows_need_a_display_and_an_opencv_that_has_them(gui: str, display: str, mark: str):
    found = software.window(OPENCV | {"gui": gui}, {"DISPLAY": display})
    assert found.mark == mark and ("opencv-python" in found.remedy) == (mark == "warn")


def test_an_opencv_without_ffmpeg_reads_no_videos():
    assert software.video(OPENCV).mark == "ok"
    found = software.video({"video": {"FFmpeg": False, "V4L2": True}})
    assert found.mark == "warn" and "no video files" in found.found


def test_the_shipped_files_are_intact():
    assert files.model(models.DEFAULT, lambda path: True).mark == "ok"
    for check in files.DETECTORS:
        assert files.detector(check, lambda path: True).mark == "ok"


@pytest.mark.parametrize("kept", [0, 1000, 1_000_000])
def test_a_corrupt_model_fails(kept: int, model: Path, tmp_path: Path):
    path = tmp_path / "cut.tflite"
    path.write_bytes(model.read_bytes()[:kept])
    found = files.model(str(path), lambda path: pytest.fail("must not be tried"))
    assert found.mark == "FAIL" and "cut.tflite" in found.found and "export it" in found.remedy


def test_unknown_and_dying_models_fail():
    assert "unknown model" in files.model("no-such", None).found
    found = files.model(models.DEFAULT, fails("killed by SIGSEGV"))
    assert found.mark == "FAIL" and "install the package again" in found.remedy


def test_a_foreign_detector_is_told_apart(model: Path, tmp_path: Path):
    found = files.detector("detector", lambda path: True, model)
    assert found.mark == "warn" and "not the shipped bbff11cebd1e" in found.found
    # Really tried, another network is no detector at all.
    found = files.detector("detector", lambda path: probe("detector", path), model)
    assert found.mark == "FAIL" and "another model" in found.found
    assert files.detector("detector", None, tmp_path / "none.tflite").mark == "FAIL"


def test_missing_samples_leave_the_speed_unmeasured(tmp_path: Path):
    found = files.speed(224, tmp_path / "faces.mp4", 4, False, fails("unused"))
    assert found.mark == "warn" and "faces.mp4 is missing" in found.found
    assert doctor.verdict([found]).mark == "warn"


def test_speed_in_words():
    found = files.speed(224, samples.CLIP, 2, False, lambda: FAST)
    assert found.mark == "ok" and "network 1.50 ms (0.90 on 2 threads)" in found.found
    text = doctor.verdict([found]).found
    assert text == "usable; about 480 frames a second on one thread: real time"


def test_too_slow_has_remedies():
    slow = {"network": [90.0, 40.0], "update": 110.0, "fps": 8.8, "faces": 1.0, "memory": 98.0}
    found = files.speed(224, samples.CLIP, 4, True, lambda: slow)
    assert found.mark == "warn"
    assert all(w in found.remedy for w in ("above", "asmnet-spatial-68-112", "--threads 4"))
    assert "too slow" in doctor.verdict([found]).found
    assert "112" not in files.speed(112, samples.CLIP, 4, True, lambda: slow).remedy


def test_a_check_that_breaks_says_so():
    found = examine("power", lambda: 1 // 0)  # type: ignore[arg-type, return-value]
    assert found is not None and found.mark == "warn" and "ZeroDivisionError" in found.found


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("kill -ILL $$", "killed by SIGILL"),
        ("echo first >&2; echo last >&2; exit 3", "^last$"),
        ("sleep 60", "no answer in 0.3 s"),
    ],
)
def test_whatever_a_process_does_is_told(command: str, words: str):
    with pytest.raises(ProbeError, match=words):
        outcome(["sh", "-c", command], 0.3)


def test_an_unknown_probe_or_program_is_an_error():
    with pytest.raises(ProbeError, match="no_such"):
        probe("no_such")
    with pytest.raises(ProbeError, match="cannot start"):
        outcome(["/no/such/program"], 1)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, **answers: object) -> Result:
    """The command, with these answers of its probes instead of real ones."""
    replies = {"interpreter": RUNS, "opencv": OPENCV, "landmarker": True, "detector": True,
               "speed": FAST} | answers  # fmt: skip

    def answer(name: str, *_: object, timeout: float = 0) -> object:
        reply = replies[name]
        if isinstance(reply, ProbeError):
            raise reply
        return reply

    monkeypatch.setattr(doctor, "probe", answer)
    monkeypatch.setattr(software, "versions", lambda names: {names[0]: "2.3.0"})
    monkeypatch.delenv("ASMNET_INTERPRETER", raising=False)
    return CliRunner().invoke(doctor.main, arguments)


def test_the_command_is_readable_in_80_columns(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = run(monkeypatch)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80 and not result.stderr
    assert {line[:5] for line in lines} <= {"ok   ", "warn ", "     "}
    assert " ".join(result.stdout.split()).count("about 480 frames a second") == 1


def test_json_has_one_object_a_line(monkeypatch: pytest.MonkeyPatch):
    result = run(monkeypatch, "--json")
    found = [Finding(**json.loads(line)) for line in result.stdout.splitlines()]
    names = [finding.check for finding in found]
    assert names[:3] == ["python", "interpreter", "opencv"] and names[-1] == "verdict"
    assert all(bool(f.remedy) == (f.mark != "ok") for f in found)


def test_a_dead_interpreter_is_the_only_one_blamed(monkeypatch: pytest.MonkeyPatch):
    result = run(monkeypatch, interpreter=ProbeError("killed by SIGSEGV"))
    assert result.exit_code == 1
    assert "not usable yet: interpreter\n" in result.stdout
    assert "not tried" in result.stdout and "not measured" in result.stdout


def test_a_corrupt_model_makes_the_command_fail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "cut.tflite").write_bytes(b"1234TFL3")
    result = run(monkeypatch, "--model", str(tmp_path / "cut.tflite"))
    assert result.exit_code == 1 and "not usable yet: model\n" in result.stdout


def test_it_starts_where_opencv_cannot_be_imported(tmp_path: Path):
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open')")
    result = subprocess.run(
        [sys.executable, "-c", "from asmnet.edge_runtime.doctor.cli import main; main()"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert result.returncode == 1 and not result.stderr, result.stderr
    assert "libGL.so.1" in result.stdout and "not usable yet: opencv\n" in result.stdout


def test_here_it_works():
    """The real probes, on the machine that runs the tests."""
    assert probe("interpreter")["refused"] == ""
    assert probe("opencv")["version"]
    assert probe("landmarker", models.DEFAULT) and probe("detector", models.DETECTOR)
    assert probe("detector", models.TURNED_DETECTOR)
    speed = probe("speed", models.find(), samples.CLIP, 2)
    assert speed["faces"] > 0.5 and len(speed["network"]) == 2
    assert doctor_findings.read(Path("/no/such/file")) == ""
