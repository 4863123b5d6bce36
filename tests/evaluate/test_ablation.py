"""`asmnet-train ablation`: what users read in its tables, and what survives a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from asmnet.__main__ import train
from asmnet.core import UserError
from asmnet.evaluate.ablation import run as ablation
from asmnet.evaluate.ablation.statistics import Scores, bootstrap_interval, difference, summarise
from asmnet.evaluate.ablation.tables import make_tables

SMALL = ["--size", "32", "--init", "none", "--epochs", "1"]


@pytest.fixture(scope="module")
def benchmark(labelled_faces, tmp_path_factory):
    """The shipped faces in 300-W's folders: 40 to train on, 20 common and 10 challenging."""
    root = tmp_path_factory.mktemp("300w")
    poses = ["image,yaw_deg,pitch_deg,roll_deg"]
    for i, label in enumerate(sorted(labelled_faces.glob("*.pts"))):
        folder = "afw" if i < 40 else "helen/testset" if i < 60 else "ibug"
        (root / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(label, root / folder)
        shutil.copy(label.with_suffix(".jpg"), root / folder)
        poses.append(f"{folder}/{label.stem}.jpg,1,2,3")
    (root / "head_pose.csv").write_text("\n".join(poses) + "\n")
    return root


def finish_quickly(folder: Path, settings: dict, skip_bad: bool = False) -> None:
    """Leave what a finished training leaves; its network answers the same for every face."""
    import keras

    shift = {"mnv2": 0.1, "mnv2_r": 0.0, "ASMNet_nr": 0.1, "ASMNet": 0.1}
    image = keras.Input((32, 32, 3))
    features = keras.layers.GlobalAveragePooling2D()(image)
    heads = {"landmarks": 136, "pose": 3}
    layers = {
        n: keras.layers.Dense(c, "linear", kernel_initializer="zeros") for n, c in heads.items()
    }
    network = keras.Model(image, {name: layer(features) for name, layer in layers.items()})
    name, seed = folder.name.split("-seed")
    offset = shift[name] + 0.001 * int(seed)
    layers["landmarks"].bias.assign(np.full(136, offset, np.float32))
    folder.mkdir(parents=True)
    network.save(folder / "best.keras")
    record = settings | {"norm": "batch", "rate": 1e-3, "validation": 0.1, "margin": 1.25}
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "log.csv").write_text("epoch,val_nme\n0,9\n1,9\n")


@pytest.fixture(scope="module")
def finished(benchmark, tmp_path_factory):
    """An ablation whose trainings are quick ones; the runs it started, and its folder."""
    run, started = tmp_path_factory.mktemp("runs") / "ablation[1]", []  # brackets: rich's markup

    def quick(folder, settings, skip_bad):
        started.append(folder.name)
        finish_quickly(folder, settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ablation, "_train", quick)
        output = invoke(benchmark, run)
    return run, started, output


def invoke(data, run, *extra, seeds=2):
    arguments = ["--data", f"300w:{data}", "--run", str(run), "--seeds", str(seeds), *SMALL]
    result = CliRunner().invoke(train, ["ablation", *arguments, *extra])
    assert result.exit_code == 0, result.output
    return result.output


def test_every_model_is_trained_with_every_seed(finished):
    run, started, output = finished
    names = [f"{name}-seed{seed}" for seed in (0, 1) for name in ablation.MODELS]
    assert started == names
    records = {name: json.loads((run / name / "run.json").read_text()) for name in names}
    assert {(r["arch"], r["loss"]) for r in records.values()} == set(ablation.MODELS.values())
    for name, record in records.items():
        same = {k: v for k, v in record.items() if k not in ("arch", "loss", "seed")}
        assert same == {k: records[names[0]][k] for k in same}, name
    assert "8/8 ASMNet-seed1" in output


def test_the_tables_stand_beside_the_paper(finished):
    run, _, output = finished
    text = (run / "tables.md").read_text()
    # Cells are padded to columns.
    rows = [" ".join(line.split()) for line in text.splitlines() if line.startswith("|")]
    assert "| MobileNetV2 | 2.436 | 2.42 | 0.599 | 0.60 | 0.013 |" in rows
    assert "300-W common (20 faces)" in text and "300-W challenging (10 faces)" in text
    assert "300-W full (30 faces)" in text
    nme = [row for row in rows if "[" in row]
    assert any(row.startswith("| mnv2_r ") and "| 3.88 |" in row for row in nme)
    assert any(row.startswith("| ASMNet ") and "| 4.82 |" in row and "5.50" in row for row in nme)
    assert any("1.62 / 1.80 / 1.24" in row for row in rows)
    assert "not the same measurement" in text.lower() and "not at hand" in text
    assert "Does the ASM loss help?" in output and "±" in output
    assert f"Look at {run / 'tables.md'}" in output
    assert (run / "ablation.png").read_bytes().startswith(b"\x89PNG")


def test_the_figures_are_those_of_the_networks(finished):
    run, _, _ = finished
    figures = json.loads((run / "tables.json").read_text())["sets"]["300-W common"]
    assert figures["faces"] == 20
    pose = figures["models"]["ASMNet"]["pose_mae"]
    assert [round(pose[angle]["mean"], 4) for angle in ("yaw", "pitch", "roll")] == [1, 2, 3]
    mnv2, assisted = figures["models"]["mnv2"]["nme"], figures["models"]["mnv2_r"]["nme"]
    gain = figures["asm"]["mnv2 - mnv2_r"]
    assert gain["mean"] == pytest.approx(mnv2["mean"] - assisted["mean"])
    assert gain["verdict"] == "helps" and gain["ci95"][0] > 0
    equal = figures["asm"]["ASMNet_nr - ASMNet"]
    assert equal["mean"] == 0
    assert equal["verdict"] == "no difference that 2 seeds and 20 faces can show"


def test_repeated_it_judges_only_what_is_new(finished, benchmark, monkeypatch):
    run, _, _ = finished
    monkeypatch.setattr(ablation, "_train", lambda *_: pytest.fail("trained again"))
    caches = {path: path.stat().st_mtime_ns for path in run.glob("*/test.npz")}
    assert len(caches) == 8
    newer = run / "mnv2-seed0" / "best.keras"
    os.utime(newer, (time.time() + 5, time.time() + 5))
    assert "finished before" in invoke(benchmark, run)
    changed = [path.parent.name for path, at in caches.items() if path.stat().st_mtime_ns != at]
    assert changed == ["mnv2-seed0"]
    # Another test set is another question.
    text = invoke(benchmark, run, "--test", str(benchmark / "ibug"))
    assert text.count("finished before") == 8 and "ibug: all" in text


def test_a_kill_ends_the_training_too_and_the_command_goes_on(benchmark, tmp_path, capfd):
    run = tmp_path / "ablation"
    common = dict(data=f"300w:{benchmark}", recipe="modern", init="none", size=32, epochs=1)
    for name, (arch, loss) in ablation.MODELS.items():
        if name != "ASMNet":
            settings = common | dict(arch=arch, loss=loss, seed=0)
            finish_quickly(run / f"{name}-seed0", settings)
    code = "from asmnet.__main__ import train; train()"
    options = ["ablation", "--data", common["data"], "--run", str(run), "--seeds", "1", *SMALL]
    command = [sys.executable, "-c", code, *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (run / "ASMNet-seed0" / "run.json").exists():
        assert process.poll() is None, "the ablation ended before it could be killed"
        time.sleep(0.05)
    child = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    children = child.read_text().split() if child.exists() else []
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 20
    while any(running(pid) for pid in children):
        assert time.monotonic() < deadline, "the training outlives its ablation"
        time.sleep(0.05)
    assert invoke(benchmark, run, seeds=1).count("finished before") == 3
    training = capfd.readouterr().out
    assert "1.440 M parameters" in training and "resumed" in training
    assert "1 seed and 20 faces" in (run / "tables.md").read_text()


def test_a_damaged_network_or_memory_of_it_is_found_out(finished, benchmark, tmp_path):
    run, _, _ = finished
    shutil.copytree(run, tmp_path / "copy")
    folder = tmp_path / "copy" / "mnv2-seed0"
    sets = ablation.find_tests(f"300w:{benchmark}")

    def crops(title):
        return ablation.crop_faces(sets[title].faces, 32, 1.25)[:2]

    known = ablation._test(folder, sets, crops)
    (folder / "test.npz").write_bytes(b"damaged")
    again = ablation._test(folder, sets, crops)
    np.testing.assert_array_equal(again["300-W common"].errors, known["300-W common"].errors)
    (folder / "test.npz").unlink()
    (folder / "best.keras").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"best\.keras cannot be loaded"):
        ablation._test(folder, sets, crops)


def running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_other_settings_are_not_passed_off_as_finished(finished, benchmark):
    folder = finished[0] / "mnv2-seed0"
    settings = json.loads((folder / "run.json").read_text())
    assert ablation._finished(folder, settings)
    assert not ablation._finished(folder, settings | {"epochs": 2})
    assert not ablation._finished(folder, settings | {"recipe": "paper"})


@pytest.mark.parametrize("name", ["run.json", "log.csv"])
@pytest.mark.parametrize("text", ["", "[1]", "{", "epoch\n0\n", "a,b\n1\n", "\0\n\xff"])
def test_a_damaged_record_is_not_passed_off_as_finished(finished, tmp_path, name, text):
    folder = tmp_path / "mnv2-seed0"
    shutil.copytree(finished[0] / "mnv2-seed0", folder)
    settings = json.loads((folder / "run.json").read_text())
    (folder / name).write_text(text, encoding="latin-1")
    assert not ablation._finished(folder, settings)


@pytest.mark.parametrize(
    "data, extra, complaint",
    [
        ("300w:/nowhere", [], "/nowhere is not a folder"),
        ("{flat}", [], "has no test set of its own; give labelled faces with --test"),
        ("{flat}", ["--test", "wflw:{flat}"], "is it WFLW's folder?"),
        ("{flat}", ["--test", "{flat}/x", "--test", "{flat}/x"], "x is not a folder"),
        ("{flat}", ["--seeds", "0"], "Invalid value for '--seeds'"),
    ],
)
def test_bad_input_is_one_sentence(labelled_faces, tmp_path, data, extra, complaint):
    arguments = [text.format(flat=labelled_faces) for text in ["--data", data, *extra]]
    result = CliRunner().invoke(train, ["ablation", *arguments, "--run", str(tmp_path / "run")])
    assert result.exit_code == 2 and "Traceback" not in result.output
    assert complaint in result.output.replace("\n", " ")
    assert not (tmp_path / "run").exists()


def test_help_shows_the_trainings_options_and_the_ablation():
    text = CliRunner().invoke(train, ["--help"], prog_name="asmnet-train").output
    assert "Usage: asmnet-train [OPTIONS]" in text
    assert "--arch" in text and "asmnet-train ablation --help" in text


def test_the_bootstrap_interval_is_the_means(rng):
    values = rng.normal(5.0, 2.0, 400)
    low, high = bootstrap_interval(values)
    error = 1.96 * values.std() / np.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.03)
    assert bootstrap_interval(values) == (low, high), "the same faces, the same interval"
    assert bootstrap_interval(np.full(9, 3.0)) == (3.0, 3.0)


def scores(errors) -> list[Scores]:
    return [Scores(np.asarray(e, float), np.full((len(e), 3), np.nan)) for e in errors]


def test_a_verdict_needs_faces_and_seeds_to_agree(rng):
    hard = rng.uniform(2, 12, 200)  # what all share: how hard each face is
    without = scores([hard + s for s in (0.50, 0.52, 0.51)])
    assisted = scores([hard + s for s in (0.02, 0.00, 0.01)])
    gain = difference(without, assisted)
    assert gain["mean"] == pytest.approx(0.5) and gain["verdict"] == "helps"
    assert gain["ci95"][0] == pytest.approx(gain["ci95"][1]), "paired: hard faces cancel"
    assert difference(assisted, without)["verdict"] == "hurts"
    # Every face agrees, but the trainings scatter more than they differ.
    scattered = difference(without, scores([hard + s for s in (-0.5, 0.9, 0.0)]))
    assert scattered["verdict"] == "no difference that 3 seeds and 200 faces can show"
    one = difference(without[:1], assisted[:1])
    assert one["std"] is None and one["verdict"].startswith("no difference that 1 seed and")


def test_figures_over_seeds():
    figures = summarise(scores([[2, 4, 12, 2], [4, 4, 8, 4]]))
    assert figures["nme"]["seeds"] == [5, 5] and figures["nme"]["std"] == 0
    assert figures["fr10"]["mean"] == 12.5
    assert figures["auc10"]["seeds"] == pytest.approx([0.55, 0.5])
    assert "pose_mae" not in figures


def test_a_test_set_that_the_paper_lacks_has_no_column_of_it():
    models = {n: summarise(scores([[2, 4]])) for n in (*ablation.MODELS, "asmnet_spatial")}
    gain = difference(scores([[2, 4]]), scores([[2, 4]]))
    figures = {
        "settings": {"seeds": 1},
        "cost": {"asmnet": {"parameters": 1_439_507, "flop": {"224": 0.513e9}}},
        "sets": {"mine: all": {"faces": 2, "models": models, "asm": {"a - b": gain}}},
    }
    tables = {table.title.split(",")[0]: table for table in make_tables(figures)}
    assert list(tables["NME"].columns) == ["model", "mine: all (2 faces)"]
    assert tables["NME"].rows[-1][0] == "asmnet_spatial (ours)"
    assert tables["Size and cost"].columns[-1] == "paper at 224", "counted once at 224"
    assert "Head pose" not in tables
