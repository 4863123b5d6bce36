"""Measurements: each script of bench/ can be loaded and says how it is used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
# The others are modules that these share.
SCRIPTS = sorted(p.name for p in BENCH.glob("*.py") if '__name__ == "__main__"' in p.read_text())
# All in one process, apart from the tests': they set its cores and import each other by bare names.
ASK_ALL = """
import contextlib, io, json, runpy, sys, traceback

sys.path.insert(0, "bench")
answers = {}
for name in sys.argv[1:]:
    sys.argv, text, code = [name, "--help"], io.StringIO(), 0
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            runpy.run_path(f"bench/{name}", run_name="__main__")
        except SystemExit as stop:
            code = stop.code or 0
        except BaseException:
            code = 1
            traceback.print_exc()
    answers[name] = code, text.getvalue()
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[int, str]]:
    """Exit code and output of each script with --help."""
    command = [sys.executable, "-c", ASK_ALL, *SCRIPTS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_there_are_scripts():
    assert len(SCRIPTS) > 20


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_says_how_it_is_used(answers, name):
    code, text = answers[name]
    assert code == 0 and "Traceback" not in text, text
    assert "Usage: " in text or f"python bench/{name} " in text
