"""How the settings of a training reach its parts; the epochs themselves are left out."""

import csv
import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from training_parts import SIZE

from asmnet.core import UserError
from asmnet.data.jsonl import read_jsonl, write_jsonl
from asmnet.train import fit as module
from asmnet.train import statistics
from asmnet.train.asm_model import AsmTrainingModel
from asmnet.train.callbacks import Schedule, Validation
from asmnet.train.fit import fit
from asmnet.train.processes import Processes
from asmnet.train.recipes import RECIPES
from asmnet.train.run import History, State
from asmnet.train.warm_start import start_at_mean


def network():
    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Conv2D(4, 3, strides=4, use_bias=False)(image)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    heads = {"landmarks": 136, "pose": 3}
    return keras.Model(image, {n: keras.layers.Dense(c, name=n)(x) for n, c in heads.items()})


class Training:
    """What a training did: its steps by name, and the arguments of its parts."""

    def __init__(self):
        self.steps, self.copied = [], {"norm", "landmarks", "pose"}
        self.statistics = 7.0  # what they are estimated as

    def initialise(self, *arguments):
        self.initial, made = arguments, network()
        return made, self.copied

    def estimate_statistics(self, model, batches):
        self.steps.append("statistics")
        model.network.get_layer("norm").moving_mean.assign(np.full(4, self.statistics))

    def start_at_mean(self, network, points, margin):
        self.steps.append("mean face")
        start_at_mean(network, points, margin)

    def fit_heads(self, model, batches):
        self.steps.append("heads")

    def shrink_heads(self, network, batches):
        self.steps.append("small heads")
        bias = network.get_layer("pose").bias
        self.shrunk = bias.numpy().tolist()
        bias.assign([1, 2, 3])

    def epochs(self, model, batches, **options):
        self.steps.append("epochs")
        self.model, self.batches, self.options = model, batches, options

    def callback(self, kind):
        return [c for c in self.options["callbacks"] if isinstance(c, kind)]


@pytest.fixture
def training(monkeypatch):
    training = Training()
    for step in (
        "initialise", "estimate_statistics", "start_at_mean", "fit_heads", "shrink_heads"
    ):  # fmt: skip
        monkeypatch.setattr(module, step, getattr(training, step))
    monkeypatch.setattr(statistics, "estimate_statistics", training.estimate_statistics)
    monkeypatch.setattr(
        AsmTrainingModel, "fit", lambda *given, **options: training.epochs(*given, **options)
    )
    # What takes long, and has tests of its own.
    monkeypatch.setattr(Validation, "measure", lambda self: {f"{self.name}_nme": 5.0})
    monkeypatch.setattr(History, "_plot", lambda self: None)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)  # no TensorBoard
    return training


def rows(run):
    with (run / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_arguments_are_kept_in_the_run(training, labels, tmp_path):
    run = tmp_path / "run"
    best = fit(labels[0], run, size=SIZE, epochs=3, rate=0.02, seed=4, validation=0.2)
    assert best == run / "best.keras" and best.exists()
    kept = json.loads((run / "run.json").read_text())
    assert len(kept.pop("faces")["sha256"]) == 64
    assert kept == {
        "data": labels[0],
        "recipe": "modern",
        "arch": "asmnet",
        "loss": "asm",
        "init": "imagenet",
        "norm": "batch",
        "size": SIZE,
        "epochs": 3,
        "rate": 0.02,
        "seed": 4,
        "validation": 0.2,
        "margin": 1.25,
        "skip_bad": False,
    }
    assert training.options["epochs"] == 3 and training.model.recipe.learning_rate == 0.02
    assert training.initial[:4] == ("asmnet", "ibug68", SIZE, "imagenet")
    assert training.batches.seed == 4 and (run / "shape.npz").exists()


def test_the_recipe_tells_what_is_not_said(training, labels, tmp_path):
    fit(labels[0], tmp_path / "run", size=SIZE, recipe="polish")
    assert training.model.recipe == RECIPES["polish"]
    assert training.options["epochs"] == RECIPES["polish"].epochs
    assert training.options["initial_epoch"] == 0


def test_keras_neither_shuffles_batches_nor_draws_a_second_bar(training, labels, tmp_path):
    """A run that is resumed meets the batches that the seed tells."""
    fit(labels[0], tmp_path / "run", size=SIZE)
    assert training.options["shuffle"] is False and training.options["verbose"] == 0


@pytest.mark.parametrize(
    "options, copied, steps",
    [
        ({}, "", "mean face, epochs, statistics"),
        ({"norm": "frozen"}, "", "mean face, statistics, epochs"),
        ({"init": "a.keras"}, "norm landmarks", "epochs, statistics, small heads"),
        ({"init": "a.keras"}, "norm", "heads, epochs, statistics, small heads"),
        ({"init": "a.keras", "norm": "frozen"}, "norm landmarks", "statistics, epochs"),
        ({"init": "a.keras", "norm": "frozen"}, "norm", "statistics, heads, epochs"),
    ],
)
def test_heads_and_statistics_start_as_they_need_to(
    training, labels, tmp_path, options, copied, steps
):
    training.copied = set(copied.split())
    fit(labels[0], tmp_path / "run", size=SIZE, **options)
    assert ", ".join(training.steps) == steps


def test_an_untrained_network_answers_the_mean_face_in_its_crop(training, labels, tmp_path):
    fit(labels[0], tmp_path / "run", size=SIZE)
    mean = training.model.network.get_layer("landmarks").get_weights()[1].reshape(68, 2)
    assert np.ptp(mean, axis=0).max() == pytest.approx(1 / module.MARGIN, abs=0.06), "less noise"


@pytest.mark.parametrize("after, kept", [(4.0, 7.0), (5.0, 7.0), (6.0, 0.0)])
def test_a_networks_own_statistics_stay_if_new_ones_are_worse(
    training, labels, tmp_path, monkeypatch, after, kept
):
    errors = iter([5.0, after])
    monkeypatch.setattr(Validation, "measure", lambda self: {"val_nme": next(errors)})
    fit(labels[0], tmp_path / "run", size=SIZE, init="a.keras", norm="frozen")
    found = training.model.network.get_layer("norm").get_weights()[2]
    np.testing.assert_array_equal(found, np.full(4, kept))


@pytest.mark.parametrize("loss, assist", [("asm", True), ("mse", False)])
def test_the_loss_says_whether_the_asm_term_counts(training, labels, tmp_path, loss, assist):
    fit(labels[0], tmp_path / "run", size=SIZE, loss=loss)
    assert training.model.assist is assist


@pytest.mark.parametrize("init, fine_tuning", [("imagenet", False), ("a.keras", True)])
def test_a_trained_network_is_fine_tuned(training, labels, tmp_path, init, fine_tuning):
    fit(labels[0], tmp_path / "run", size=SIZE, init=init, epochs=5)
    [schedule] = training.callback(Schedule)
    assert (schedule.epochs, schedule.fine_tuning) == (5, fine_tuning)


@pytest.mark.parametrize(
    "recipe, norm, averaged",
    [("modern", "frozen", True), ("modern", "batch", False), ("paper", "frozen", False)],
)
def test_weights_are_averaged_where_statistics_are_frozen(
    training, labels, tmp_path, recipe, norm, averaged
):
    """An average of weights has no statistics of its own; the paper averages nothing."""
    fit(labels[0], tmp_path / "run", size=SIZE, recipe=recipe, norm=norm)
    assert training.model.frozen == (norm == "frozen")
    assert training.model.optimizer.use_ema is averaged
    swaps = training.callback(keras.callbacks.SwapEMAWeights)
    assert [swap.swap_on_epoch for swap in swaps] == [True] * averaged


def test_the_last_row_is_of_the_estimated_statistics(training, labels, tmp_path, capsys):
    fit(labels[0], tmp_path / "run", size=SIZE, epochs=3)
    assert [row["epoch"] for row in rows(tmp_path / "run")] == ["3"]
    assert "with re-estimated statistics" in capsys.readouterr().out


def test_extra_faces_are_learned_from_and_judged_apart(training, labels, tmp_path, capsys):
    fit(labels[0], tmp_path / "run", size=SIZE, extra=labels[1:], validation=0.3)
    told = capsys.readouterr().out
    counts = re.search(r"(\d+) faces to learn from, (\d+) held out", told)
    learning, held_out = int(counts[1]), int(counts[2])
    assert learning + held_out == 70
    assert len(training.batches.faces.points) == learning
    mine, more = training.callback(Validation)
    assert (mine.name, more.name) == ("val", "val_extra")
    assert len(mine.images) + len(more.images) == held_out
    assert rows(tmp_path / "run")[-1].keys() == {"epoch", "val_nme", "val_extra_nme"}
    assert json.loads((tmp_path / "run/run.json").read_text())["extra"] == labels[1:]


def test_without_held_out_faces_a_hundred_learned_ones_judge(training, labels, tmp_path):
    fit(labels[0], tmp_path / "run", size=SIZE, extra=labels[1:] * 3, validation=0)
    [judges] = training.callback(Validation)
    assert len(judges.images) == 100 and len(training.batches.faces.points) == 130


@pytest.mark.parametrize("count", [30, 1])
def test_shares_say_how_often_each_source_is_drawn(training, labels, tmp_path, count):
    """However many faces it has."""
    more = tmp_path / "more.jsonl"
    write_jsonl(more, read_jsonl(Path(labels[1])).faces[:count])
    options = {"shares": [1, 3], "epoch_faces": 320, "validation": 0}
    fit(labels[0], tmp_path / "run", size=SIZE, extra=[str(more)], **options)
    chances = training.batches.chances
    assert chances[:40].sum() == pytest.approx(0.25) and chances[40:].sum() == pytest.approx(0.75)
    assert len(training.batches) == 10
    kept = json.loads((tmp_path / "run/run.json").read_text())
    assert (kept["shares"], kept["epoch_faces"]) == ([1, 3], 320)


@pytest.mark.parametrize("shares", [[1], [1, 2, 3], [0, 0]])
def test_shares_are_one_for_each_source(training, labels, tmp_path, shares):
    given = ",".join(map(str, shares))
    with pytest.raises(UserError, match=f"--shares {given}: give one number for --data and one "):
        fit(labels[0], tmp_path / "run", size=SIZE, extra=labels[1:], shares=shares)


def test_the_best_network_gets_small_heads_not_the_last(training, labels, tmp_path):
    """In the file that ships."""
    training.copied, run, source = {"norm"}, tmp_path / "run", tmp_path / "source.keras"
    source.write_bytes(b"")
    best = network()
    best.get_layer("pose").bias.assign([7, 7, 7])
    training.epochs = lambda *given, **options: best.save(run / "best.keras")
    file = fit(labels[0], run, size=SIZE, init=str(source), norm="frozen", epochs=2)
    assert training.shrunk == [7, 7, 7]
    shipped = keras.saving.load_model(file, compile=False)
    assert shipped.get_layer("pose").bias.numpy().tolist() == [1, 2, 3]


def test_a_run_goes_on_with_its_epoch(training, labels, tmp_path, capsys, monkeypatch):
    run = tmp_path / "run"
    fit(labels[0], run, size=SIZE, norm="frozen", epochs=6)
    assert "resumed" not in capsys.readouterr().out
    [state] = training.callback(State)
    state.set_model(training.model)
    state.on_epoch_begin(4)
    assert (run / "state.npz").exists()
    training.steps.clear()
    fit(labels[0], run, size=SIZE, norm="frozen", epochs=6)
    assert training.options["initial_epoch"] == 4 and training.batches.epoch == 4
    assert training.steps == ["mean face", "epochs"], "statistics were estimated once"
    assert "; resumed" in capsys.readouterr().out


@pytest.mark.parametrize("norm, last", [("batch", "5"), ("frozen", "4")])
def test_a_finished_run_is_left_alone(training, labels, tmp_path, norm, last):
    run = tmp_path / "run"
    fit(labels[0], run, size=SIZE, norm=norm, epochs=5)
    (run / "log.csv").write_text(f"epoch,val_nme\n{last},5.0\n")
    training.steps.clear()
    fit(labels[0], run, size=SIZE, norm=norm, epochs=5)
    assert "epochs" not in training.steps
    assert [row["epoch"] for row in rows(run)] == [last]


def test_what_was_left_out_is_told(training, labels, tmp_path, capsys):
    """On one line, however long, and with the brackets of its name."""
    damaged = Path(labels[0]).with_name(f"{'damaged ' * 12}[red].jsonl")
    damaged.write_text(Path(labels[0]).read_text() + "{\n")
    fit(str(damaged), tmp_path / "run", size=SIZE, skip_bad=True)
    told = capsys.readouterr().out
    assert ", 1 skipped" in told and f"\nleft out 1, the first: {damaged}, line 41" in told


def test_a_bar_tells_that_pictures_are_read_and_goes(training, labels, tmp_path, monkeypatch):
    told = []

    def track(pictures, text, console, transient):
        told.append((text, transient))
        return pictures

    monkeypatch.setattr(module, "track", track)
    fit(labels[0], tmp_path / "run", size=SIZE)
    assert told == [("reading pictures", True)]


@pytest.mark.parametrize(
    "installed, count, written",
    [
        ({"tensorflow", "tensorboard"}, 1, True),
        ({"tensorboard"}, 1, False),
        ({"tensorflow"}, 1, False),
        ({"tensorflow", "tensorboard"}, 2, False),
    ],
)
def test_tensorboard_is_written_where_it_is_installed(
    training, labels, tmp_path, monkeypatch, installed, count, written
):
    """But not by several processes: it asks one alone for a figure that all have to compute."""
    monkeypatch.setattr(module.importlib.util, "find_spec", installed.__contains__)
    monkeypatch.setattr(module, "join", lambda: Processes(count=count, index=0))
    monkeypatch.setattr(Processes, "agree", lambda self, facts: None)
    fit(labels[0], tmp_path / "run", size=SIZE)
    logs = [board.log_dir for board in training.callback(keras.callbacks.TensorBoard)]
    assert logs == [str(tmp_path / "run/tensorboard")] * written


def test_a_batch_is_spread_over_all_devices(training, labels, tmp_path, capsys, monkeypatch):
    told = []
    monkeypatch.setattr(module, "use_all_devices", lambda *given: told.append(given) or 4)
    fit(labels[0], tmp_path / "run", size=SIZE, batch=8)
    assert told == [(8, 1)] and ", 4 device(s)\n" in capsys.readouterr().out


def test_a_batch_of_another_size_is_kept_and_drawn(training, labels, tmp_path):
    fit(labels[0], tmp_path / "run", size=SIZE, batch=8)
    assert len(training.batches[0][0]["images"]) == 8
    assert json.loads((tmp_path / "run/run.json").read_text())["batch"] == 8


def test_the_recipes_own_batch_is_no_other_run(training, labels, tmp_path, capsys):
    fit(labels[0], tmp_path / "run", size=SIZE)
    fit(labels[0], tmp_path / "run", size=SIZE, batch=RECIPES["modern"].batch)
    assert "; resumed" in capsys.readouterr().out


def test_a_second_process_has_its_rows_and_writes_nothing(
    training, labels, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(module, "join", lambda: Processes(count=2, index=1))
    monkeypatch.setattr(Processes, "agree", lambda self, facts: None)
    fit(labels[0], tmp_path / "run", size=SIZE, batch=8)
    [state] = training.callback(State)
    state.set_model(training.model)
    state.on_epoch_begin(2)
    assert int(training.model.finished) == 2, "the same step as in the first process"
    assert not (tmp_path / "run").exists() and capsys.readouterr().out == ""
    whole = training.batches.whole(0)[0]["images"]
    np.testing.assert_array_equal(training.batches[0][0]["images"], whole[4:])
