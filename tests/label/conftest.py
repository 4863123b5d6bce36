"""What the tests of teachers share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def mesh_file(research_data: Path) -> Path:
    """MediaPipe's face_landmarker.task, which does not ship with the project."""
    file = research_data.parent / "teachers" / "face_landmarker.task"
    if not file.is_file():
        pytest.skip("needs MediaPipe's face_landmarker.task, which does not ship")
    return file
