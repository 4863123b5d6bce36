"""The gate: each limit lets its own value pass and nothing above it, and NaN never passes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from asmnet.core import IBUG68, ModelSpec, auc, failure_rate, nme
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.interpreter import interpreter_version
from asmnet.edge_runtime.parity import Metric, jitter_metric, measure_jitter, run_file, shifts
from asmnet.edge_runtime.verify import Verification
from asmnet.evaluate import FaceSet
from asmnet.export import convert
from asmnet.export.gate import ParityReport, measure_parity, nme_metric, worst_metric
from asmnet.export.pipeline import Export, smallest

if TYPE_CHECKING:
    import keras

FACES, POINTS = 100, 68
SPEC = ModelSpec("test", "0", "ibug68", 224, "landmarks", "pose")
Answers = tuple[np.ndarray, np.ndarray]


def answers() -> Answers:
    return np.zeros((FACES, POINTS, 2)), np.zeros((FACES, 3))


def moved(pixels: np.ndarray | float, size: int = 224) -> list[Metric]:
    """The figures after landmarks have moved to the right by so many pixels of the input."""
    points, pose = answers()
    points[..., 0] += np.broadcast_to(pixels, (FACES, POINTS)) / size
    return shifts(answers(), (points, pose), SPEC.replace(input_size=size))


def turned(degrees: np.ndarray | float) -> list[Metric]:
    points, pose = answers()
    return shifts(answers(), (points, pose - degrees), SPEC)


def some(pixels: float, share: float) -> np.ndarray:
    """A share of the landmarks moved, the others still."""
    far = np.zeros(FACES * POINTS)
    far[: round(share * far.size)] = pixels
    return far.reshape(FACES, POINTS)


def one(value: float, shape: tuple[int, ...]) -> np.ndarray:
    single = np.zeros(shape)
    single.flat[-1] = value
    return single


def failing(figures: list[Metric]) -> set[str]:
    return {figure.key for figure in figures if not figure.passed}


@pytest.mark.parametrize(
    ("key", "figures", "limit"),
    [
        ("shift_mean", moved, 1.0),
        ("shift_p99", lambda pixels: moved(some(pixels, 0.02)), 2.5),
        ("shift_max", lambda pixels: moved(one(pixels, (FACES, POINTS))), 5.0),
        ("pose_mean", turned, 0.3),
        ("pose_max", lambda degrees: turned(one(degrees, (FACES, 3))), 2.0),
        ("jitter", lambda share: [jitter_metric(share, 0.1)], 0.45),
        ("nme", lambda points: [nme_metric(3.0, 3.0 + points)], 0.05),
        (
            "keras_landmarks",
            lambda units: [worst_metric("keras_landmarks", "", one(-units, (9, 2)))],
            1e-4,
        ),
        (
            "keras_pose",
            lambda degrees: [worst_metric("keras_pose", "", one(-degrees, (9, 3)))],
            1e-2,
        ),
    ],
)
def test_a_limit_passes_its_own_value_and_nothing_above(key: str, figures, limit: float) -> None:
    assert key not in failing(figures(limit * 0.999))
    assert failing(figures(limit * 1.001)) == {key}
    (figure,) = (f for f in figures(limit) if f.key == key)
    assert figure.limit == limit
    assert replace(figure, value=limit).passed, "at most the limit"


def test_each_figure_says_what_it_is_and_in_which_unit() -> None:
    figures = [*moved(1.0), jitter_metric(0.1), nme_metric(3.0, 3.0)]
    assert {figure.key: figure.label for figure in figures} == {
        "shift_mean": "landmark shift, mean, px",
        "shift_p99": "landmark shift, 99th percentile, px",
        "shift_max": "landmark shift, max, px",
        "pose_mean": "pose shift, mean, °",
        "pose_max": "pose shift, max, °",
        "jitter": "jitter on noisy stills, % of inter-ocular",
        "nme": "NME, % (labelled faces)",
    }


def test_limits_on_pixels_go_with_the_inputs_size() -> None:
    """Half the size, half the pixels: the same part of the face."""
    assert not failing(moved(0.499, size=112))
    assert failing(moved(0.501, size=112)) == {"shift_mean"}


def test_nan_never_passes() -> None:
    points, pose = answers()
    damaged = [one(np.nan, part.shape) for part in (points, pose)]
    keys = {"shift_mean", "shift_p99", "shift_max", "pose_mean", "pose_max"}
    assert failing(shifts((points, pose), (damaged[0], damaged[1]), SPEC)) == keys
    nan = float("nan")
    for figure in (
        jitter_metric(nan),
        nme_metric(3.0, nan),
        worst_metric("keras_landmarks", "", damaged[0]),
    ):
        assert not figure.passed
        assert not report_of(figure).passed
        assert not Verification(SPEC, (figure,), 1, "").passed


def report_of(*figures: Metric) -> ParityReport:
    return ParityReport(figures, {}, "test", {}, (answers(), answers()))


def test_one_failing_metric_fails_the_gate() -> None:
    assert report_of(jitter_metric(0.1), nme_metric(3, 3)).passed
    assert not report_of(jitter_metric(0.1), nme_metric(3, 4)).passed
    assert report_of(Metric("jitter_ratio", "", 99.0)).passed, "only reported"


def test_the_contract_holds_each_figure_with_its_limit_and_both_models_own() -> None:
    report = replace(
        report_of(jitter_metric(0.2, 0.1)), faces={"images": 9}, interpreter="LiteRT 2"
    )
    assert report.to_dict() == {
        "passed": True,
        "figures": {"jitter": {"value": 0.2, "limit": 0.45, "float": 0.1, "exported": 0.2}},
        "faces": {"images": 9},
        "interpreter": "LiteRT 2",
    }


class Made:
    """A landmarker that always answers the same units, or finds the bright half of the picture."""

    spec = SPEC.replace(input_size=32)

    def __init__(self, follows: bool = False) -> None:
        self.follows, self.seen = follows, []

    def raw(self, view: np.ndarray) -> Answers:
        self.seen.append(view)
        turn = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
        units = 0.3 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        if self.follows:  # the left edge of what is bright
            units[:, 0] -= (view.mean() - 127.5) / 255
        return units, np.zeros(3)


def picture() -> np.ndarray:
    """Dark on the left, bright on the right; what lies between moves by as much as the crop."""
    ramp = np.clip((np.arange(32) - 15.5) * 25.5 + 127.5, 0, 255).astype(np.uint8)
    return np.broadcast_to(ramp[None, :, None], (32, 32, 3))


def test_jitter_is_that_of_crops_half_a_pixel_off_and_camera_noise() -> None:
    """Points that go with the crop shake by its uniform +-0.5 px; sideways, others stay."""
    rigid, following = Made(), Made(follows=True)
    shaken, steadier = measure_jitter([rigid, following], np.stack([picture()] * 20))
    units, _ = Made().raw(picture())
    width = 32 * float(IBUG68.interocular(units))
    assert shaken == pytest.approx(100 * np.sqrt(2 / 12) / width, rel=0.1)
    assert steadier == pytest.approx(100 * np.sqrt(1 / 12) / width, rel=0.1)


def test_jitter_shows_all_landmarkers_the_same_noisy_stills() -> None:
    first, second = Made(), Made()
    grey = np.arange(100, 140, dtype=np.uint8)[:, None, None, None]
    measure_jitter([first, second], np.broadcast_to(grey, (40, 32, 32, 3)))
    views = np.stack(first.seen)
    np.testing.assert_array_equal(views, np.stack(second.seen))
    means = views.reshape(20, 16, -1).mean(axis=(1, 2))
    np.testing.assert_allclose(means, np.linspace(0, 39, 20).astype(int) + 100, atol=0.2)
    # Two grey levels, less what resampling between pixels averages away.
    assert 1 < views.std(axis=(1, 2, 3)).mean() < 2


def test_jitter_crops_lie_around_the_pictures_middle() -> None:
    made = Made()
    (first,) = measure_jitter([made], np.stack([picture()] * 20))
    views = np.stack(made.seen)
    assert views.mean() == pytest.approx(127.5, abs=1), "half a pixel to either side is 4 levels"
    assert views.min() == 0 and views.max() == 255
    assert [first] == measure_jitter([Made()], np.stack([picture()] * 20)), "always the same"


def test_jitter_of_few_pictures_takes_each_once() -> None:
    made = Made()
    measure_jitter([made], np.stack([picture()] * 3))
    assert len(made.seen) == 3 * 16


def test_a_report_with_nan_is_still_json() -> None:
    text = json.dumps(report_of(jitter_metric(float("nan"), 0.2)).to_dict(), allow_nan=False)
    document = json.loads(text)
    assert document["passed"] is False
    assert document["figures"] == {"jitter": {"limit": 0.45, "float": 0.2}}


def test_the_smallest_that_passes_is_chosen(tmp_path: Path) -> None:
    exports = []
    for name, size, value in (("large", 300, 0.1), ("small", 200, 0.1), ("tiny", 100, 0.9)):
        file = tmp_path / name
        file.write_bytes(bytes(size))
        exports.append(Export(name, file, SPEC, report_of(jitter_metric(value))))
    best = smallest(exports)
    assert best is not None and best.recipe == "small"
    assert smallest(exports[2:]) is None


def test_int8_is_compared_with_the_float_model_on_labels(
    tiny: tuple[keras.Model, ModelSpec], tiny_crops: np.ndarray, tmp_path: Path
) -> None:
    """Labels that are the float model's own answers: what int8 adds is an error, not a gain."""
    network, spec = tiny
    files = {name: tmp_path / f"{name}.tflite" for name in ("float32", "int8")}
    faces = FaceSet(tiny_crops, ("a.jpg",) * len(tiny_crops), "test", IBUG68)
    for recipe, file in files.items():
        convert(network, spec, recipe, faces, file)
    exact, _ = run_file(Landmarker.load(files["float32"]), tiny_crops)
    rounded, _ = run_file(Landmarker.load(files["int8"]), tiny_crops)
    faces = replace(faces, points=exact)
    report = measure_parity(network, files["float32"], files["int8"], faces)
    figures = {figure.key: figure for figure in report.metrics}
    worse = float(nme(rounded, exact, IBUG68).mean())
    assert figures["nme"].before == pytest.approx(0, abs=1e-6)
    assert figures["nme"].value == pytest.approx(worse, rel=1e-3) and worse > 0
    assert report.evaluation == {
        "data": "test",
        "faces": len(tiny_crops),
        "nme": pytest.approx(worse, rel=1e-3),
        "fr10": failure_rate(nme(rounded, exact, IBUG68)),
        "auc10": pytest.approx(auc(nme(rounded, exact, IBUG68)), rel=1e-3),
    }
    assert report.faces == faces.record() and report.interpreter == interpreter_version()
    for found, wanted in zip(report.answers, (exact, rounded), strict=True):
        np.testing.assert_array_equal(found[0], wanted)
    assert list(figures)[:3] == ["keras_landmarks", "keras_pose", "nme"]
    assert figures["keras_landmarks"].passed and figures["keras_pose"].passed
    shift = np.linalg.norm(rounded - exact, axis=-1) * spec.input_size
    assert figures["shift_mean"].value == pytest.approx(shift.mean())
    jitter = figures["jitter"]
    assert jitter.value == jitter.after
    assert figures["jitter_ratio"].value == pytest.approx(jitter.value / (jitter.before or 0))
    sizes = figures["megabytes"]
    assert sizes.before == pytest.approx(files["float32"].stat().st_size / 1e6)
    assert sizes.after == pytest.approx(files["int8"].stat().st_size / 1e6)
