"""What an export holds and loses, layer by layer, and the page that shows it."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from xml.etree import ElementTree

import cv2
import keras
import numpy as np
import pytest

from asmnet.cli.progress import suppress_output
from asmnet.core import ModelSpec
from asmnet.evaluate.face_sets import FaceSet
from asmnet.export.convert import convert
from asmnet.export.pipeline import ExportJob, export_with
from asmnet.export.recipes import prepared_float
from asmnet.export.report.html import write_report
from asmnet.export.report.tensor_stats import Ranges, layer_noise, observe
from asmnet.export.report.tflite_graph import integer_share, operations


@pytest.fixture(scope="module")
def job(tiny: tuple[keras.Model, ModelSpec], tiny_crops: np.ndarray, tmp_path_factory) -> ExportJob:
    """The small network and shipped faces, ready to be exported."""
    folder = tmp_path_factory.mktemp("job")
    network, spec = tiny
    names = tuple(f"{i}.jpg" for i in range(len(tiny_crops)))
    faces = FaceSet(tiny_crops, names, "asmnet samples", spec.landmark_scheme)
    convert(network, spec, "float32", None, folder / "float32.tflite")
    float_file = folder / "float32.tflite"
    ranges = observe(float_file.read_bytes(), spec, tiny_crops)
    return ExportJob(network, spec, faces, ranges, faces, float_file, folder)


@pytest.fixture(scope="module")
def equal(job: ExportJob) -> bytes:
    """The numbers that int8 rounds, in float."""
    with suppress_output():
        return prepared_float(job.network, "int8", job.eval_faces.images)


def test_operations_tell_the_arithmetic(job: ExportJob, equal: bytes) -> None:
    floats = operations(equal)
    with suppress_output():
        integers = operations(export_with(job, "int8").file.read_bytes())
    assert integer_share(floats) == 0 and integer_share(integers) > 0.98
    assert sum(o.macs for o in floats) == sum(o.macs for o in integers)
    # Stem: 3 x 3 x 3 kernels, 32 of them, on 32 x 32 positions.
    assert floats[0].kind == "CONV_2D" and floats[0].macs == 27 * 32 * 32 * 32
    assert {o.dtype for o in integers if o.layer.startswith("block_")} <= {"int8", "float32"}


@pytest.mark.parametrize("recipe", ["int8", "full_int8"])
def test_noise_is_that_of_eight_bits(job: ExportJob, recipe: str) -> None:
    """Most layers' own rounding leaves 30 dB or more; what adds up leaves less, but 20 dB."""
    with suppress_output():
        exact = prepared_float(job.network, recipe, job.eval_faces.images)
    content = export_with(job, recipe).file.read_bytes()
    noise = layer_noise(exact, content, job.spec, job.eval_faces.images[:6])
    assert len(noise) > 50
    assert all(one.total < one.own + 3 for one in noise)
    assert np.median([one.own for one in noise]) > 30
    assert np.median([one.total for one in noise]) > 20


def test_observed_ranges_settle(job: ExportJob, equal: bytes) -> None:
    ranges = observe(equal, job.spec, job.eval_faces.images)
    assert ranges.low.shape == ranges.high.shape == (len(job.eval_faces.images), len(ranges.layers))
    first = ranges.layers.index("Conv1_relu")
    assert ranges.low[:, first].min() >= 0 and ranges.high[:, first].max() <= 6
    assert (ranges.growth() >= 0).all() and np.median(ranges.growth()) < 0.05
    assert ranges.spread().max() < 0.5


def test_a_late_outlier_is_growth() -> None:
    low, high = np.zeros((100, 2), np.float32), np.ones((100, 2), np.float32)
    high[95, 1] = 3
    np.testing.assert_allclose(Ranges(("a", "b"), low, high).growth(), [0, 2], atol=1e-6)


def embedded(page: str) -> list[tuple[str, bytes]]:
    """The kind and the bytes of each picture inside a page."""
    found = re.findall(r'<img src="data:image/([^;]+);base64,([^"]+)">', page)
    return [(kind, base64.b64decode(content)) for kind, content in found]


def readable(kind: str, content: bytes) -> bool:
    if kind == "jpeg":
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) is not None
    return ElementTree.fromstring(content).tag.endswith("svg")


@pytest.mark.parametrize("recipe", ["float32", "int8", "full_int8"])
def test_the_page_stands_alone_and_says_whether_it_passed(
    job: ExportJob, recipe: str, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    export = export_with(job, recipe)
    write_report(page, job, export)
    text = page.read_text()
    plots = {"float32": 2, "int8": 5, "full_int8": 5}[recipe]
    assert [readable(*one) for one in embedded(text)] == [True] * plots
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text), "needs another file"
    words = re.sub(r"base64,[^\"]*", "", text)
    assert export.spec.name in words and not re.search(r"\bnan\b", words)
    for figure in export.parity.metrics:
        assert figure.label in text
    assert ("Where precision is lost" in text) == (recipe != "float32")
