"""The bar of a training, and the lines in its place where there is no terminal."""

import re
from io import BytesIO, StringIO, TextIOWrapper

import numpy as np
import pytest
from rich.console import Console

from asmnet.train.callbacks import ProgressBar


@pytest.fixture
def bar():
    """The bar of 4 epochs of 10 steps, and its row."""
    callback = ProgressBar(epochs=4, steps=10)
    callback.on_train_begin()
    yield callback, callback.bar.tasks[0]
    callback.on_train_end()


def test_the_bar_counts_the_steps_of_all_epochs(bar):
    callback, row = bar
    assert (row.total, row.completed) == (40, 0)
    callback.on_epoch_begin(1)
    assert (row.completed, row.fields["epoch"]) == (10, "2/4")
    callback.on_train_batch_end(4, {"loss": 0.25})
    assert (row.completed, row.fields["loss"]) == (15, 0.25)
    callback.on_train_end()
    assert not callback.bar.live.is_started


def shown(callback):
    """The bar's words, a | for its line."""
    console = Console(file=StringIO(), width=120)
    console.print(callback.bar.get_renderable())
    return " ".join(re.sub("[━╸╺ ]{2,}", " | ", console.file.getvalue(), count=1).split())


def test_the_bar_tells_part_times_and_figures(bar):
    """Time spent and time left, the last loss and the last validation."""
    callback, row = bar
    seconds = row.start_time
    row._get_time = callback.bar.get_time = lambda: seconds
    assert shown(callback) == "epoch | 0 % 0:00:00 left -:--:-- loss nan val NME - %"
    callback.on_epoch_begin(1)
    assert shown(callback) == "epoch 2/4 | 25 % 0:00:00 left -:--:-- loss nan val NME - %"
    for batch in range(10):
        seconds += 2
        callback.on_train_batch_end(batch, {"loss": 0.25})
    callback.on_epoch_end(1, {"loss": 0.5, "val_nme": 4.567})
    assert shown(callback) == "epoch 2/4 | 50 % 0:00:20 left 0:00:40 loss 0.25 val NME 4.57 %"
    callback.on_epoch_begin(3)
    callback.on_train_batch_end(9, {"loss": 0.2})
    assert shown(callback) == "epoch 4/4 | 100 % 0:00:20 left 0:00:00 loss 0.2 val NME 4.57 %"


def test_a_log_file_has_a_line_an_epoch(bar, capsys):
    callback, _ = bar
    callback.on_epoch_begin(1)
    callback.on_epoch_end(1, {"loss": 0.5, "val_nme": 4.567})
    lines = capsys.readouterr().out.splitlines()
    found = [line for line in lines if re.match(r"\d\d:\d\d:\d\d ", line)]
    assert [line[8:] for line in found] == ["  epoch 2/4  loss 0.500  val_nme 4.567"]


def test_a_pipe_has_the_line_at_once(bar, monkeypatch):
    """Who follows a training by its log waits an epoch for each line already."""
    callback, _ = bar
    callback.on_epoch_begin(1)
    written = BytesIO()
    monkeypatch.setattr("sys.stdout", TextIOWrapper(written))
    callback.on_epoch_end(1, {"val_nme": 4.567})
    assert b"epoch 2/4  val_nme 4.567\n" in written.getvalue()


def test_a_terminal_has_the_bar_alone(bar, capsys, monkeypatch):
    callback, _ = bar
    callback.on_epoch_begin(1)
    monkeypatch.setattr(type(callback.bar.console), "is_terminal", True)
    callback.on_epoch_end(1, {"loss": 0.5, "val_nme": 4.567})
    assert "val_nme 4.567" not in capsys.readouterr().out


@pytest.mark.parametrize("logs", [None, {}, {"loss": 1.0}])
def test_without_figures_the_bar_goes_on(bar, capsys, logs):
    callback, row = bar
    callback.on_epoch_begin(0)
    callback.on_train_batch_end(0, {})
    callback.on_epoch_end(0, logs)
    assert row.completed == 1 and np.isnan(row.fields["loss"]) and row.fields["val"] == "-"
    assert "epoch 1/4  " not in capsys.readouterr().out
