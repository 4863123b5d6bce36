"""Publishing: whole sets of files, and cards that say how the run was really made."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from asmnet import models
from asmnet.core import UserError, read_spec
from asmnet.edge_runtime import parity
from asmnet.export import cli
from asmnet.train.checkpoint import load_float
from asmnet.train.model import ARCHITECTURES
from tools.release import publish, republish
from tools.release.history import commands_of
from tools.release.model_card import ABOUT_ARCHITECTURES, license_of

SETTINGS = {
    "recipe": "modern", "arch": "asmnet_spatial", "loss": "asm", "init": "imagenet",
    "norm": "batch", "size": 80, "epochs": 3, "rate": 0.001, "seed": 0, "validation": 0.1,
    "margin": 1.25,
}  # fmt: skip


def make_run(folder: Path, network: keras.Model | None, data: Path, **settings: object) -> Path:
    """What asmnet-train leaves behind, as far as publishing reads it."""
    folder.mkdir(parents=True)
    record = SETTINGS | {"data": f"300w:{data}"} | settings
    (folder / "run.json").write_text(json.dumps(record))
    if network is not None:
        network.save(folder / "last.keras")
    np.savez(folder / "shape.npz")
    return folder


def test_a_run_becomes_a_model_with_its_whole_history(
    spatial: keras.Model, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """98 points, no face held out, started from a run that started from a shipped model."""
    for key in parity.LIMITS:  # an untrained network means nothing, so any damage to it is fine
        monkeypatch.setitem(parity.LIMITS, key, 1e9)

    def quantize(model: Path, target: Path, report: Path) -> None:
        arguments = [str(model), "--quantize", "--images", "60", "-o", str(target)]
        arguments += ["--report", str(report)]
        assert CliRunner().invoke(cli.main, arguments).exit_code == 0

    monkeypatch.setattr(publish, "quantize", quantize)
    shipped = models.find(kind=".keras")
    first = make_run(tmp_path / "runs" / "first", None, labelled, init=str(shipped))
    start = str(first / "best.keras")
    run = make_run(tmp_path / "runs" / "second", spatial, labelled, init=start, validation=0)
    into = tmp_path / "models"
    arguments = [
        run,
        "mine-98-80",
        "--test",
        f"300w:{labelled}",
        "--also",
        f"300w:{labelled}",
        "--note",
        "Noted.",
        "--into",
        into,
    ]
    result = CliRunner().invoke(publish.main, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    ends = (".json", ".keras", ".md", ".shape.npz", "-int8.tflite")
    assert sorted(p.name for p in into.iterdir()) == sorted(f"mine-98-80{end}" for end in ends)

    assert (tmp_path / "docs/measurements/reports/mine-98-80.html").stat().st_size > 10_000
    card = (into / "mine-98-80.md").read_text()
    assert str(tmp_path) not in card and str(labelled) not in card
    for words in ("98 landmarks (wflw98)", "80 x 80", "one of ours", "12 faces", "Noted.",
                  "none held out", "Compared in the 68 points", "int8, detector boxes",
                  "No face of the last run had a pose label", "Research use only: trained on 300-W",
                  "Keras' ImageNet weights", "a patch, 35 %", "--data 300w:DIR --robustness",
                  "| all        |    12 |"):  # fmt: skip
        assert words in card, words
    training = card.partition("## Training")[2]
    steps = [line for line in training.splitlines() if line.startswith(("asmnet ", "asmnet-"))]
    assert steps[:-2] == read_spec(models.find()).training["commands"], "the shipped model's"
    assert f"--run runs/first --init models/{models.DEFAULT}.keras" in steps[-2]
    assert "--run runs/second --init runs/first/best.keras --arch asmnet_spatial" in steps[-1]
    assert "--validation 0" in steps[-1]

    _, spec = load_float(into / "mine-98-80.keras")
    small = read_spec(into / "mine-98-80-int8.tflite")
    assert (spec.name, small.name) == ("mine-98-80", "mine-98-80-int8")
    assert spec.training["commands"] == steps == small.training["commands"]
    assert small.license == spec.license


def test_a_run_whose_export_fails_leaves_nothing(
    spatial: keras.Model, labelled: Path, tmp_path: Path, refused
) -> None:
    """The untrained network is far from passing the gate."""
    run = make_run(tmp_path / "run", spatial, labelled, validation=0)
    into = tmp_path / "models"
    sentence = refused(publish.main, run, "x", "--test", f"300w:{labelled}", "--into", into)
    assert "nothing was published" in sentence
    assert not list(into.iterdir())


def test_a_renewed_card_has_new_figures_and_the_old_training() -> None:
    name, spec = models.DEFAULT, read_spec(models.find())
    old = models.find(name, ".md").read_text()
    row = {"faces": 554, "nme": 1.23, "fr10": 0.0, "auc10": 0.9, "missed": 0}
    hard = {"spoilt": {"conditions": [{"condition": "dark", "nme": 4.5, "fr10": 6.7}],
                       "data": "300w:DIR"}}  # fmt: skip
    new = republish.renewed(old, name, "300w", {"float": row}, hard, spec)
    assert (
        "| float | 1.23 |      0.00 |       0.900 |      0 |" in new
        and "int8, detector boxes" not in new
    )
    for heading in ("# ", "## Training", "## Limits"):
        assert section(new, heading) == section(old, heading)
    assert "| dark      | 4.50 |       6.7 |" in section(new, "## Hard faces")
    again = republish.renewed(new, name, "300w", {"float": row}, hard, spec)
    assert again == new
    assert f"{spec.parity['figures']['shift_mean']['value']:.4g}" in section(new, "## Parity")
    with pytest.raises(UserError, match="has other sections"):
        republish.renewed("# A card of another kind", name, "300w", {"float": row}, hard, spec)


def section(card: str, heading: str) -> str:
    """What follows a heading, up to the next."""
    return card[card.index(heading) :].split("\n## ")[0]


def test_bad_input(labelled: Path, tmp_path: Path, refused) -> None:
    run = make_run(tmp_path / "run", None, labelled, init="elsewhere/x.keras")
    test = f"300w:{labelled}"
    assert "give 300w:DIR or wflw:DIR" in refused(publish.main, run, "x", "--test", "faces")
    assert "run.json" in refused(publish.main, tmp_path, "x", "--test", test)
    assert "elsewhere/x.keras" in refused(publish.main, run, "x", "--test", test)
    run = make_run(tmp_path / "other", None, labelled)
    assert "no best.keras" in refused(publish.main, run, "x", "--test", test)
    run = make_run(tmp_path / "gone", None, tmp_path / "nowhere")
    assert "nowhere" in refused(publish.main, run, "x", "--test", test)


def test_a_stage_of_a_plan_shows_the_one_command_and_its_stages(tmp_path: Path) -> None:
    stages = {
        "wild.jsonl": "label {wild} --out {out}",
        "aside": "train --data {wild.jsonl} --run {out}",
        "mine": "train --data 300w:{300w} --extra {wild.jsonl} --init {imagenet} --run {out}",
    }
    run = make_run(tmp_path / "disk2" / "mine", None, tmp_path, extra=["wild.jsonl"])
    record = {"plan": "shipped", "stages": stages}
    (tmp_path / "disk2" / "stages.json").write_text(json.dumps(record))
    assert commands_of(run) == [
        "asmnet-train stages shipped mine --run runs/shipped "
        "--input 300w=DIR --input imagenet=imagenet --input wild=DIR",
        "asmnet label DIR --out runs/shipped/wild.jsonl",
        "asmnet train --data 300w:DIR --extra runs/shipped/wild.jsonl --init imagenet "
        "--run runs/shipped/mine",
    ]


def test_cards_tell_of_every_architecture() -> None:
    assert set(ABOUT_ARCHITECTURES) == set(ARCHITECTURES)


def test_the_licence_names_a_plans_labels_by_their_stages() -> None:
    command = "asmnet train --data 300w:DIR --extra runs/shipped/wild.jsonl"
    found = license_of([f"{command} --extra runs/shipped/turned/labels.jsonl --run runs/a"])
    assert "only: trained on 300-W," in found
    assert "trained on wild.jsonl, turned: the licence of those pictures applies" in found


def test_labels_of_unknown_origin_are_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", None, tmp_path, extra=["found.jsonl"])
    with pytest.raises(UserError, match=r"found.jsonl, and nothing tells how"):
        commands_of(run)
