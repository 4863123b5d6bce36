"""Make `clip/faces.mp4` and its truth `clip/faces.json` from the pictures that ship here.

    pip install -e '.[samples]'
    python -m tools.sample_clip.make_clip

Real faces, known motion: the virtual camera of `scenes.py` roams over the wall of
`wall.py`, with exposure time, light and sensor noise.  `samples/README.md` explains
the truth's fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from asmnet import samples
from asmnet.core import UserError, atomic_path, cli_errors
from asmnet.edge_runtime.detector import FaceDetector
from tools.sample_clip.person import Person
from tools.sample_clip.scenes import FPS, HEIGHT, ROOMS, SCENES, WIDTH, Scene, View, at, camera
from tools.sample_clip.wall import Room

__all__ = ["main", "make_rooms", "render"]

_HERE = Path(samples.__file__).parent
_SEED = 68
_SHUTTER = 0.25  # exposure, in parts of the frame's time
_EXPOSURES = 4  # pictures averaged into one frame
_SEAM = 64  # frame pixels over which two views blend
# One thread and no version stamps: the same input gives the same bytes.
_X264 = "-crf 20 -preset slow -threads 1 -movflags +faststart -fflags +bitexact -flags:v +bitexact"


def _view(room: Room, scene: Scene, view: View, second: float) -> np.ndarray:
    """(HEIGHT, WIDTH, 3) float32: one view, motion-blurred around `second`."""
    # Twice the size, then averaged: zoomed-out faces must not shimmer.
    double = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
    total = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for part in (np.arange(_EXPOSURES) + 0.5) / _EXPOSURES - 0.5:
        world = camera(scene, view, second + part * _SHUTTER / FPS)
        matrix = double @ world @ np.linalg.inv(room.to_canvas)
        large = cv2.warpAffine(
            room.canvas,
            matrix[:2],
            (2 * WIDTH, 2 * HEIGHT),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        total += cv2.resize(large, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return total / _EXPOSURES


def _faces(room: Room, scene: Scene, view: View, second: float) -> Iterator[dict[str, Any]]:
    """The truth of the people at least partly seen in a view."""
    for name, track in view.smiles.items():
        matrix = camera(scene, view, second) @ room.to_world[name]
        left, top, right, bottom = room.people[name].box
        x, y = (matrix @ [(left + right) / 2, (top + bottom) / 2, 1])[:2]
        half = (right - left) / 2 * np.hypot(matrix[0, 0], matrix[1, 0])
        inside = [
            max(0.0, min(c + half, edge - 0.5) - max(c - half, -0.5)) / (2 * half)
            for c, edge in ((x, WIDTH), (y, HEIGHT))
        ]
        visible = inside[0] * inside[1]
        if visible > 0:
            yield {
                "person": name,
                "transform": np.round(matrix[:2], 5).tolist(),
                "box": np.round([x - half, y - half, x + half, y + half], 2).tolist(),
                "visible": round(visible, 4),
                "face_expected": bool(visible >= 0.9),
                "smile": round(float(at(track, second)[0]), 4),
            }


def render(rooms: dict[str, Room]) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Every frame (HEIGHT, WIDTH, 3) uint8 BGR with its truth."""
    random = np.random.default_rng(_SEED)
    x = np.arange(WIDTH) / (WIDTH - 1) - 0.5
    left = 0.5 - 0.5 * np.sin(np.clip((np.arange(WIDTH) - WIDTH / 2) / _SEAM, -0.5, 0.5) * np.pi)
    index = 0
    for scene in SCENES:
        room = rooms[scene.room]
        for step in range(round(scene.seconds * FPS)):
            second = step / FPS
            for view in scene.views:
                for name, track in view.smiles.items():
                    room.show(name, float(at(track, second)[0]))
            seen = [_view(room, scene, view, second) for view in scene.views]
            frame = seen[0]
            if len(seen) == 2:
                frame = seen[1] + left[:, None].astype(np.float32) * (seen[0] - seen[1])
            gain, warmth, side = at(scene.light, second)
            (noise,) = at(scene.noise, second)
            light = gain * (1 + side * x)[:, None] * np.array([1 / warmth, 1, warmth])
            frame = frame * light + noise * random.standard_normal(frame.shape, np.float32)
            faces = [f for view in scene.views for f in _faces(room, scene, view, second)]
            truth = {
                "index": index,
                "t": round(index / FPS, 4),
                "scene": scene.name,
                "light": {
                    "gain": round(gain, 4),
                    "warmth": round(warmth, 4),
                    "side": round(side, 4),
                },
                "noise": round(noise, 3),
                "faces": faces,
            }
            yield np.clip(frame + 0.5, 0, 255).astype(np.uint8), truth
            index += 1


def make_rooms(detector: FaceDetector) -> dict[str, Room]:
    """The rooms of `scenes.py`, furnished with their people."""
    rooms = {}
    for room, people in ROOMS.items():
        rooms[room] = Room(
            {
                name: (x, Person(_HERE / neutral, _HERE / smiling if smiling else None, detector))
                for name, (x, neutral, smiling) in people.items()
            },
            _SEED,
        )
    return rooms


def _truth(rooms: dict[str, Room], frames: list[dict[str, Any]]) -> str:
    """The JSON document, one frame a line."""
    sources = {
        name: {
            "neutral": neutral,
            "smiling": smiling,
            "box": np.round(rooms[room].people[name].box, 3).tolist(),
        }
        for room, people in ROOMS.items()
        for name, (_, neutral, smiling) in people.items()
    }
    head = {
        "fps": FPS,
        "width": WIDTH,
        "height": HEIGHT,
        "count": len(frames),
        "seed": _SEED,
        "shutter_s": round(_SHUTTER / FPS, 5),
        "sources": sources,
    }
    lines = ",\n".join(json.dumps(frame, separators=(",", ":")) for frame in frames)
    return json.dumps(head, indent=1)[:-2] + ',\n "frames": [\n' + lines + "\n]}\n"


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=samples.CLIP,
    help="The clip; its truth goes beside it as .json.  [default: the shipped one]",
)
@cli_errors(extra="samples")
def main(output: Path) -> None:
    """Render the sample clip and its truth."""
    if output.suffix != ".mp4":
        raise UserError(f"{output} is no .mp4 file; name the clip like faces.mp4")
    import imageio_ffmpeg  # not in the base install

    cv2.setNumThreads(1)
    rooms = make_rooms(FaceDetector.load())
    total = sum(round(scene.seconds * FPS) for scene in SCENES)
    truth = []
    with atomic_path(output) as video, atomic_path(output.with_suffix(".json")) as document:
        writer = imageio_ffmpeg.write_frames(
            str(video),
            (WIDTH, HEIGHT),
            pix_fmt_in="bgr24",
            fps=FPS,
            codec="libx264",
            pix_fmt_out="yuv420p",
            quality=None,
            macro_block_size=16,
            output_params=_X264.split(),
        )
        writer.send(None)
        with click.progressbar(render(rooms), length=total, label="frames") as frames:
            for frame, row in frames:
                writer.send(np.ascontiguousarray(frame))
                truth.append(row)
        writer.close()
        document.write_text(_truth(rooms, truth), encoding="utf-8")
    print(f"{output}: {len(truth)} frames, {output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
