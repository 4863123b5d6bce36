"""`asmnet-batch`: a folder of videos and pictures, each to a table of its own, and one summary.

A file's table and then its line of the summary are written whole or not at all, so a batch that is
killed goes on where it was, and ends with the same bytes.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from asmnet.cli.options import MODELS, model_option
from asmnet.core import (
    FIELD_OF_VIEW,
    IBUG68,
    IMAGE_SUFFIXES,
    UserError,
    atomic_path,
    cli_errors,
    parse_json,
    to_scheme,
)
from asmnet.edge_runtime.detector import FaceDetector
from asmnet.edge_runtime.io.sinks import CsvWriter, record_line
from asmnet.edge_runtime.io.sources import Frame, frames_from
from asmnet.edge_runtime.landmarker import Face, Landmarker
from asmnet.edge_runtime.tracking.tracker import FaceTracker

__all__ = ["main"]

_VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")
_SUFFIXES = (*IMAGE_SUFFIXES, *_VIDEOS)
_SUMMARY = ("file", "frames", "faces", "seconds", "fps", "failure")
_SETTINGS = "batch.json"
_tracker: FaceTracker


@click.command(epilog=MODELS)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--out", "-o", required=True, type=click.Path(path_type=Path), help="Folder of the tables."
)
@model_option
@click.option("--faces", default=1, show_default=True, type=click.IntRange(1, 20))
@click.option("--format", "layout", default="csv", type=click.Choice(["csv", "openface"]))
@click.option("--fov", default=FIELD_OF_VIEW, show_default=True, type=click.FloatRange(1, 170))
@click.option("--workers", type=click.IntRange(1, 256), help="Processes; default: all cores.")
@cli_errors()
def main(
    folder: Path, out: Path, model: str, faces: int, layout: str, fov: float, workers: int | None
) -> None:
    """Track the faces of all videos and pictures in FOLDER and its sub-folders.

    Each FILE becomes OUT/FILE.csv. OUT/summary.csv has a line for each, with what went wrong
    where a file could not be read. Stopped or killed, the same command goes on.
    """
    settings: dict[str, Any] = {"model": model, "faces": faces, "format": layout, "fov": fov}
    files = _files(folder, out)
    Landmarker.load(model)  # what is wrong with it is told once, and now
    _settle(out, settings)
    todo = [name for name in files if not _line_of(out, name).exists()]
    if todo:
        _track_all(folder, out, todo, settings, workers or os.cpu_count() or 1)
    lines = [_read(_line_of(out, name)) for name in files]
    with atomic_path(out / "summary.csv") as path, path.open("w", newline="") as file:
        table = csv.DictWriter(file, _SUMMARY)
        table.writeheader()
        table.writerows(lines)
    failed = sum(bool(line["failure"]) for line in lines)
    click.echo(f"files: {len(files)}, failed: {failed}; {out / 'summary.csv'}")


def _track_all(
    folder: Path, out: Path, todo: list[str], settings: dict[str, Any], workers: int
) -> None:
    """Share the files among workers; tell after each how far it is."""
    started, spawn = time.monotonic(), multiprocessing.get_context("spawn")
    count = min(workers, len(todo))
    with futures.ProcessPoolExecutor(count, spawn, _start, (settings,)) as pool:
        try:
            jobs = [pool.submit(_track, folder, out, name, settings["format"]) for name in todo]
            for done, job in enumerate(futures.as_completed(jobs), start=1):
                left = (time.monotonic() - started) / done * (len(todo) - done)
                click.echo(f"{done} of {len(todo)}, {left:.0f} s left: {job.result()}", err=True)
        except BrokenProcessPool as error:
            raise UserError("a worker was killed, memory?; repeat the command to go on") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _files(folder: Path, out: Path) -> list[str]:
    """Names of videos and pictures, from `folder`, sorted."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder; give one that holds videos or pictures")
    if out.resolve() == folder.resolve():
        raise UserError(f"--out {out} is the folder that is read; give another")
    found = (path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    names = sorted(str(path.relative_to(folder)) for path in found if path.is_file())
    if not names:
        raise UserError(f"{folder} holds no videos or pictures ({', '.join(_SUFFIXES)})")
    return names


def _settle(out: Path, settings: dict[str, Any]) -> None:
    """Keep the settings, or refuse to go on with others."""
    kept = out / _SETTINGS
    if not kept.exists():
        with atomic_path(kept) as path:
            path.write_text(json.dumps(settings))
    elif _read(kept) != settings:
        raise UserError(f"{out} was begun with other options ({kept}); give another --out")


def _read(path: Path) -> dict[str, Any]:
    """A JSON object that an earlier run kept."""
    try:
        known: dict[str, Any] = dict(parse_json(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{path} is damaged ({error}); remove it, and repeat the command"
        ) from error
    return known


def _line_of(out: Path, name: str) -> Path:
    return out / ".lines" / f"{name}.json"


def _start(settings: dict[str, Any]) -> None:
    """A worker: one process, one thread, its networks loaded once."""
    global _tracker
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    _tracker = FaceTracker(
        Landmarker.load(settings["model"]),
        FaceDetector.load(),
        settings["faces"],
        fov=settings["fov"],
    )


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _track(folder: Path, out: Path, name: str, layout: str) -> str:
    """Make one file's table and its line of the summary."""
    line: dict[str, Any] = dict.fromkeys(_SUMMARY, "") | {"file": name, "frames": 0, "faces": 0}
    try:
        with atomic_path(out / f"{name}.csv") as path:
            write = _openface if layout == "openface" else _table
            write(path, _frames(folder / name, line))
    except UserError as error:
        line["failure"] = str(error)
    kept = _line_of(out, name)
    with atomic_path(kept) as path:
        path.write_text(json.dumps(line))
    return name


def _frames(source: Path, line: dict[str, Any]) -> Iterator[tuple[Frame, list[Face]]]:
    """The frames of a file with their faces; counts them in its line of the summary."""
    # A tracker of its own: numbers of faces must not depend on the files before.
    last = _tracker
    tracker = FaceTracker(last.landmarker, last.detector, last.max_faces, fov=last.fov)
    with frames_from(source) as frames:
        for frame in frames:
            faces = tracker.update(frame.image, frame.t)
            line["frames"] += 1
            line["faces"] += len(faces)
            line["fps"] = round(frame.fps, 3)
            line["seconds"] = round(frame.t, 3)
            yield frame, faces


def _table(path: Path, frames: Iterator[tuple[Frame, list[Face]]]) -> None:
    """The table of `asmnet track --csv`."""
    points = _tracker.landmarker.spec.landmark_scheme.count
    with CsvWriter(path, points) as table:
        for frame, faces in frames:
            table.write(record_line(frame, faces))


def _openface(path: Path, frames: Iterator[tuple[Frame, list[Face]]]) -> None:
    """OpenFace's columns and units, without gaze, action units and 3-D landmarks.

    Its axes are the camera's, x right, y down, z ahead, and R = Rx Ry Rz: so Rx is minus our
    pitch, Ry our yaw, Rz our roll.  A frame without a face is a row with success 0.
    """
    columns = ["frame", "face_id", "timestamp", "confidence", "success"]
    columns += ["pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz"]
    columns += [f"{axis}_{k}" for axis in "xy" for k in range(IBUG68.count)]
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        for frame, faces in frames:
            number, t = frame.index + 1, round(frame.t, 3)
            for face in faces:
                table.writerow(_openface_row(number, t, face))
            if not faces:
                table.writerow([number, 0, t, 0, 0, *[0] * (len(columns) - 5)])


def _openface_row(number: int, t: float, face: Face) -> list[Any]:
    assert face.position is not None  # the tracker's
    yaw, pitch, roll = np.radians(face.pose)
    points = to_scheme(face.landmarks, IBUG68)
    numbers = [*face.position, -pitch, yaw, roll, *points[:, 0], *points[:, 1]]
    rounded = [round(float(value), 3) for value in numbers]
    return [number, face.id, t, round(face.score or 0.0, 3), 1, *rounded]
