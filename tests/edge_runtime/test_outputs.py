"""No output takes the place of an input or of another output."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from asmnet.core import UserError
from asmnet.edge_runtime.io.outputs import refuse_overwriting
from asmnet.edge_runtime.webcam import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a video under several names, and a folder of pictures."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "video.mp4").write_bytes(b"precious")
    (tmp_path / "symbolic.mp4").symlink_to("video.mp4")
    os.link("video.mp4", "hard.mp4")
    (tmp_path / "pictures").mkdir()
    cv2.imwrite("pictures/a.png", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "link").symlink_to("pictures")
    return tmp_path


def refuse(source: str, stills: str | None = None, **files: str) -> None:
    options = {f"--{option}": name for option, name in files.items()}
    refuse_overwriting(source, "model.tflite", options, stills)


@pytest.mark.parametrize(
    "name",
    ["video.mp4", "./video.mp4", "pictures/../video.mp4", "symbolic.mp4", "hard.mp4", "ABSOLUTE"],
)
@pytest.mark.parametrize("source", ["video.mp4", "file:video.mp4", "file://ABSOLUTE"])
def test_the_source_is_not_overwritten(source: str, name: str, folder: Path):
    place = str(folder / "video.mp4")
    with pytest.raises(UserError, match="--jsonl .* would overwrite --source .*; give another"):
        refuse(source.replace("ABSOLUTE", place), jsonl=name.replace("ABSOLUTE", place))


@pytest.mark.parametrize("same", ["new.txt", "./new.txt", "link/../new.txt", "linked.txt"])
def test_two_outputs_are_two_files(same: str, folder: Path):
    (folder / "linked.txt").symlink_to("new.txt")
    with pytest.raises(UserError, match=r"--csv .* would overwrite --jsonl new\.txt"):
        refuse("0", jsonl="new.txt", csv=same)


def test_the_model_is_not_overwritten(folder: Path):
    with pytest.raises(UserError, match=r"--record model\.tflite would overwrite --model"):
        refuse("0", record="model.tflite")


@pytest.mark.parametrize("name", ["pictures/a.png", "link/a.png", "pictures/new.JPG"])
def test_pictures_of_the_source_are_not_overwritten(name: str, folder: Path):
    with pytest.raises(UserError, match="is among the pictures of --source pictures"):
        refuse("pictures", jsonl=name)


@pytest.mark.parametrize(
    ("source", "stills", "files"),
    [
        ("pictures", "link", {}),
        ("pictures/frame-000001.jpg", "pictures", {}),
        ("0", "pictures", {"jsonl": "link/frame-000001.jpg"}),
    ],
)
def test_stills_overwrite_nothing(source: str, stills: str, files: dict[str, str], folder: Path):
    with pytest.raises(UserError, match=f"--stills {stills} would overwrite .*; give another fol"):
        refuse(source, stills, **files)


def test_places_of_their_own_are_fine(folder: Path):
    refuse("video.mp4", "stills", jsonl="a.jsonl", csv="a.csv", record="a.mp4")
    refuse("pictures", "stills", jsonl="pictures/a.jsonl")
    refuse("video.mp4", ".", jsonl="a.jsonl")
    refuse("rtsp://camera/live", "stills", jsonl="a.jsonl")


def test_the_command_asks_first(folder: Path, model: Path, refused):
    sentence = refused(main, "--headless", "--model", model, "--source", "video.mp4",
                       "--jsonl", "new.jsonl", "--csv", "symbolic.mp4")  # fmt: skip
    assert "--csv symbolic.mp4 would overwrite --source video.mp4" in sentence
    assert (folder / "video.mp4").read_bytes() == b"precious"
    assert not (folder / "new.jsonl").exists()
