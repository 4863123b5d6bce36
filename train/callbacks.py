"""What happens around the epochs of a training: the ASM term's weight, figures, a bar."""

from __future__ import annotations

import time
from collections.abc import Sequence

import keras
import numpy as np
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from asmnet.core import Scheme, nme, pose_mae
from asmnet.data.faces import LabelledFace
from asmnet.data.images import crop_faces, poses_of
from asmnet.train.asm_model import predict
from asmnet.train.loss import alpha_at

__all__ = ["ProgressBar", "Schedule", "Validation"]


class Schedule(keras.callbacks.Callback):
    """Sets the ASM term's weight for the epoch.

    Fine-tuning of a trained network stays in the schedule's last third: going back
    to the smooth shapes would undo its details.
    """

    def __init__(self, epochs: int, fine_tuning: bool):
        super().__init__()
        self.epochs, self.fine_tuning = epochs, fine_tuning

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:  # noqa: D102
        third = self.epochs - 1 if self.fine_tuning else epoch
        self.model.alpha.assign(alpha_at(third, self.epochs))


class Validation(keras.callbacks.Callback):
    """Adds the validation figures of each epoch to its logs; first among the observers.

    Args:
        network: the network to judge.
        faces, scheme: held-out faces.
        margin: of the crops.
        name: what its figures' names begin with.
    """

    def __init__(
        self,
        network: keras.Model,
        faces: Sequence[LabelledFace],
        scheme: Scheme,
        margin: float,
        name: str = "val",
    ):
        super().__init__()
        self.network, self.scheme, self.name = network, scheme, name
        self.images, self.points, _ = crop_faces(faces, network.input_shape[1], margin)
        self.pose = poses_of(faces)

    def measure(self) -> dict[str, float]:
        """Mean NME in % and, where poses are known, the mean of their MAE in degrees."""
        found, angles = predict(self.network, self.images)
        figures = {f"{self.name}_nme": float(nme(found, self.points, self.scheme).mean())}
        known = ~np.isnan(self.pose).any(axis=1)
        if known.any():
            figures[f"{self.name}_pose_mae"] = float(
                pose_mae(angles[known], self.pose[known]).mean()
            )
        return figures

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:  # noqa: D102
        if logs is not None:
            logs.update(self.measure())


class ProgressBar(keras.callbacks.Callback):
    """One bar for the whole run: time left, loss and validation NME."""

    def __init__(self, epochs: int, steps: int):
        super().__init__()
        self.epochs, self.steps = epochs, steps

    def on_train_begin(self, logs: dict | None = None) -> None:  # noqa: D102
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
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
