"""A small labelled set of real faces that everyone has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def labelled_faces(label_samples: Callable[[int], Path]) -> Path:
    """A flat folder of 70 picture + .pts pairs."""
    return label_samples(70)
