from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from asmnet import models
from asmnet.edge_runtime.bench import main


def test_it_times_every_stage_of_every_model_and_compares_them(model: Path, tmp_path: Path):
    twin = tmp_path / "twin.tflite"
    shutil.copy(model, twin)
    arguments = ["--model", str(model), "--model", str(twin), "--threads", "2", "--frames", "40"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    for stage in ("whole update", "crop", "network", "detect", "smooth"):
        assert result.stdout.count(f"\n{stage} ") == 4
    assert result.stdout.count("x as fast as") == 3
    assert result.stdout.count(str(twin)) == 2 and "2 threads" in result.stdout


def test_a_video_without_faces_is_refused(model: Path, tmp_path: Path, refused):
    import cv2

    path = tmp_path / "wall.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for _ in range(20):
        writer.write(np.full((48, 64, 3), 128, np.uint8))
    writer.release()
    sentence = refused(main, "--model", model, "--source", path)
    assert "no face in the first" in sentence and str(path) in sentence


@pytest.mark.parametrize("name", ["missing", "foreign", "empty"])
def test_bad_models_are_refused(name: str, tmp_path: Path, refused):
    path = tmp_path / f"{name}.tflite"
    if name != "missing":
        path.write_bytes(models.DETECTOR.read_bytes() if name == "foreign" else b"")
    assert str(path) in refused(main, "--model", path)
