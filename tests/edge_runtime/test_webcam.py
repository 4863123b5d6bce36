"""`asmnet-webcam` as its users meet it."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from asmnet import models, samples
from asmnet.edge_runtime import frames_from
from asmnet.edge_runtime.webcam import main


def run(*arguments: object) -> str:
    result = CliRunner().invoke(main, ["--headless", *(str(a) for a in arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_pictures_are_annotated_and_written_down(model: Path, tmp_path: Path):
    jsonl, video, stills = tmp_path / "a.jsonl", tmp_path / "a.mp4", tmp_path / "stills"
    text = run("--source", samples.PORTRAITS, "--model", model, "--jsonl", jsonl,
               "--record", video, "--stills", stills)  # fmt: skip
    assert "3 frames" in text and "3 of them with a face" in text and str(video) in text
    lines = lines_of(jsonl)
    assert [line["source"] for line in lines] == sorted(os.listdir(samples.PORTRAITS))
    for line, path in zip(lines, sorted(samples.PORTRAITS.iterdir()), strict=True):
        (face,) = line["faces"]
        assert len(face["landmarks"]) == 68
        picture = cv2.imread(str(path))
        assert line["size"] == [picture.shape[1], picture.shape[0]]
    assert len(list(stills.iterdir())) == 3
    # One second each.
    assert sum(1 for _ in frames_from(video)) == pytest.approx(
        2 * frames_from(video).__next__().fps + 1
    )


def test_a_picture_without_a_face_is_an_answer_not_an_error(model: Path, tmp_path: Path):
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((200, 300, 3), 128, np.uint8))
    text = run("--source", tmp_path / "wall.png", "--model", model, "--jsonl", tmp_path / "a.jsonl")
    assert "0 of them with a face" in text
    assert lines_of(tmp_path / "a.jsonl")[0]["faces"] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_playable_files(model: Path, tmp_path: Path, number: int):
    jsonl, video = tmp_path / "a.jsonl", tmp_path / "a.mp4"
    process = subprocess.Popen(
        [sys.executable, "-c", "from asmnet.edge_runtime.webcam import main; main()",
         "--source", "demo", "--headless", "--model", model, "--jsonl", jsonl, "--record", video],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (jsonl.exists() and jsonl.read_text().count("\n") > 20):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(number)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in errors and "wrote" in out
    count = len(lines_of(jsonl))
    assert 20 < count < 900
    assert sum(1 for _ in frames_from(video)) == count
    assert sorted(os.listdir(tmp_path)) == ["a.jsonl", "a.mp4"]


def test_being_killed_leaves_all_but_the_last_second(model: Path, tmp_path: Path):
    jsonl, video = tmp_path / "a.jsonl", tmp_path / "a.mp4"
    with subprocess.Popen(
        [sys.executable, "-c", "from asmnet.edge_runtime.webcam import main; main()",
         "--source", "demo", "--headless", "--model", model, "--jsonl", jsonl, "--record", video],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            deadline = time.monotonic() + 120
            while not (jsonl.exists() and jsonl.read_text().count("\n") > 50):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.005)
        finally:
            process.kill()
    count = len(lines_of(jsonl))
    assert count - 30 <= sum(1 for _ in frames_from(video)) <= count
    assert sorted(os.listdir(tmp_path)) == ["a.jsonl", "a.mp4"]


@pytest.mark.parametrize(
    ("limit", "others"),
    [(100_000, ["a.jsonl", "a.mp4"]), (50_000, ["a.jsonl", "a.mp4", "stills"])],
    ids=["in the recording", "in a still"],
)
def test_a_full_disk_is_one_sentence_and_all_outputs_are_whole(
    limit: int, others: list[str], model: Path, tmp_path: Path, refused
):
    """No file can grow beyond the limit."""
    options = {"a.jsonl": "--jsonl", "a.mp4": "--record", "stills": "--stills"}
    outputs = [part for name in others for part in (options[name], tmp_path / name)]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        sentence = refused(main, "--headless", "--source", "demo", "--model", model,
                           "--every", 0, *outputs)  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "cannot write" in sentence and "File too large" in sentence
    lines = len(lines_of(tmp_path / "a.jsonl"))
    assert lines > 0
    if "stills" not in others:
        assert lines - 40 < sum(1 for _ in frames_from(tmp_path / "a.mp4")) <= lines
    assert set(os.listdir(tmp_path)) <= set(others)


def test_a_source_that_breaks_off_keeps_what_was_read(model: Path, tmp_path: Path, refused):
    good = (samples.PORTRAITS / "astronaut.jpg").read_bytes()
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(good)
    (folder / "b.jpg").write_bytes(good[:5000])
    jsonl, video = tmp_path / "a.jsonl", tmp_path / "a.mp4"
    sentence = refused(main, "--headless", "--source", folder, "--model", model, "--jsonl", jsonl,
                       "--record", video)  # fmt: skip
    assert "b.jpg is truncated" in sentence
    assert len(lines_of(jsonl)) == 1 and len(list(frames_from(video))) == 1


def test_without_a_camera_it_offers_the_demo(model: Path, refused):
    assert "try --source demo" in refused(main, "--source", "97", "--model", model)


@pytest.mark.parametrize("name", ["missing", "empty", "text", "cut", "foreign"])
def test_bad_models_are_refused(name: str, model: Path, tmp_path: Path, refused):
    path = tmp_path / f"{name}.tflite"
    content = {
        "empty": b"",
        "text": b"no model at all",
        "cut": model.read_bytes()[:50_000],
        "foreign": models.DETECTOR.read_bytes(),
    }
    if name in content:
        path.write_bytes(content[name])
    assert str(path) in refused(main, "--source", "demo", "--model", path)


@pytest.mark.parametrize("option", ["--record", "--jsonl", "--stills"])
def test_unwritable_outputs_are_refused_before_any_work(
    option: str, model: Path, tmp_path: Path, refused
):
    (tmp_path / "file").write_text("")
    sentence = refused(main, "--headless", "--source", samples.PORTRAITS, "--model", model,
                       option, tmp_path / "file" / "out.mp4")  # fmt: skip
    assert "cannot write" in sentence
    assert os.listdir(tmp_path) == ["file"]


def test_a_bad_source_leaves_no_outputs(model: Path, tmp_path: Path, refused):
    refused(main, "--headless", "--source", tmp_path / "nothing.mp4", "--model", model,
            "--jsonl", tmp_path / "a.jsonl", "--record", tmp_path / "a.mp4")  # fmt: skip
    assert os.listdir(tmp_path) == []


def test_without_a_window_it_says_so_and_goes_on(model: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    picture = samples.PORTRAITS / "astronaut.jpg"
    result = CliRunner().invoke(main, ["--source", str(picture), "--model", str(model)])
    assert result.exit_code == 0 and "no display: running without a window" in result.stderr


def test_q_in_the_window_ends_the_run(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With OpenCV's window functions replaced, as its headless build has none."""
    shown: list[np.ndarray] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "namedWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "imshow", lambda _, picture: shown.append(picture))
    monkeypatch.setattr(cv2, "waitKey", lambda _: ord("q") if len(shown) == 5 else -1)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
    arguments = ["--source", "demo", "--model", str(model), "--jsonl", str(tmp_path / "a.jsonl")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert len(lines_of(tmp_path / "a.jsonl")) == len(shown) == 5
