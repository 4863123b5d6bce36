"""`asmnet-export`: exit codes, and files that are whole or absent."""

from __future__ import annotations

import errno
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from asmnet import models
from asmnet.core import read_spec
from asmnet.edge_runtime import Landmarker, parity
from asmnet.export import RECIPES, calibration_faces, cli, pipeline
from asmnet.export.cli import main


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An untrained network means nothing, so any damage to it is fine, and few faces will do."""
    for key in parity.LIMITS:
        monkeypatch.setitem(parity.LIMITS, key, 1e9)
    monkeypatch.setattr(parity, "STILLS", 2)
    monkeypatch.setattr(pipeline, "IMAGES", 64)


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that nothing can pass."""
    for key in ("shift_mean", "keras_landmarks"):
        monkeypatch.setitem(parity.LIMITS, key, 0.0)


def run(*arguments: object):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_quantized_export(tiny_file: Path, tmp_path: Path, lenient) -> None:
    file, report = tmp_path / "new" / "tiny.tflite", tmp_path / "report.json"
    result = run(tiny_file, "--quantize", "--images", 64, "-o", file, "--json", report)
    assert result.exit_code == 0, result.output
    document = json.loads(report.read_text())
    assert document["parity"]["passed"] is True
    figures = document["parity"]["figures"]
    assert figures["megabytes"]["exported"] < 0.5 * figures["megabytes"]["float"]
    assert figures["keras_landmarks"]["value"] < 1e-4
    assert json.loads(read_spec(file).to_json()) == document
    points, pose = Landmarker.load(file).raw(np.zeros((64, 64, 3), np.uint8))
    assert points.shape == (68, 2) and pose.shape == (3,)
    for words in ("asmnet-68-64-int8", "PASS", "landmark shift", str(file)):
        assert words in result.stdout
    assert "StatefulPartitionedCall" not in result.output, "the converter's chatter"


def test_float_export(tiny_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "float.tflite"
    result = run(tiny_file, "-o", file)
    assert result.exit_code == 0, result.output
    assert read_spec(file).quantization == {"recipe": "float32"}


def test_a_failing_gate_leaves_no_file(tiny_file: Path, tmp_path: Path, strict) -> None:
    file, report = tmp_path / "out" / "tiny.tflite", tmp_path / "report.json"
    result = run(tiny_file, "--quantize", "--images", 64, "-o", file, "--json", report)
    assert result.exit_code == 1, result.output
    assert "FAIL" in result.stdout and "was not written" in result.stdout
    assert not list(file.parent.iterdir())
    assert json.loads(report.read_text())["parity"]["passed"] is False


def test_a_failing_gate_renames_an_older_file(tiny_file: Path, tmp_path: Path, strict) -> None:
    """What a script ships under the name must not be the old model; it is not lost either."""
    file = tmp_path / "tiny.tflite"
    for number, kept in enumerate(("tiny.previous.tflite", "tiny.previous-2.tflite")):
        file.write_text(f"model {number}")
        result = run(tiny_file, "-o", file)
        assert result.exit_code == 1, result.output
        assert not file.exists()
        assert (tmp_path / kept).read_text() == f"model {number}"
        assert f"The older tiny.tflite is {tmp_path / kept} now" in result.stdout


@pytest.mark.parametrize(
    ("error", "code"), [(RuntimeError("a bug"), 2), (KeyboardInterrupt(), 130)]
)
def test_a_crash_is_not_a_failed_gate(
    error: BaseException,
    code: int,
    tiny_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(cli, "load_job", crash)
    file = tmp_path / "tiny.tflite"
    file.write_text("an older model")
    result = run(tiny_file, "-o", file)
    assert result.exit_code == code
    assert ("a bug" in result.stderr) == (code == 2), "a bug keeps its traceback"
    assert file.read_text() == "an older model"


def test_a_full_disk_is_one_sentence(
    tiny_file: Path, tmp_path: Path, refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cli.shutil, "copyfile", full)
    assert "No space left" in refused(main, tiny_file, "-o", tmp_path / "x.tflite")
    assert not list(tmp_path.iterdir())


def test_no_room_for_temporary_files(
    tiny_file: Path, tmp_path: Path, refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type(shutil.disk_usage(tmp_path))(1, 1, 3_000_000)
    monkeypatch.setattr(cli.shutil, "disk_usage", lambda folder: usage)
    sentence = refused(main, tiny_file, "-o", tmp_path / "x.tflite")
    assert "has room for 3 MB" in sentence and "TMPDIR" in sentence


def test_brackets_in_paths(tiny_file: Path, tmp_path: Path, strict) -> None:
    """Which the terminal's markup would swallow, or stumble over."""
    file = tmp_path / "run[1]" / "a[" / "b].tflite"
    result = run(tiny_file, "-o", file, "--keep-failed")
    assert result.exit_code == 1 and file.is_file()
    assert str(file) in result.stdout
    result = run(tiny_file, "-o", file)
    assert result.exit_code == 1
    assert f"{file} was not written" in result.stdout
    assert f"is {file.with_name('b].previous.tflite')} now" in result.stdout


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({"--json": "model.keras"}, "--json .*model.keras would overwrite what is read"),
        ({"--report": "model.json"}, "--report .*model.json would overwrite what is read"),
        ({"--json": "x.tflite"}, "-o and --json both write .*x.tflite"),
        ({"--json": "page", "--report": "./page"}, "--json and --report both write .*page"),
        ({"--report": "faces/a.jpg"}, "--report .*a.jpg would overwrite what is read"),
    ],
)
def test_outputs_spare_inputs_and_each_other(
    outputs: dict[str, str], words: str, tiny_file: Path, tmp_path: Path, refused
) -> None:
    model, faces = tmp_path / "model.keras", tmp_path / "faces"
    model.write_bytes(tiny_file.read_bytes())
    model.with_suffix(".json").write_text("{}")
    faces.mkdir()
    (faces / "a.jpg").write_text("a picture")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    options = [part for option, name in outputs.items() for part in (option, tmp_path / name)]
    arguments = [model, "--quantize", "--calibration", faces, "-o", tmp_path / "x.tflite"]
    assert re.search(words, refused(main, *arguments, *options))
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_keep_failed_keeps_it_and_says_so(tiny_file: Path, tmp_path: Path, strict) -> None:
    file = tmp_path / "tiny.tflite"
    result = run(tiny_file, "-o", file, "--keep-failed")
    assert result.exit_code == 1, result.output
    assert "Kept although the gate failed" in result.stdout
    assert read_spec(file).parity["passed"] is False


def test_a_wrong_normalisation_fails_the_gate(
    tiny_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commonest mistake with quantized networks: calibrated and run on other pixels."""
    from asmnet.export import convert

    def mistaken(network, spec, *rest):
        return convert(network, spec.replace(mean=0.0, std=255.0), *rest)

    monkeypatch.setattr(pipeline, "convert", mistaken)
    file = tmp_path / "wrong.tflite"
    result = run(tiny_file, "-o", file)
    assert result.exit_code == 1, result.output
    assert not list(tmp_path.iterdir())


def test_all_recipes_in_one_table(
    tiny_file: Path, tmp_path: Path, lenient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asmnet.export.qat import finetune as qat

    # test_qat.py fine-tunes.
    monkeypatch.setattr(qat, "finetune", lambda network, prepared, *rest, **options: prepared)
    file, report = tmp_path / "tiny.tflite", tmp_path / "report.json"
    result = run(tiny_file, "--recipe", "all", "--images", 64, "-o", file, "--json", report)
    assert result.exit_code == 0, result.output
    documents = json.loads(report.read_text())
    assert [d["quantization"]["recipe"] for d in documents] == list(RECIPES)
    sizes = [d["parity"]["figures"].get("megabytes", {}).get("exported", 9e9) for d in documents]
    smallest = documents[int(np.argmin(sizes))]["quantization"]["recipe"]
    assert f"The smallest that passes: {smallest}" in result.stdout
    assert read_spec(file).quantization["recipe"] == smallest


def test_without_the_extra_the_ladder_does_without_fine_tuning(
    tiny_file: Path, tmp_path: Path, lenient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    monkeypatch.setattr(cli, "RECIPES", dict.fromkeys(("float32", "qat_int8")))
    result = run(tiny_file, "--recipe", "all", "--images", 64, "-o", tmp_path / "tiny.tflite")
    assert result.exit_code == 0, result.output
    assert "qat_int8 is left out: pip install 'asmnet[qat]'" in result.stderr


def test_crops_that_do_not_show_all_there_is(
    tiny_file: Path, tmp_path: Path, lenient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dull pictures at first, a few of other kinds at the end: the ranges have not settled."""

    def sorted_by_contrast(*arguments):
        faces = calibration_faces(*arguments)
        contrast = np.linspace(0.2, 0.3, len(faces.images))[:, None, None, None]
        contrast[-3:] = 1
        dull = 128 + (faces.images - 128.0) * contrast
        return replace(faces, images=dull.astype(np.uint8))

    monkeypatch.setattr(pipeline, "calibration_faces", sorted_by_contrast)
    result = run(tiny_file, "--quantize", "--images", 64, "-o", tmp_path / "tiny.tflite")
    assert result.exit_code == 0, result.output
    assert "warning: the last tenth of the calibration crops still widened" in result.stderr


def test_nothing_is_written_when_no_recipe_passes(
    tiny_file: Path, tmp_path: Path, strict, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two stand for all, to save time.
    monkeypatch.setattr(cli, "RECIPES", dict.fromkeys(("float32", "int8")))
    result = run(tiny_file, "--recipe", "all", "--images", 64, "-o", tmp_path / "x.tflite")
    assert result.exit_code == 1, result.output
    assert "No recipe passes" in result.stdout and not list(tmp_path.iterdir())


def test_inspect_tells_what_a_file_holds() -> None:
    result = run("inspect", models.DEFAULT)
    assert result.exit_code == 0, result.output
    for words in ("68 landmarks (ibug68)", "of them in integers", "block_15_add", "CONV_2D v1"):
        assert words in result.stdout


def test_inspect_refuses_what_is_no_model(tmp_path: Path, refused) -> None:
    (tmp_path / "x.tflite").write_bytes(b"nothing")
    assert "x.tflite" in refused(main, "inspect", tmp_path / "x.tflite")


@pytest.mark.parametrize("kind", ["missing", "corrupt", "foreign", "tflite", "folder"])
def test_models_that_are_none(kind: str, tiny_file: Path, tmp_path: Path, refused) -> None:
    model = tmp_path / "model.keras"
    if kind == "corrupt":
        model.write_bytes(tiny_file.read_bytes()[:5000])
    elif kind == "foreign":
        image = keras.Input((64, 64, 3))
        keras.Model(image, keras.layers.GlobalAveragePooling2D()(image)).save(model)
    elif kind == "tflite":
        model = tmp_path / "model.tflite"
        model.write_bytes(b"\0\0\0\0TFL3")
    elif kind == "folder":
        model.mkdir()
    before = set(tmp_path.iterdir())
    sentence = refused(main, model, "--quantize", "-o", tmp_path / "x.tflite")
    assert str(model) in sentence
    assert set(tmp_path.iterdir()) == before


def test_a_wrong_record_beside_the_model(tiny_file: Path, tmp_path: Path, refused) -> None:
    model = tmp_path / "model.keras"
    model.write_bytes(tiny_file.read_bytes())
    record = model.with_suffix(".json")
    record.write_text('{"scheme": "wflw98"}')
    assert "wflw98" in refused(main, model, "-o", tmp_path / "x.tflite")
    for text in ("not json", '{"margin": NaN}', '{"margin": 1e300}', "[" * 5000, '{"training": 1}'):
        record.write_text(text)
        assert "model.json" in refused(main, model, "-o", tmp_path / "x.tflite")


def test_the_record_beside_the_model_enters_the_contract(tiny_file: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.keras"
    model.write_bytes(tiny_file.read_bytes())
    known = {"margin": 1.4, "license": "research use", "training": {"seed": 3}}
    model.with_suffix(".json").write_text(json.dumps(known))
    result = run(model, "-o", tmp_path / "x.tflite")
    assert result.exit_code == 0, result.output
    spec = read_spec(tmp_path / "x.tflite")
    assert (spec.margin, spec.license, spec.training) == (1.4, "research use", {"seed": 3})


@pytest.mark.parametrize("output", ["model.h5", "taken", "taken/below/x.tflite"])
def test_outputs_that_cannot_be(output: str, tiny_file: Path, tmp_path: Path, refused) -> None:
    (tmp_path / "taken").write_text("a file")
    assert output in refused(main, tiny_file, "-o", tmp_path / output)
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_a_report_that_cannot_be_written(tiny_file: Path, tmp_path: Path, refused) -> None:
    (tmp_path / "taken").write_text("a file")
    report = tmp_path / "taken" / "report.json"
    assert "report.json" in refused(main, tiny_file, "-o", tmp_path / "x.tflite", "--json", report)
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_bad_calibration_leaves_nothing(tiny_file: Path, tmp_path: Path, refused) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    file = tmp_path / "x.tflite"
    sentence = refused(main, tiny_file, "--quantize", "--calibration", folder, "-o", file)
    assert "holds no pictures" in sentence
    assert "--quantize only" in refused(main, tiny_file, "--calibration", folder, "-o", file)
    assert [p.name for p in tmp_path.iterdir()] == ["empty"]


def test_a_shipped_model_goes_by_its_name(tmp_path: Path, refused) -> None:
    file = tmp_path / "x.tflite"
    assert run(models.DEFAULT, "-o", file).exit_code == 0
    assert read_spec(file).name == f"{models.DEFAULT}-float32"
    sentence = refused(main, "asmnet", "-o", tmp_path / "y.tflite")
    for name in models.shipped():
        assert name in sentence and name in run("--help").stdout
