"""Where test data lies: what ships, and research data that only developers have."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def research_data() -> Path:
    """The folder with 300w/, pose_300wlp/, wflw/ ...: ASMNET_DATA, or ../shared/data."""
    folder = Path(os.environ.get("ASMNET_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "300w").is_dir():
        pytest.skip("needs the research data sets (300-W ...), which may not be redistributed")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    """A fixed random generator."""
    return np.random.default_rng(7)


# A machine that pauses for a moment is no failure of the property under test.
settings.register_profile("asmnet", deadline=None)
settings.load_profile("asmnet")
