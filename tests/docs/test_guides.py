"""What README and guides show is what works: each Python block runs, each command is understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from asmnet import samples
from asmnet.__main__ import main, train
from asmnet.edge_runtime import bench
from asmnet.edge_runtime.batch.cli import main as batch
from asmnet.edge_runtime.doctor.cli import main as doctor
from asmnet.edge_runtime.webcam import main as webcam
from asmnet.evaluate.cli import main as evaluate
from asmnet.export.cli import main as export
from asmnet.label.cli import main as label

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "docs" / "output.md",
    *(ROOT / "docs" / "guides").glob("*.md"),
]
NO_SUPERVISION = "needs supervision: pip install 'asmnet[supervision]'"
COMMANDS: dict[str, click.Command] = {
    "asmnet": main,
    "asmnet-batch": batch,
    "asmnet-bench": bench.main,
    "asmnet-doctor": doctor,
    "asmnet-eval": evaluate,
    "asmnet-export": export,
    "asmnet-label": label,
    "asmnet-train": train,
    "asmnet-webcam": webcam,
}


def blocks(language: str) -> list[tuple[str, str]]:
    """(page, code) of each fenced block in a language; blocks may be indented in lists."""
    fence = re.compile(rf"^( *)```{language}\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
    return [
        (page.name, re.sub(rf"^{indent}", "", code, flags=re.MULTILINE))
        for page in PAGES
        for indent, code in fence.findall(page.read_text())
        # Those that never end: tests/edge_runtime/test_senders.py receives OSC,
        # tests/clients/test_mqtt.py runs the bridge.
        if "serve_forever" not in code and "while True" not in code
    ]


def commands() -> list[tuple[str, str]]:
    """(page, line) of each of our commands in the pages' shell blocks."""
    found = []
    for page, code in blocks("bash"):
        for line in code.replace("\\\n", " ").splitlines():
            line = line.strip().removeprefix("KERAS_BACKEND=jax ")
            if line.split(" ")[0].rpartition("/")[2] in COMMANDS:
                found.append((page, line))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("page", "code"), blocks("python"))
def test_python_runs(page: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if "import supervision" in code:
        pytest.importorskip("supervision", reason=NO_SUPERVISION)
    (tmp_path / "picture.jpg").write_bytes((samples.PORTRAITS / "astronaut.jpg").read_bytes())
    (tmp_path / "video.mp4").write_bytes(samples.CLIP.read_bytes())
    (tmp_path / "tracks.jsonl").write_text('{"t": 0, "faces": [{"id": 0, "pose": {"yaw": 1}}]}\n')
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page, "exec"), {"__name__": "guide"})


@pytest.mark.parametrize(("page", "line"), commands())
def test_commands_are_understood(page: str, line: str):
    """Each option exists and takes its value; nothing is run."""
    name, *arguments = shlex.split(line.replace("...", ""), comments=True)
    name = name.rpartition("/")[2]
    command, context = COMMANDS[name], click.Context(COMMANDS[name], info_name=name)
    while isinstance(command, click.Group):
        with context:
            command.parse_args(context, arguments)
            _, command, arguments = command.resolve_command(
                context, [*context._protected_args, *context.args]
            )
        context = click.Context(command, info_name=name, parent=context)
    command.parse_args(context, arguments)
