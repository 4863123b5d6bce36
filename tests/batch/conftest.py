"""An archive, a command in a process of its own, and what it leaves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import cv2
import pytest

from asmnet import samples
from asmnet.edge_runtime import frames_from

PORTRAITS = sorted(samples.PORTRAITS.glob("*.jpg"))
Command = Callable[..., list[str]]
Content = Callable[[Path], dict[str, bytes]]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three portraits, one in a sub-folder, and a damaged picture."""
    folder = tmp_path_factory.mktemp("archive")
    (folder / "sub").mkdir()
    for picture, place in zip(PORTRAITS, ("a.jpg", "b.jpg", "sub/c.jpg"), strict=False):
        (folder / place).write_bytes(picture.read_bytes())
    (folder / "bad.jpg").write_bytes(PORTRAITS[0].read_bytes()[:2000])
    return folder


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve short videos; the first one begins without a face."""
    folder = tmp_path_factory.mktemp("clips")
    for k in range(12):
        writer = cv2.VideoWriter(
            str(folder / f"{k:02}.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 240)
        )
        for number, frame in enumerate(islice(frames_from("demo"), 20 * k, 20 * k + 20)):
            image = cv2.resize(frame.image, (320, 240))
            writer.write(image * 0 if k == 0 and number < 5 else image)
        writer.release()
    return folder


@pytest.fixture(scope="session")
def command() -> Command:
    """The words of a batch with one worker."""

    def words(source: Path, out: Path, *options: str) -> list[str]:
        run = "from asmnet.edge_runtime.batch.cli import main; main()"
        return [sys.executable, "-c", run, str(source), "-o", str(out), "--workers", "1", *options]

    return words


@pytest.fixture(scope="session")
def content() -> Content:
    """All files below a folder, hidden ones too."""

    def read(folder: Path) -> dict[str, bytes]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}

    return read


@pytest.fixture(scope="session")
def done(archive: Path, command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the archive becomes."""
    out = tmp_path_factory.mktemp("done")
    subprocess.run(command(archive, out), check=True, capture_output=True)
    return out
