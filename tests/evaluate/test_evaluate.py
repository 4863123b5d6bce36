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
from asmnet.core import IBUG68, WFLW98, Crop, extract, read_spec
from asmnet.data.datasets import read_pts
from asmnet.data.images import read_picture
from asmnet.edge_runtime.crops import OPENCV, next_crop
from asmnet.evaluate import evaluate, labelled_faces, parts
from asmnet.evaluate.cli import main
from asmnet.evaluate.plots import published

FLOAT, INT8 = models.find(kind=".keras"), models.find(kind=".tflite")


@pytest.mark.parametrize("model", [FLOAT, INT8], ids=["keras", "tflite"])
def test_labels_from_the_model_itself_are_met(model: Path, labelled: Path) -> None:
    result = evaluate(model, str(labelled))
    # Off a little: 8-bit rounding, and another JPEG decoder and resampler than the labels'.
    assert result.errors.max() < 2.0
    assert "pose_mae" not in result.to_dict()


def test_crops_around_labels_are_cut_as_the_device_cuts_them(labelled: Path) -> None:
    spec = read_spec(INT8)
    faces = labelled_faces(str(labelled), spec)
    picture = sorted(labelled.glob("*.jpg"))[0]
    around = Crop.around(read_pts(picture.with_suffix(".pts")), spec.margin)
    expected = extract(read_picture(picture), around, spec.input_size, OPENCV)
    np.testing.assert_array_equal(faces.images[0], expected)


def test_detector_boxes(labelled: Path) -> None:
    result = evaluate(INT8, str(labelled), boxes="detector")
    assert result.to_dict()["missed"] == 0
    assert result.errors.max() < 1.0
    # Each was seen once more, around its own points: the detector's boxes are further off.
    for crop, units in zip(result.faces.crops, result.points, strict=True):
        better = next_crop(crop.to_picture(units), 1.25)
        assert max(abs(better.cx - crop.cx), abs(better.cy - crop.cy)) < 0.01 * crop.side
        assert 0.97 < better.side / crop.side < 1.03


def test_report_and_pictures(labelled: Path, tmp_path: Path) -> None:
    report, out = tmp_path / "figures.json", tmp_path / "out"
    arguments = [INT8, "--data", labelled, "--json", report, "--out", out]
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    figures = json.loads(report.read_text())
    assert figures["faces"] == 12 and figures["fr10"] == 0.0
    assert f"{figures['nme']:.3f}" in result.stdout
    for name in ("ced.png", "faces.png", "worst.png"):
        assert cv2.imread(str(out / name)).std() > 10


def run(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("boxes", ["landmarks", "detector"])
def test_several_workers_give_the_same_figures_and_pictures(
    labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, boxes: str
) -> None:
    monkeypatch.setattr(parts, "PART", 5)
    written = []
    for workers in ("1", "2"):
        out = tmp_path / workers
        options = ["--json", out / "figures.json", "--out", out, "--workers", workers, "--study"]
        run(INT8, "--data", labelled, "--boxes", boxes, *options)
        written.append({path.name: path.read_bytes() for path in sorted(out.iterdir())})
    assert written[0] == written[1] and len(written[0]) == 4


def test_faces_without_pixels_have_the_same_figures(labelled: Path) -> None:
    [whole] = parts.evaluate_parts([INT8], str(labelled), None)
    [bare] = parts.evaluate_parts([INT8], str(labelled), None, pixels=False)
    assert whole.faces.images.nbytes > 0 and bare.faces.images.nbytes == 0
    assert whole.to_dict() == bare.to_dict()


def test_a_picture_that_a_worker_cannot_read_is_one_sentence(
    labelled: Path, tmp_path: Path, refused
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for path in sorted(labelled.iterdir())[:8]:
        shutil.copy(path, few)
    broken = sorted(few.glob("*.jpg"))[1]
    broken.write_bytes(b"no picture")
    sentence = refused(main, INT8, "--data", few, "--workers", "2", "--boxes", "detector")
    assert broken.name in sentence


def test_a_shipped_name_means_both_its_files(labelled: Path, tmp_path: Path) -> None:
    report, out, few = tmp_path / "figures.json", tmp_path / "out", tmp_path / "few"
    few.mkdir()
    for path in sorted(labelled.iterdir())[:8]:
        shutil.copy(path, few)
    options = ["--data", few, "--json", report, "--out", out, "--study", "--robustness"]
    shown = run(models.DEFAULT, *options)
    both = json.loads(report.read_text())
    assert [figures["model"] for figures in both] == [FLOAT.name, INT8.name]
    for figures in both:
        assert figures["label"] in shown and f"{figures['nme']:.3f}" in shown
        assert (out / f"worst-{figures['label']}.png").is_file()
        assert figures["subsets"]["all"]["nme"] == figures["nme"]
        assert figures["study"]["groups"]["whole face"]["nme"] == pytest.approx(figures["nme"])
        clean, *spoilt = figures["robustness"]
        # Robustness warps pictures of its own.
        assert clean["nme"] == pytest.approx(figures["nme"], abs=0.3)
        # A box turned with the head is no harm, and may suit eight faces by chance.
        harm = [row["nme"] for row in spoilt if "box turned" not in row["condition"]]
        assert len(harm) == len(spoilt) - 2 and min(harm) > 1.5 * clean["nme"]
    assert "No pose labels" in shown


def test_300w_in_columns(labelled: Path, tmp_path: Path, refused) -> None:
    """Three faces of the common subset, then two of the challenging one as well."""
    faces = sorted(labelled.glob("*.pts"))
    report = tmp_path / "figures.json"

    def put(names: list[Path], folder: Path) -> None:
        folder.mkdir(parents=True)
        for path in names:
            shutil.copy(path, folder)
            shutil.copy(path.with_suffix(".jpg"), folder)

    root = tmp_path / "300w"
    put(faces[:3], root / "helen" / "testset")
    shown = run(INT8, "--data", f"300w:{root}", "--json", report)
    assert list(json.loads(report.read_text())["subsets"]) == ["common"]
    assert "challenging (ibug) pictures are not there" in shown
    assert "has 554 faces; 3 are here" in shown
    assert "challenging" in refused(main, INT8, "--data", f"300w:{root}", "--subset", "full")
    put(faces[3:5], root / "ibug")
    shown = run(INT8, "--data", f"300w:{root}", "--json", report)
    figures = json.loads(report.read_text())
    parts = figures["subsets"]
    assert {name: part["faces"] for name, part in parts.items()} == {
        "common": 3, "challenging": 2, "full": 5
    }  # fmt: skip
    assert figures["nme"] == parts["common"]["nme"], "the common subset is what is compared by"
    whole = (3 * parts["common"]["nme"] + 2 * parts["challenging"]["nme"]) / 5
    assert parts["full"]["nme"] == pytest.approx(whole)
    alone = evaluate(INT8, f"300w:{root}", "challenging")
    assert alone.to_dict()["nme"] == pytest.approx(parts["challenging"]["nme"])


def test_wflw_in_columns(research_data: Path, tmp_path: Path) -> None:
    report = tmp_path / "figures.json"
    run(INT8, "--data", f"wflw:{research_data / 'wflw'}", "--json", report)
    parts = json.loads(report.read_text())["subsets"]
    counts = {name: part["faces"] for name, part in parts.items()}
    assert counts == {
        "full": 72, "pose": 9, "expression": 11, "illumination": 35, "makeup": 13,
        "occlusion": 21, "blur": 27,
    }  # fmt: skip
    alone = evaluate(INT8, f"wflw:{research_data / 'wflw'}", "pose")
    assert alone.to_dict() == parts["pose"]


def test_a_column_without_faces_is_a_dash(tmp_path: Path) -> None:
    root = tmp_path / "wflw"
    (root / "WFLW_images").mkdir(parents=True)
    (root / "WFLW_annotations").mkdir()
    shutil.copy(samples.PORTRAITS / "astronaut.jpg", root / "WFLW_images")
    corners = " ".join(f"{150 + 20 * np.cos(i):.2f} {120 + 20 * np.sin(i):.2f}" for i in range(98))
    (root / "WFLW_annotations" / "list_98pt_rect_attr_test.txt").write_text(
        f"{corners} 1 1 50 50 1 0 0 0 0 0 astronaut.jpg\n"
    )
    shown = run(INT8, "--data", f"wflw:{root}")
    row = next(line for line in shown.splitlines() if "AUC@10" in line)
    assert [cell.strip() for cell in row.split("│")[5:-1]] == ["-"] * 5


def test_turned_faces_have_a_pose_only(research_data: Path, tmp_path: Path, refused) -> None:
    data, report = f"300wlp:{research_data / 'pose_300wlp'}", tmp_path / "figures.json"
    shown = run(INT8, "--data", data, "--json", report, "--study")
    figures = json.loads(report.read_text())
    assert figures["nme"] is None and "groups" not in figures["study"]
    steep, fair = figures["pose"]["60° and more"], figures["pose"]["below 60°"]
    assert (steep["faces"], fair["faces"], figures["pose"]["all"]["faces"]) == (23, 37, 60)
    # Signs: with one of them wrong, these would be tens of degrees.
    assert max(fair[angle] for angle in ("yaw", "pitch", "roll")) < 10
    assert f"{steep['yaw']:.2f}" in shown
    assert "poses only" in refused(main, INT8, "--data", data, "--out", tmp_path / "out")


def test_published_figures_stand_beside_the_same_test_only() -> None:
    assert published("300w", "common", 554, IBUG68)["ASMNet, paper"] == 4.82
    assert published("wflw", "full", 2500, WFLW98) == {"ASMNet, paper": 10.77}
    assert not published("wflw", "full", 72, WFLW98)
    assert not published("wflw", "full", 2500, IBUG68)
    assert not published("300w", "challenging", 135, IBUG68)


def test_both_formats_agree_on_real_labels(research_data: Path) -> None:
    """On a part of 300-W's training faces: the test set is for reports."""
    flat = evaluate(FLOAT, str(research_data / "300w" / "afw"))
    small = evaluate(INT8, str(research_data / "300w" / "afw"))
    assert len(flat.errors) == 337
    assert flat.errors.mean() < 6
    assert abs(small.errors.mean() - flat.errors.mean()) < 0.1


def test_more_points_are_reduced_to_the_models(research_data: Path) -> None:
    result = evaluate(INT8, f"wflw:{research_data / 'wflw'}")
    assert result.points.shape[1:] == (68, 2)
    assert np.median(result.errors) < 12


def test_brackets_in_names(labelled: Path, tmp_path: Path) -> None:
    """Of models and folders: neither swallowed by the terminal's markup nor stumbled over."""
    model, data = tmp_path / "a[bold]b.tflite", tmp_path / "faces[old]"
    shutil.copy(INT8, model)
    data.mkdir()
    for path in sorted(labelled.iterdir())[:4]:
        shutil.copy(path, data)
    shown = run(model, "--data", data, "--out", tmp_path / "out[1]")
    for words in ("a[bold]b", "faces[old]", "out[1]"):
        assert words in shown


def test_outputs_spare_inputs(labelled: Path, tmp_path: Path, refused) -> None:
    model = tmp_path / "mine.tflite"
    shutil.copy(INT8, model)
    sentence = refused(main, model, "--data", labelled, "--json", model)
    assert "would overwrite what is read" in sentence
    picture = sorted(labelled.glob("*.jpg"))[0]
    assert "would overwrite" in refused(main, model, "--data", labelled, "--json", picture)


@pytest.mark.parametrize(
    ("model", "data", "words"),
    [
        ("nobody", ".", "nobody"),
        ("nowhere.keras", ".", "nowhere.keras"),
        ("nowhere.tflite", ".", "nowhere.tflite"),
        (models.DETECTOR, ".", "asmnet.json"),
        (INT8, "nowhere", "nowhere"),
        (INT8, "300w:nowhere", "nowhere"),
        (INT8, "wflw:nowhere", "nowhere"),
        (INT8, "300wlp:nowhere", "nowhere"),
        (INT8, samples.LONDON, "no .pts"),
    ],
)
def test_bad_input(model: object, data: object, words: str, refused) -> None:
    assert words in refused(main, model, "--data", data)
