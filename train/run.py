"""A run folder: everything that a training leaves behind, and resumes from.

run.json          what was asked for; the same command continues, another is refused
log.csv           one row an epoch; tensorboard/ holds the same
curves.png        loss and validation NME
state.weights.h5  weights, optimizer and epoch in one file, replaced whole each epoch
best.keras        lowest validation NME; last.keras: the last epoch
shape.npz         the shape model of the ASM term
"""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import keras
import matplotlib

from asmnet.core import UserError, atomic_path

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.ticker import MaxNLocator, ScalarFormatter  # noqa: E402
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn  # noqa: E402

__all__ = ["History", "ProgressBar", "State", "open_run", "save_model"]


def open_run(folder: Path, config: dict[str, Any]) -> bool:
    """Create a run folder, or check that it belongs to the same command.

    Returns:
        whether the run existed before.

    Raises:
        UserError: the folder holds a run with other settings, or something else.
    """
    record = folder / "run.json"
    if record.exists():
        try:
            known = json.loads(record.read_text())
        except ValueError as error:
            raise UserError(f"{record} is damaged ({error}); choose a new --run folder") from error
        for key in sorted(known.keys() | config.keys()):
            if known.get(key) != config.get(key):
                raise UserError(
                    f"{folder} holds a run with {key} = {known.get(key)!r}, not "
                    f"{config.get(key)!r}; repeat its command to go on, or choose a new --run"
                )
        return True
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty and holds no run.json; choose a new --run folder")
    with atomic_path(record) as temporary:
        temporary.write_text(json.dumps(config, indent=2) + "\n")
    return False


class History(keras.callbacks.Callback):
    """Keeps `log.csv`, `curves.png`, `best.keras` and `last.keras` up to date.

    An epoch that is repeated after a kill replaces its row.
    """

    def __init__(self, folder: Path, network: keras.Model):
        super().__init__()
        self.folder, self.network = folder, network
        self.rows: dict[int, dict[str, float]] = {}
        path = folder / "log.csv"
        if path.exists():
            with path.open(newline="") as file:
                for row in csv.DictReader(file):
                    self.rows[int(row["epoch"])] = {
                        k: float(v) for k, v in row.items() if k != "epoch" and v
                    }

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:  # noqa: D102
        self.rows = {e: r for e, r in self.rows.items() if e < epoch}
        best = min((r["val_nme"] for r in self.rows.values() if "val_nme" in r), default=None)
        row = {key: float(value) for key, value in (logs or {}).items()}
        self.rows[epoch] = row
        save_model(self.network, self.folder / "last.keras")
        if "val_nme" in row and (best is None or row["val_nme"] < best):
            save_model(self.network, self.folder / "best.keras")
        columns = ["epoch", *dict.fromkeys(key for r in self.rows.values() for key in r)]
        with atomic_path(self.folder / "log.csv") as temporary, temporary.open("w") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            for number, values in sorted(self.rows.items()):
                writer.writerow({"epoch": number, **values})
        self._plot()

    def reached(self, epoch: int) -> bool:
        """Whether the 0-based `epoch` has its row."""
        return epoch in self.rows

    def summary(self, epochs: int) -> str:
        """One sentence on the outcome."""
        judged = {e: r["val_nme"] for e, r in self.rows.items() if "val_nme" in r}
        best = min(judged, key=lambda e: judged[e])
        after = "with re-estimated statistics" if best == epochs else f"after epoch {best + 1}"
        return f"validation NME {judged[best]:.2f} % {after}: {self.folder / 'best.keras'}"

    def _plot(self) -> None:
        figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
        epochs = [epoch + 1 for epoch in sorted(self.rows)]
        left.plot(epochs, [self.rows[e - 1].get("loss") for e in epochs])
        left.set(xlabel="epoch", ylabel="loss", title="training loss")
        right.plot(epochs, [self.rows[e - 1].get("val_nme") for e in epochs], color="tab:orange")
        right.set(xlabel="epoch", ylabel="NME, %", title="validation NME", yscale="log")
        right.yaxis.set_major_formatter(ScalarFormatter())
        right.yaxis.set_minor_formatter(ScalarFormatter())
        for axis in (left, right):
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            axis.grid(alpha=0.3, which="both")
        with atomic_path(self.folder / "curves.png") as temporary:
            figure.savefig(temporary, dpi=110)
        plt.close(figure)


class ProgressBar(keras.callbacks.Callback):
    """One bar for the whole run: time left, loss and validation NME."""

    def __init__(self, epochs: int, steps: int):
        super().__init__()
        self.epochs, self.steps = epochs, steps
        self.val = "-"

    def on_train_begin(self, logs: dict | None = None) -> None:  # noqa: D102
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("loss {task.fields[loss]:.3g}  val NME {task.fields[val]} %"),
        )
        self.task = self.bar.add_task(
            "train", total=self.epochs * self.steps, epoch="", loss=float("nan"), val="-"
        )
        self.bar.start()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:  # noqa: D102
        self.base = epoch * self.steps
        self.bar.update(self.task, completed=self.base, epoch=f"{epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:  # noqa: D102
        loss = float((logs or {}).get("loss", "nan"))
        self.bar.update(self.task, completed=self.base + batch + 1, loss=loss)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:  # noqa: D102
        if logs and "val_nme" in logs:
            self.bar.update(self.task, val=f"{logs['val_nme']:.2f}")
            if not self.bar.console.is_terminal:
                spent = time.strftime("%H:%M:%S")
                figures = "  ".join(f"{key} {value:.3f}" for key, value in logs.items())
                print(f"{spent}  epoch {epoch + 1}/{self.epochs}  {figures}", flush=True)

    def on_train_end(self, logs: dict | None = None) -> None:  # noqa: D102
        self.bar.stop()


class State(keras.callbacks.Callback):
    """Resumes an interrupted `fit` from the last whole epoch.

    Everything, the number of finished epochs included, is in one file that is
    replaced atomically: a kill at any moment loses one epoch at most.  It saves
    when the *next* epoch begins, once `History` has recorded the last one and
    the averaged weights have been swapped out again.
    """

    def __init__(self, path: Path):
        super().__init__()
        self.path = path

    def restore(self, model: keras.Model) -> int:
        """Load what was saved, if anything; returns the epoch to go on with."""
        if not self.path.exists():
            return 0
        model.optimizer.build(model.trainable_variables)
        model.load_weights(self.path)
        return int(model.finished.numpy() if hasattr(model.finished, "numpy") else model.finished)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:  # noqa: D102
        self.model.finished.assign(epoch)
        with atomic_path(self.path) as temporary:
            self.model.save_weights(temporary, overwrite=True)


def save_model(model: keras.Model, path: Path) -> None:
    """Save a `.keras` file, whole or not at all."""
    with atomic_path(path) as temporary:
        model.save(temporary)
