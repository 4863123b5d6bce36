"""A run folder: one command, one set of faces, one training at a time; the best epoch is kept."""

import json
import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from asmnet.core import UserError
from asmnet.train import run
from asmnet.train.run import History, State, check_run, open_run
from tests.disks import full_disk

SETTINGS = {"data": "300w:DIR", "seed": 0}
FACES = {"learning": 90, "held_out": 10, "skipped": 0, "sha256": "aa"}


def begin(folder, settings=SETTINGS, faces=FACES):
    with open_run(folder, settings, faces) as resumed:
        return resumed


def test_the_same_command_on_the_same_faces_goes_on(tmp_path):
    assert not begin(tmp_path / "run")
    assert begin(tmp_path / "run")


def test_another_command_is_refused(tmp_path):
    begin(tmp_path)
    with pytest.raises(UserError, match="a run with seed = 0, not 1"):
        begin(tmp_path, SETTINGS | {"seed": 1})


def test_other_faces_are_refused(tmp_path):
    begin(tmp_path)
    for other in ({"learning": 91}, {"sha256": "bb"}, {"skipped": 1}):
        with pytest.raises(UserError, match="not those that .* began with .*90 learning"):
            begin(tmp_path, faces=FACES | other)


def test_other_faces_are_told_by_their_numbers(tmp_path):
    begin(tmp_path)
    numbers = "then 90 learning, 10 held out, 0 skipped; now 90 learning, 10 held out, 4 skipped"
    with pytest.raises(UserError, match=rf"\({numbers}\)"):
        begin(tmp_path, faces=FACES | {"skipped": 4})


@pytest.mark.parametrize(
    "record", ["{", "[1]", "[" * 100_000, '{"data": "300w:DIR", "seed": 0}', "\0", '{"faces": 1}']
)
def test_a_record_that_is_damaged_or_older_is_named(tmp_path, record):
    (tmp_path / "run.json").write_text(record)
    with pytest.raises(UserError, match=r"run\.json .*damaged.*choose a new --run"):
        check_run(tmp_path, SETTINGS)


def test_a_folder_of_something_else_is_left_as_it_is(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"not empty and holds no run\.json"):
        begin(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_in_the_folders_place_is_named(tmp_path):
    (tmp_path / "run").write_text("mine")
    for folder in (tmp_path / "run", tmp_path / "run" / "below"):
        with pytest.raises(UserError, match="cannot use"):
            begin(folder)


def test_one_training_at_a_time_uses_a_folder(tmp_path):
    with open_run(tmp_path, SETTINGS, FACES):
        with pytest.raises(UserError, match="another training runs in"):
            begin(tmp_path)
    assert begin(tmp_path), "free again"


@pytest.mark.slow
def test_a_killed_training_leaves_no_lock(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from asmnet.train.run import open_run\n"
        f"with open_run(Path(sys.argv[1]), {SETTINGS}, {FACES}): print(flush=True); time.sleep(99)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(UserError, match="another training runs in"):
            begin(tmp_path)
        os.kill(process.pid, signal.SIGKILL)
    assert begin(tmp_path)


@pytest.fixture
def network():
    image = keras.Input((4,))
    return keras.Model(image, keras.layers.Dense(1, name="head")(image))


def measure_parity(folder, network, errors):
    """Epochs with these validation errors; the network's bias tells which epoch it is of."""
    history = History(folder, network)
    for epoch, error in enumerate(errors):
        network.get_layer("head").bias.assign([epoch])
        history.on_epoch_end(epoch, {"loss": 1.0, "val_nme": error})
    return history


def epoch_of(path):
    network = keras.saving.load_model(path, compile=False)
    return int(network.get_layer("head").get_weights()[1][0])


def test_the_best_epoch_is_kept_and_the_last(tmp_path, network):
    history = measure_parity(tmp_path, network, [9.0, 4.0, 7.0, 5.0])
    assert epoch_of(tmp_path / "best.keras") == 1
    assert epoch_of(tmp_path / "last.keras") == 3
    assert "4.00 % after epoch 2" in history.summary(4)


def test_held_out_faces_of_extra_labels_count_as_much(tmp_path, network):
    history = History(tmp_path, network)
    for epoch, (own, others) in enumerate([(9.0, 9.0), (4.1, 2.0), (4.0, 3.0)]):
        network.get_layer("head").bias.assign([epoch])
        history.on_epoch_end(epoch, {"loss": 0.5, "val_nme": own, "val_extra_nme": others})
    assert epoch_of(tmp_path / "best.keras") == 1
    assert "4.10 % after epoch 2" in history.summary(3)


def test_an_epoch_that_is_no_number_is_not_the_best(tmp_path, network):
    measure_parity(tmp_path, network, [np.nan, 4.0, np.nan])
    assert epoch_of(tmp_path / "best.keras") == 1


def test_what_an_earlier_process_reached_counts(tmp_path, network):
    measure_parity(tmp_path, network, [9.0, 4.0])
    again = History(tmp_path, network)
    assert again.reached(1) and not again.reached(2)
    network.get_layer("head").bias.assign([2])
    again.on_epoch_end(2, {"loss": 1.0, "val_nme": 6.0})
    assert epoch_of(tmp_path / "best.keras") == 1


def test_a_repeated_epoch_replaces_its_row_and_those_after(tmp_path, network):
    measure_parity(tmp_path, network, [9.0, 4.0, 3.0])
    again = History(tmp_path, network)
    again.on_epoch_end(1, {"loss": 2.0, "val_nme": 5.0})
    assert (tmp_path / "log.csv").read_text().split() == [
        "epoch,loss,val_nme",
        "0,1.0,9.0",
        "1,2.0,5.0",
    ]


def test_the_curves_are_of_loss_and_error_by_epoch(tmp_path, network, monkeypatch):
    drawn = []
    monkeypatch.setattr(run.plt, "close", drawn.append)
    measure_parity(tmp_path, network, [9.0, 4.0, 7.0])
    assert Image.open(tmp_path / "curves.png").size == (1100, 440)
    loss, error = drawn[-1].axes
    assert [axis.get_title() for axis in (loss, error)] == ["training loss", "validation NME"]
    assert [axis.get_ylabel() for axis in (loss, error)] == ["loss", "NME, %"]
    assert [axis.get_xlabel() for axis in (loss, error)] == ["epoch", "epoch"]
    np.testing.assert_array_equal(loss.lines[0].get_xydata(), [(1, 1), (2, 1), (3, 1)])
    np.testing.assert_array_equal(error.lines[0].get_xydata(), [(1, 9), (2, 4), (3, 7)])
    assert loss.lines[0].get_color() != error.lines[0].get_color()
    assert not (loss.get_xticks() % 1).any() and not (error.get_xticks() % 1).any()
    # Powers of ten alone would say little of errors from 3 to 9.
    assert error.get_yscale() == "log"
    assert error.yaxis.get_minor_formatter()(4.0, 0) and error.yaxis.get_major_formatter()(5.0, 0)
    assert all(tick.gridline.get_visible() for tick in error.yaxis.get_minor_ticks())
    monkeypatch.undo()
    plt.close("all")


def test_a_row_may_lack_figures(tmp_path, network):
    """The one of re-estimated statistics has no loss; an older log may lack a column."""
    history = measure_parity(tmp_path, network, [9.0])
    history.on_epoch_end(1, {"val_nme": 4.0, "val_pose_mae": 2.0})
    assert (tmp_path / "log.csv").read_text().splitlines() == [
        "epoch,loss,val_nme,val_pose_mae",
        "0,1.0,9.0,",
        "1,,4.0,2.0",
    ]
    again = History(tmp_path, network)
    assert again.rows == {0: {"loss": 1.0, "val_nme": 9.0}, 1: {"val_nme": 4.0, "val_pose_mae": 2}}
    assert "4.00 % with re-estimated statistics" in again.summary(1)


def test_a_run_without_any_error_says_so(tmp_path, network):
    history = measure_parity(tmp_path, network, [np.nan])
    assert history.summary(1).startswith("no epoch has a validation NME that is a number; see")
    assert not (tmp_path / "best.keras").exists()


@pytest.mark.parametrize(
    "text", ["epoch,loss\nx,1\n", "loss\n1\n", "epoch\n0,1,2\n", "epoch,a\n1,b"]
)
def test_a_damaged_log_is_named(tmp_path, network, text):
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(UserError, match=r"log\.csv is damaged"):
        History(tmp_path, network)


@pytest.fixture
def model(network):
    """A network with the number of finished epochs among its weights."""
    outer = keras.Sequential([network])
    outer.finished = outer.add_weight(shape=(), initializer="zeros", trainable=False, name="n")
    outer.compile("adam", "mse")
    outer.build((None, 4))
    outer.optimizer.build(outer.trainable_variables)
    return outer


def test_the_state_tells_the_epoch_to_go_on_with(tmp_path, model):
    state = State(tmp_path / "state.npz")
    assert state.restore(model) == 0
    state.set_model(model)
    state.on_epoch_begin(3)
    model.finished.assign(0)
    assert state.restore(model) == 3


def test_the_state_is_everything_that_training_changes(tmp_path, model):
    state = State(tmp_path / "state.npz")
    state.set_model(model)
    x = np.ones((8, 4), np.float32)
    model.fit(x, x[:, :1], verbose=0)
    state.on_epoch_begin(1)
    known = [np.array(v) for v in (*model.variables, *model.optimizer.variables)]
    model.fit(x, x[:, :1], verbose=0)
    state.restore(model)
    for before, variable in zip(known, (*model.variables, *model.optimizer.variables), strict=True):
        np.testing.assert_array_equal(np.array(variable), before)


def test_a_full_disk_costs_no_epoch_that_was_saved(tmp_path, model):
    state = State(tmp_path / "state.npz")
    state.set_model(model)
    state.on_epoch_begin(1)
    with full_disk(500), pytest.raises(UserError, match=r"cannot write .*state\.npz"):
        state.on_epoch_begin(2)
    assert state.restore(model) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]


def test_a_full_disk_leaves_the_best_epoch(tmp_path, network):
    history = measure_parity(tmp_path, network, [9.0])
    with full_disk(500), pytest.raises(UserError, match=r"cannot write .*last\.keras"):
        history.on_epoch_end(1, {"val_nme": 4.0})
    assert epoch_of(tmp_path / "best.keras") == 0


def test_the_state_of_another_network_is_refused(tmp_path, model):
    np.savez(tmp_path / "state.npz", np.zeros(3))
    with pytest.raises(UserError, match="another network"):
        State(tmp_path / "state.npz").restore(model)


@pytest.mark.parametrize("keep", [0, 100, 1000])
def test_a_damaged_state_is_named(tmp_path, model, keep):
    state = State(tmp_path / "state.npz")
    state.set_model(model)
    state.on_epoch_begin(3)
    state.path.write_bytes(state.path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"state\.npz is damaged .*remove it"):
        state.restore(model)


def test_json_holds_what_the_run_is_of(tmp_path):
    begin(tmp_path)
    assert json.loads((tmp_path / "run.json").read_text()) == SETTINGS | {"faces": FACES}
