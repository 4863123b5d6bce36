"""A run folder: everything that a training leaves behind, and resumes from.

run.json          what was asked for, and of which faces; the same command continues, another
                  is refused
log.csv           one row an epoch; tensorboard/ holds the same
curves.png        loss and validation NME
state.npz         weights, optimizer and epoch in one file, replaced whole each epoch
best.keras        lowest validation NME (the mean, if faces of --extra are held out too);
                  last.keras: the last epoch
shape.npz         the shape model of the ASM term
"""

from __future__ import annotations

import contextlib
import csv
import fcntl
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import matplotlib
import numpy as np
from keras import ops

from asmnet.core import UserError, atomic_path

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.ticker import MaxNLocator, ScalarFormatter  # noqa: E402

__all__ = ["History", "State", "check_run", "open_run", "save_model"]

RECORD = "run.json"
LOCK = ".lock"


def check_run(folder: Path, settings: Mapping[str, Any]) -> bool:
    """Check that a folder is free for a run, or holds one of the same command.

    Args:
        folder: the run's.
        settings: what was asked for, fit for JSON.

    Returns:
        whether the run exists.

    Raises:
        UserError: the folder holds a run with other settings, or something else.
    """
    if (folder / RECORD).exists():
        known = _read_record(folder)
        known.pop("faces")
        for key in sorted(known.keys() | settings.keys()):
            if known.get(key) != settings.get(key):
                raise UserError(
                    f"{folder} holds a run with {key} = {known.get(key)!r}, not "
                    f"{settings.get(key)!r}; repeat its command to go on, or choose a new --run"
                )
        return True
    try:
        other = [path for path in folder.iterdir() if path.name != LOCK]
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UserError(f"cannot use {folder}: {error.strerror}; choose a new --run") from error
    if other:
        raise UserError(f"{folder} is not empty and holds no {RECORD}; choose a new --run folder")
    return False


@contextlib.contextmanager
def open_run(folder: Path, settings: Mapping[str, Any], faces: Mapping[str, Any]) -> Iterator[bool]:
    """Lock a run folder for one training, and make it or check that it belongs to it.

    The lock ends with the process, however that ends.

    Args:
        folder: the run's.
        settings: what was asked for, fit for JSON.
        faces: what tells the data from other data, fit for JSON.

    Yields:
        whether the run existed before.

    Raises:
        UserError: another training runs in the folder, it holds a run with other settings
            or faces, or something else; or it cannot be written.
    """
    check_run(folder, settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error.strerror}; choose a new --run") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"another training runs in {folder}; wait for its end, or choose a new --run"
            ) from None
        resumed = check_run(folder, settings)
        if resumed and (known := _read_record(folder)["faces"]) != faces:
            raise UserError(
                f"the faces or labels are not those that {folder} began with (then "
                f"{_numbers(known)}; now {_numbers(faces)}): give it the old data, or choose a "
                "new --run"
            )
        if not resumed:
            with atomic_path(folder / RECORD) as temporary:
                temporary.write_text(json.dumps({**settings, "faces": faces}, indent=2) + "\n")
        yield resumed


def _numbers(faces: Mapping[str, Any]) -> str:
    return ", ".join(f"{v} {k.replace('_', ' ')}" for k, v in faces.items() if k != "sha256")


def _read_record(folder: Path) -> dict[str, Any]:
    record = folder / RECORD
    try:
        known = json.loads(record.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{record} is damaged ({error}); choose a new --run folder") from error
    if not isinstance(known, dict) or not isinstance(known.get("faces"), dict):
        raise UserError(
            f"{record} does not say which faces its run learns from: it is damaged, or older "
            "than the present split of held-out faces; choose a new --run folder"
        )
    return known


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
            try:
                with path.open(newline="") as file:
                    for row in csv.DictReader(file):
                        self.rows[int(row["epoch"])] = {
                            k: float(v) for k, v in row.items() if k != "epoch" and v
                        }
            except (OSError, csv.Error, ValueError, KeyError, TypeError) as error:
                raise UserError(
                    f"{path} is damaged ({error}); correct it, or choose a new --run"
                ) from error

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:  # noqa: D102
        self.rows = {e: r for e, r in self.rows.items() if e < epoch}
        best = min(self._judged().values(), default=math.inf)
        row = {key: float(value) for key, value in (logs or {}).items()}
        self.rows[epoch] = row
        save_model(self.network, self.folder / "last.keras")
        if self._judged().get(epoch, math.inf) < best:
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
        judged = self._judged()
        if not judged:
            return f"no epoch has a validation NME that is a number; see {self.folder / 'log.csv'}"
        best = min(judged, key=lambda e: judged[e])
        after = "with re-estimated statistics" if best == epochs else f"after epoch {best + 1}"
        error = self.rows[best]["val_nme"]
        return f"validation NME {error:.2f} % {after}: {self.folder / 'best.keras'}"

    def _judged(self) -> dict[int, float]:
        """The validation NME by epoch, where it is a number.

        With held-out faces of `--extra` it is the mean of both: a network for all faces is not
        chosen by those of one kind.
        """
        known = [(e, r) for e, r in self.rows.items() if "val_nme" in r]
        judged = {e: np.mean([v for k, v in r.items() if k.endswith("_nme")]) for e, r in known}
        return {epoch: float(nme) for epoch, nme in judged.items() if math.isfinite(nme)}

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


class State(keras.callbacks.Callback):
    """Resumes an interrupted `fit` from the last whole epoch.

    Everything, the number of finished epochs included, is in one file that is
    replaced atomically: a kill at any moment loses one epoch at most.  It saves
    when the *next* epoch begins, once `History` has recorded the last one and
    the averaged weights have been swapped out again.

    Args:
        path: of the file.
        writes: whether this process saves; of several that train together, one does.
    """

    def __init__(self, path: Path, writes: bool = True):
        super().__init__()
        self.path, self.writes = path, writes

    def restore(self, model: keras.Model) -> int:
        """Load what was saved, if anything.

        Returns:
            the epoch to go on with.

        Raises:
            UserError: the file is damaged, or of another network.
        """
        if not self.path.exists():
            return 0
        variables = self._variables(model)
        try:
            with np.load(self.path) as saved:
                values = [saved[f"arr_{i}"] for i in range(len(saved.files))]
        except Exception as error:  # numpy raises whatever zipfile or zlib raised
            raise UserError(
                f"{self.path} is damaged ({error}); remove it to begin its run again"
            ) from error
        if [v.shape for v in values] != [tuple(v.shape) for v in variables]:
            raise UserError(f"{self.path} is of another network; remove it to begin the run again")
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return int(ops.convert_to_numpy(model.finished))

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:  # noqa: D102
        self.model.finished.assign(epoch)
        if not self.writes:
            return
        values = [ops.convert_to_numpy(v) for v in self._variables(self.model)]
        # Not Keras' own HDF5: on a full disk that library brings the process down.
        with atomic_path(self.path) as temporary, temporary.open("wb") as file:
            np.savez(file, *values)

    @staticmethod
    def _variables(model: keras.Model) -> list[keras.Variable]:
        model.optimizer.build(model.trainable_variables)
        return [*model.variables, *model.optimizer.variables]


def save_model(model: keras.Model, path: Path) -> None:
    """Save a `.keras` file, whole or not at all."""
    with atomic_path(path) as temporary:
        model.save(temporary)
