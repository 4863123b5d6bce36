"""`asmnet-eval` gives the same figures for both formats, and pictures to look at."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from asmnet import models, samples
from asmnet.core import Crop
from asmnet.edge_runtime import FaceDetector, Landmarker
from asmnet.export.evaluate import evaluate, main


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve shipped faces with .pts files: the shipped model's own answers."""
    folder = tmp_path_factory.mktemp("labelled")
    landmarker, detector = Landmarker.load(), FaceDetector.load()
    for path in sorted(samples.LONDON.glob("*.jpg"))[:12]:
        image = cv2.imread(str(path))
        crop = detector.detect(image)[0].to_crop(landmarker.spec.margin)
        for _ in range(3):  # labels whose own box gives the crop that they came from
            points = landmarker(image, crop).landmarks
            crop = Crop.around(points, landmarker.spec.margin)
        rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
        (folder / path.with_suffix(".pts").name).write_text(
            f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n"
        )
        shutil.copy(path, folder)
    return folder


@pytest.mark.parametrize("model", [models.FLOAT, models.INT8], ids=["keras", "tflite"])
def test_labels_from_the_model_itself_are_met(model: Path, labelled: Path) -> None:
    result, _ = evaluate(model, str(labelled))
    # Off a little: 8-bit rounding, and another JPEG decoder and resampler than the labels'.
    assert result.errors.max() < 2.0
    assert result.pose_errors is None


def test_detector_boxes(labelled: Path) -> None:
    result, _ = evaluate(models.INT8, str(labelled), boxes="detector")
    assert result.to_dict()["missed"] == 0
    assert result.errors.max() < 6.0


def test_report_and_pictures(labelled: Path, tmp_path: Path) -> None:
    report, out = tmp_path / "figures.json", tmp_path / "out"
    arguments = [models.INT8, "--data", labelled, "--json", report, "--out", out]
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    figures = json.loads(report.read_text())
    assert figures["faces"] == 12 and figures["fr10"] == 0.0
    assert f"{figures['nme']:.3f}" in result.stdout
    for name in ("ced.png", "faces.png"):
        assert cv2.imread(str(out / name)).std() > 10


def test_both_formats_agree_on_real_labels(research_data: Path) -> None:
    """On a part of 300-W's training faces: the test set is for reports."""
    flat, _ = evaluate(models.FLOAT, str(research_data / "300w" / "afw"))
    small, _ = evaluate(models.INT8, str(research_data / "300w" / "afw"))
    assert len(flat.errors) == 337
    assert flat.errors.mean() < 6
    assert abs(small.errors.mean() - flat.errors.mean()) < 0.1


def test_more_points_are_reduced_to_the_models(research_data: Path) -> None:
    result, _ = evaluate(models.INT8, f"wflw:{research_data / 'wflw'}")
    assert result.points.shape[1:] == (68, 2)
    assert np.median(result.errors) < 12


@pytest.mark.parametrize(
    ("model", "data", "words"),
    [
        ("nowhere.keras", ".", "nowhere.keras"),
        ("nowhere.tflite", ".", "nowhere.tflite"),
        (models.DETECTOR, ".", "asmnet.json"),
        (models.INT8, "nowhere", "nowhere"),
        (models.INT8, "300w:nowhere", "nowhere"),
        (models.INT8, samples.LONDON, "no .pts"),
    ],
)
def test_bad_input(model: object, data: object, words: str, refused) -> None:
    assert words in refused(main, model, "--data", data)
