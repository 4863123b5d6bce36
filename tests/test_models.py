"""Shipped models go by name, in every command alike."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner

from asmnet import models, samples
from asmnet.core import UserError, read_spec
from asmnet.edge_runtime import Landmarker, bench, webcam
from asmnet.edge_runtime.verify import verify


@pytest.mark.parametrize("name", models.shipped())
def test_every_shipped_model_is_complete_and_named_for_what_it_is(name: str) -> None:
    for kind in (".keras", ".shape.npz", ".json", ".md"):
        assert models.find(name, kind).is_file(), kind
    spec = read_spec(models.find(name))
    assert spec.name == f"{name}-int8"
    assert name.endswith(f"-{spec.landmark_scheme.count}-{spec.input_size}")
    assert spec.parity["passed"] is True
    assert "unknown" not in spec.license


@pytest.mark.parametrize("name", models.shipped())
def test_every_shipped_model_passes_the_check_that_it_carries(name: str) -> None:
    """What `asmnet verify` says on a device."""
    assert verify(models.find(name)).passed


@pytest.mark.parametrize("name", models.shipped())
def test_every_shipped_model_finds_a_face_by_its_name(name: str) -> None:
    landmarker = Landmarker.load(name)
    (face,) = landmarker(cv2.imread(str(samples.PORTRAITS / "astronaut.jpg")))
    count, size = map(int, name.split("-")[-2:])
    assert face.landmarks.shape == (count, 2) and landmarker.spec.input_size == size
    # The picture is 512 px wide; she is in its upper half, her nose right of the middle.
    assert (face.landmarks.min(axis=0) > (150, 50)).all()
    assert (face.landmarks.max(axis=0) < (300, 220)).all()


def test_the_default_is_shipped() -> None:
    assert models.DEFAULT in models.shipped()
    assert Landmarker.load().spec.name == f"{models.DEFAULT}-int8"
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    assert f"[`{models.DEFAULT}`](models/{models.DEFAULT}.md), the default" in readme


def test_paths_stay_what_they_are() -> None:
    assert models.find("mine.tflite") == Path("mine.tflite")
    assert models.find(Path("runs/mine/best.keras"), ".keras") == Path("runs/mine/best.keras")


def test_neither_name_nor_path() -> None:
    with pytest.raises(UserError, match=f"'asmnet'; choose one of .*{models.DEFAULT}.* path"):
        Landmarker.load("asmnet")


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (webcam.main, ["--model", "asmnet", "--source", "demo", "--headless"]),
        (bench.main, ["--model", models.DEFAULT, "--model", "asmnet"]),
    ],
    ids=["webcam", "bench"],
)
def test_commands_list_the_names(command, arguments: list[str]) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: unknown model 'asmnet'; choose one of")
    described = CliRunner().invoke(command, ["--help"]).stdout
    for name in models.shipped():
        assert name in result.stderr and name in described


def test_bench_takes_names() -> None:
    arguments = ["--model", models.DEFAULT, "--frames", "10"]
    result = CliRunner().invoke(bench.main, arguments)
    assert result.exit_code == 0, result.output
    assert f"\n{models.DEFAULT}  " in result.stdout
