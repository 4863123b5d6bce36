""".ci/run is green only if everything that it runs was."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / ".ci/run"
STEPS = [".venv/dev", "lint", "docs", "test", "test-tflite-runtime", "android", "web"]
# Stand-ins, which note what they were asked for and fail if that is in $BROKEN.
COMMAND = """#!/bin/sh
echo "$(basename "$0") $*" >> "$NOTES"
for word in "$(basename "$0")" "$@"; do [ "$word" = "$BROKEN" ] && exit 2; done
exit 0
"""


@pytest.fixture
def ci(tmp_path):
    """Run .ci/run over stand-ins, one of them broken; its exit code and what was run."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(SCRIPT, tmp_path / ".ci/run")
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("make", "apt-get"):
        (commands / name).write_text(COMMAND)
        (commands / name).chmod(0o755)
    (commands / "id").write_text("#!/bin/sh\necho 0\n")
    (commands / "id").chmod(0o755)

    def run(broken: str) -> tuple[int, str]:
        notes = tmp_path / "notes"
        path = f"{commands}:{os.environ['PATH']}"
        environment = {"PATH": path, "NOTES": str(notes), "BROKEN": broken}
        done = subprocess.run([tmp_path / ".ci/run"], env=environment, capture_output=True)
        return done.returncode, notes.read_text()

    return run


def test_green_means_that_every_step_ran(ci):
    code, notes = ci("nothing")
    assert code == 0
    assert notes.startswith("make --silent clean\n")  # nothing of yesterday is judged
    for step in STEPS:
        assert re.search(f"^make {step}( |$)", notes, re.MULTILINE), step
    assert "apt-get install" in notes and "web-packages" in notes


@pytest.mark.parametrize("step", ["apt-get", *STEPS])
def test_a_step_that_fails_fails_ci(ci, step):
    assert ci(step)[0] != 0
