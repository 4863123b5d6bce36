"""What happens in the sample clip: who stands where, and how the camera moves.

The world is a wall with people along it.  Its unit is a *face*, the side of the
detector's square box around a person's face; its origin is the centre of the
first person's box, x to the right, y down.

A *track* is a tuple of rows ``(second, value, ...)``.  Between two rows every value
follows the minimum-jerk curve (Flash and Hogan, 1985), which starts and ends at rest
as hands and heads do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["FPS", "HEIGHT", "ROOMS", "SCENES", "Scene", "View", "WIDTH", "at", "camera"]

FPS = 30
WIDTH, HEIGHT = 640, 480

Track = tuple[tuple[float, ...], ...]

# Who stands where: x in faces.  The neutral picture, and the smiling one where there is one.
ROOMS: dict[str, dict[str, tuple[float, str, str | None]]] = {
    "wall": {
        "london-094": (0.0, "clip/sources/neutral_094_03.jpg", "clip/sources/smiling_094_08.jpg"),
        "london-096": (8.0, "clip/sources/neutral_096_03.jpg", "clip/sources/smiling_096_08.jpg"),
        "london-030": (16.0, "clip/sources/neutral_030_03.jpg", "clip/sources/smiling_030_08.jpg"),
        "london-092": (22.0, "clip/sources/neutral_092_03.jpg", "clip/sources/smiling_092_08.jpg"),
    },
    "portrait": {"astronaut": (0.0, "portraits/astronaut.jpg", None)},
}


@dataclass(frozen=True)
class View:
    """What one camera sees; two views of a scene share the frame, left and right.

    Attributes:
        camera: track of x, y (the world point at the view's centre, faces), zoom (a
            face's height in parts of the frame's) and roll (degrees clockwise by
            which the picture appears turned).
        smiles: for each person, a track from 0 (neutral) to 1 (the smiling picture).
        centre: x of the view's centre in the frame, in parts of its width.
    """

    camera: Track
    smiles: dict[str, Track]
    centre: float = 0.5


@dataclass(frozen=True)
class Scene:
    """A stretch between two cuts.

    Attributes:
        light: track of gain (a factor on pixel values), warmth (the factor by which red
            gains and blue loses) and side (the gain's slope: +0.4 is 20 % darker at the
            left edge, 20 % brighter at the right).
        noise: track of the sensor noise's standard deviation, pixel values.
        sway: amplitude of the hand-held camera's sway, pixels; 0 is a tripod.
    """

    name: str
    room: str
    seconds: float
    views: tuple[View, ...]
    light: Track = ((0.0, 1.0, 1.0, 0.0),)
    noise: Track = ((0.0, 2.0),)
    sway: float = 0.0


SCENES = (
    Scene(
        name="zoom and roll",
        room="wall",
        seconds=10.5,
        views=(
            View(
                camera=(
                    (1.0, 0.00, -0.12, 0.42, 0),
                    (3.4, 0.00, -0.12, 0.42, 0),
                    (4.8, 0.00, 0.00, 0.70, 0),
                    (5.2, 0.00, 0.00, 0.70, 0),
                    (7.0, 0.10, -0.90, 0.25, 0),
                    (8.0, 0.00, -0.15, 0.48, 0),
                    (8.9, 0.00, -0.15, 0.50, 25),
                    (10.0, 0.00, -0.15, 0.50, -25),
                    (10.5, 0.00, -0.15, 0.50, -25),
                ),
                smiles={"london-094": ((1.1, 0), (1.8, 1), (2.5, 1), (3.3, 0))},
            ),
        ),
    ),
    Scene(
        name="out and back, light, along the wall",
        room="wall",
        seconds=13.0,
        views=(
            View(
                camera=(
                    (0.2, 0.00, -0.10, 0.45, 0),
                    (1.5, -3.00, -0.20, 0.45, 0),
                    (2.0, -3.10, -0.25, 0.44, 0),
                    (3.3, 0.00, -0.10, 0.44, 0),
                    (4.4, 0.15, -0.05, 0.50, 4),
                    (5.6, -0.10, -0.10, 0.50, -4),
                    (6.2, 0.00, -0.10, 0.46, 0),
                    (7.7, 3.70, -0.40, 0.42, 0),
                    (9.3, 4.50, -0.35, 0.42, 3),
                    (10.7, 8.10, -0.12, 0.44, 2),
                    (13.0, 7.95, -0.10, 0.55, -2),
                ),
                smiles={
                    "london-094": ((0.0, 0),),
                    "london-096": ((11.0, 0), (11.6, 1), (12.2, 1), (12.9, 0)),
                },
            ),
        ),
        light=(
            (3.2, 1.00, 1.00, 0.0),
            (3.8, 0.45, 1.00, 0.0),
            (4.3, 0.45, 1.00, 0.0),
            (4.8, 0.95, 1.15, 0.0),
            (5.2, 0.95, 1.15, 0.0),
            (5.7, 0.85, 1.00, 0.9),
            (6.2, 0.85, 1.00, 0.9),
            (7.6, 1.00, 1.00, 0.0),
        ),
        noise=((3.2, 2), (3.8, 5), (4.3, 5), (4.8, 2), (10.8, 2), (11.2, 6)),
        sway=1.2,
    ),
    Scene(
        name="two faces",
        room="wall",
        seconds=4.5,
        views=(
            View(
                camera=(
                    (0.3, 16.0, -0.32, 0.36, 0),
                    (1.6, 16.1, -0.22, 0.42, 8),
                    (3.0, 15.9, -0.36, 0.36, -6),
                    (4.5, 16.0, -0.30, 0.38, 0),
                ),
                smiles={"london-030": ((0.6, 0), (1.3, 1), (2.2, 1), (3.0, 0))},
                centre=0.25,
            ),
            View(
                camera=(
                    (0.0, 22.0, -0.22, 0.40, -3),
                    (2.2, 21.9, -0.44, 0.33, 5),
                    (4.2, 21.95, -0.27, 0.39, -8),
                ),
                smiles={"london-092": ((2.4, 0), (3.1, 1), (3.7, 1), (4.4, 0))},
                centre=0.75,
            ),
        ),
        light=((0.0, 0.95, 1.04, -0.25),),
        sway=0.8,
    ),
    Scene(
        name="portrait",
        room="portrait",
        seconds=2.0,
        views=(
            View(
                camera=((0.0, 0.15, 0.45, 0.32, 0), (2.0, 0.0, 0.20, 0.44, -4)),
                smiles={"astronaut": ((0.0, 0),)},
            ),
        ),
        noise=((0.0, 1.5),),
        sway=0.8,
    ),
)


def at(track: Track, second: float) -> np.ndarray:
    """The track's values at a time, float64; constant before its first row and after its last."""
    rows = np.asarray(track, np.float64)
    i = int(np.searchsorted(rows[:, 0], second))
    if i == 0 or i == len(rows):
        return rows[min(i, len(rows) - 1), 1:]
    (start, *old), (end, *new) = rows[i - 1], rows[i]
    s = (second - start) / (end - start)
    ease = s**3 * (10 - 15 * s + 6 * s**2)
    return np.asarray(old) + ease * (np.asarray(new) - old)


def camera(scene: Scene, view: View, second: float) -> np.ndarray:
    """(3, 3) float64 similarity from world (faces) to frame pixels, `second` into the scene."""
    x, y, zoom, roll = at(view.camera, second)
    # Frequencies without a common period: a sway that does not repeat within the scene.
    phase = 2 * np.pi * second + view.centre
    sway = scene.sway * np.array(
        [
            np.sin(0.61 * phase) + 0.4 * np.sin(1.93 * phase),
            np.sin(0.83 * phase) + 0.4 * np.sin(2.27 * phase),
        ]
    )
    scale, angle = zoom * HEIGHT, np.radians(roll)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([view.centre * WIDTH - 0.5, (HEIGHT - 1) / 2]) + sway
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = turn, middle - turn @ (x, y)
    return matrix
