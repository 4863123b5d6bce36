"""`asmnet-doctor`: what works on this machine, what does not, and what to do about it.

The command itself imports neither OpenCV nor the interpreter: either may be what is
broken, and take the process with it.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from functools import partial
from typing import Any

import click
import numpy as np

from asmnet import models, samples
from asmnet.cli.options import MODELS, model_option
from asmnet.core import cli_errors
from asmnet.core.processor import usable_cores
from asmnet.edge_runtime.doctor import machine, software
from asmnet.edge_runtime.doctor import models as files
from asmnet.edge_runtime.doctor.cameras import cameras
from asmnet.edge_runtime.doctor.findings import Finding, Mark, ProbeError, examine, probe

__all__ = ["check_all", "main", "verdict"]

_COLOURS = {"ok": "green", "warn": "yellow", "FAIL": "red"}
# More threads than this never helped a network of this size.
_MOST_THREADS = 8


@click.command(epilog=MODELS)
@model_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for bug reports.")
@cli_errors()
def main(model: str, as_json: bool) -> None:
    """Check this machine: software, processor, cameras, model, speed.

    Exit code 0 if ASMNet can be used here, 1 if something FAILs.
    """
    findings = []
    for finding in check_all(model):
        findings.append(finding)
        _print(finding, as_json)
    last = verdict(findings)
    _print(last, as_json)
    sys.exit(1 if last.mark == "FAIL" else 0)


def check_all(model: str = models.DEFAULT) -> Iterator[Finding]:
    """Every check, in the order in which one explains the next; those that apply here."""
    found: dict[str, Finding] = {}

    def done(finding: Finding | None) -> Iterator[Finding]:
        if finding is not None:
            found[finding.check] = finding
            yield finding

    here = software.Userland.here()
    yield from done(examine("python", lambda: software.python(here)))
    yield from done(
        examine(
            "interpreter",
            lambda: software.interpreter(
                here,
                software.versions(software.INTERPRETERS),
                np.__version__,
                os.environ.get("ASMNET_INTERPRETER"),
                partial(probe, "interpreter"),
            ),
        )
    )
    answer = _opencv()
    yield from done(
        examine("opencv", lambda: software.opencv(software.versions(software.OPENCVS), answer))
    )
    if isinstance(answer, dict):
        yield from done(examine("window", lambda: software.window(answer, os.environ)))
        yield from done(examine("video", lambda: software.video(answer, sys.platform)))

    yield from done(examine("cpu", machine.cpu))
    yield from done(examine("governor", machine.governor))
    yield from done(examine("power", lambda: machine.power(command=shutil.which("vcgencmd"))))
    yield from done(examine("temperature", machine.temperature))
    yield from done(examine("memory", machine.memory))
    yield from done(examine("limits", machine.limits))
    if sys.platform == "linux":
        there = importlib.util.find_spec("picamera2") is not None
        yield from done(examine("cameras", lambda: cameras(picamera2=there)))

    def works(*checks: str) -> bool:
        return not any(found[check].mark == "FAIL" for check in checks)

    # Files are tried with what works, or they would be blamed for its faults.
    runs = works("interpreter", "opencv")
    trial = partial(probe, "landmarker") if runs else None
    yield from done(examine("model", lambda: files.model(model, trial)))
    look = partial(probe, "detector") if runs else None
    for check in files.DETECTORS:
        yield from done(examine(check, partial(files.detector, check, look)))
    facts, threads = found["model"].facts, min(usable_cores(), _MOST_THREADS)
    race = None
    if runs and works("model", *files.DETECTORS) and "path" in facts:
        race = partial(probe, "speed", facts["path"], samples.CLIP, threads)
    brakes = ("interpreter", "governor", "power", "temperature", "limits")
    slowed = any(check in found and found[check].mark == "warn" for check in brakes)
    size = facts.get("size", 0)
    yield from done(
        examine("speed", lambda: files.speed(size, samples.CLIP, threads, slowed, race))
    )


def verdict(findings: list[Finding]) -> Finding:
    """The sum of all findings."""
    failed = [f.check for f in findings if f.mark == "FAIL"]
    warned = [f.check for f in findings if f.mark == "warn"]
    if failed:
        return Finding(
            "verdict",
            "FAIL",
            f"not usable yet: {', '.join(failed)}",
            "follow the remedies from the top, then run asmnet-doctor again",
        )
    fps = next((f.facts.get("fps") for f in findings if f.check == "speed"), None)
    text = "; ".join(filter(None, ("usable", files.speed_in_words(fps))))
    mark: Mark = "warn" if warned else "ok"
    return Finding("verdict", mark, text, f"see {', '.join(warned)}" if warned else "")


def _opencv() -> dict[str, Any] | ProbeError:
    try:
        return dict(probe("opencv"))
    except ProbeError as error:
        return error


def _print(finding: Finding, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(finding), default=str))
        return
    mark = click.style(f"{finding.mark:<5}", fg=_COLOURS[finding.mark])
    width = min(shutil.get_terminal_size().columns, 100)
    indent = " " * 18

    def lines(text: str, start: str, rest: str) -> list[str]:
        return textwrap.wrap(
            text,
            width,
            initial_indent=start,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )

    (first, *more) = lines(finding.found, indent, indent)
    # The colour's invisible characters must not be counted.
    click.echo(f"{mark}{finding.check:<13}{first[len(indent) :]}")
    for line in more + lines(finding.remedy, f"{indent}-> ", f"{indent}   "):
        click.echo(line)
