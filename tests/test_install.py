"""What a Raspberry Pi user does: install the wheel without extras, and track."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = [pytest.mark.slow, pytest.mark.network]


def run(*arguments, **options):
    done = subprocess.run(
        [str(a) for a in arguments], capture_output=True, text=True, timeout=280, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def base_install(tmp_path_factory):
    """The bin folder of an environment that holds the wheel and its base dependencies."""
    folder = tmp_path_factory.mktemp("install")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    (wheel,) = folder.glob("asmnet-*.whl")
    venv.create(folder / "env", with_pip=True)
    bin = folder / "env" / "bin"
    pip = [bin / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "-c", ROOT / "constraints.txt", wheel)
    return bin


def test_the_base_install_tracks_the_clip(base_install, tmp_path):
    listed = run(base_install / "python", "-m", "pip", "list", "--format", "json")
    installed = {package["name"].lower().replace("_", "-") for package in json.loads(listed)}
    assert not installed & {"tensorflow", "tensorflow-cpu", "keras", "matplotlib", "rich", "jax"}
    out = tmp_path / "tracks.jsonl"
    command = ["--source", "demo", "--headless", "--jsonl", out]
    run(base_install / "asmnet-webcam", *command, cwd=tmp_path)
    frames = [json.loads(line) for line in out.read_text().splitlines()]
    assert [frame["frame"] for frame in frames] == list(range(900))
    assert sum(bool(frame["faces"]) for frame in frames) > 700
    assert {len(face["landmarks"]) for frame in frames for face in frame["faces"]} == {68}


def test_the_base_install_is_small(base_install):
    """What weighs is OpenCV, numpy and the interpreter; of ours, models and samples."""
    (packages,) = base_install.parent.glob("lib/python*/site-packages")

    def megabytes(folder: Path) -> float:
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6

    assert megabytes(packages / "asmnet") < 20
    assert not list((packages / "asmnet").rglob("*.keras"))
    assert megabytes(packages) - megabytes(packages / "pip") < 340


def test_the_base_install_verifies_a_model(base_install, tmp_path):
    """On a device there are numpy, OpenCV, click and an interpreter, and that is enough."""
    output = run(base_install / "asmnet-export", "verify", cwd=tmp_path)
    assert "against its float model: 35 faces" in output and "FAIL" not in output


@pytest.mark.parametrize(
    "command",
    [
        ["asmnet-train", "--data", "faces", "--run", "run"],
        ["asmnet-eval", "model.keras", "--data", "faces"],
        ["asmnet-export", "--quantize"],
    ],
)
def test_commands_of_an_extra_name_it(base_install, tmp_path, command):
    program = base_install / command[0]
    subprocess.run([program, "--help"], capture_output=True, check=True)
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert re.search(r"pip install (-e )?'(asmnet|\.)\[(train|export)\]'", done.stderr)
    assert not list(tmp_path.iterdir())
