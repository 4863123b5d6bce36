"""Where test data lies: what ships, and research data that only developers have."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import click
import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import settings

from asmnet import samples
from asmnet.core import Crop
from asmnet.edge_runtime import FaceDetector, Landmarker

ROOT = Path(__file__).resolve().parents[1]
OTHER = re.compile("no display|━")  # what may stand on stderr beside an error: a note, progress
pytest_plugins = ["tests.networks"]
# Networks are trained or converted in these: minutes.
SLOW = {ROOT / "tests" / name for name in ("evaluate", "export", "label", "fuzz", "tools")} | {
    ROOT / "tests/parity/test_shipped_model.py",
    ROOT / "tests/train/test_training.py",
    ROOT / "tests/train/test_model.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if SLOW & {item.path, *item.path.parents}:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def research_data() -> Path:
    """The folder with 300w/, pose_300wlp/, wflw/ ...: ASMNET_DATA ("none": no folder), or
    ../shared/data.
    """
    folder = Path(os.environ.get("ASMNET_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "300w").is_dir():
        pytest.skip("needs the research data sets (300-W ...), which may not be redistributed")
    return folder


@pytest.fixture(scope="session")
def label_samples(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Makes a flat folder of picture + .pts pairs: shipped faces, the shipped model's answers."""

    def label(count: int) -> Path:
        folder = tmp_path_factory.mktemp("labelled")
        landmarker, detector = Landmarker.load(), FaceDetector.load()
        for picture in sorted(samples.LONDON.glob("*.jpg"))[:count]:
            image = cv2.imread(str(picture))
            crop = detector.detect(image)[0].to_crop(landmarker.spec.margin)
            for _ in range(3):  # labels whose own box gives the crop that they came from
                points = landmarker(image, crop).landmarks
                crop = Crop.around(points, landmarker.spec.margin)
            rows = "".join(f"{x + 1:.3f} {y + 1:.3f}\n" for x, y in points)
            shutil.copy(picture, folder)
            (folder / picture.name).with_suffix(".pts").write_text(
                f"version: 1\nn_points: 68\n{{\n{rows}}}\n"
            )
        return folder

    return label


@pytest.fixture(scope="session")
def labelled(label_samples: Callable[[int], Path]) -> Path:
    """A flat folder of twelve picture + .pts pairs."""
    return label_samples(12)


@pytest.fixture(scope="session")
def labelled_faces(label_samples: Callable[[int], Path]) -> Path:
    """A flat folder of 70 picture + .pts pairs."""
    return label_samples(70)


@pytest.fixture
def refused() -> Callable[..., str]:
    """Run a command that must fail as the user deserves: exit code 2, one clear sentence."""

    def run(command: click.Command, *arguments: object) -> str:
        result = CliRunner().invoke(command, [str(a) for a in arguments])
        assert result.exit_code == 2, result.output
        lines = [line for line in result.stderr.splitlines() if line and not OTHER.search(line)]
        assert len(lines) == 1 and lines[0].startswith("error: "), result.stderr
        assert "Traceback" not in result.output
        return lines[0]

    return run


@pytest.fixture
def rng() -> np.random.Generator:
    """A fixed random generator."""
    return np.random.default_rng(7)


# A machine that pauses for a moment is no failure of the property under test.
settings.register_profile("asmnet", deadline=None)
settings.load_profile("asmnet")
