"""Build the wheel and the sdist, and use each as a user would: in a fresh environment.

    python tools/try_packages.py [--extras] [PYTHON ...]

With `--extras` also what `[train,export]` brings: a shipped network is quantized.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
NETWORK = ROOT / "models" / "asmnet-spatial-68-112.keras"  # wheels hold no float networks


def run(*command: object, cwd: Path = ROOT) -> str:
    """Run a command; show its output only if it fails."""
    done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def build() -> list[Path]:
    """Build both packages into dist/ and check what the package index would show of them."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", DIST)
    packages = sorted(DIST.iterdir())
    run(sys.executable, "-m", "twine", "check", "--strict", *packages)
    return packages


def try_package(python: str, package: Path, extras: bool) -> str:
    """Install a package and use it; returns the version of Python that it ran on."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        run(python, "-m", "venv", home / "env")
        bin = home / "env" / "bin"
        pip = [bin / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
        run(*pip, "install", "-c", ROOT / "constraints.txt", package)
        run(*pip, "check")
        version = run(bin / "python", "-c", "import platform; print(platform.python_version())")
        run(bin / "python", "-c", "import asmnet; asmnet.FaceTracker", cwd=home)
        track = ["track", "--source", "demo", "--headless", "--jsonl", "a.jsonl"]
        run(bin / "asmnet", *track, cwd=home)
        frames = [json.loads(line) for line in (home / "a.jsonl").read_text().splitlines()]
        if sum(bool(frame.get("faces")) for frame in frames) < 700:
            sys.exit(f"{package.name}: the sample clip's faces were not tracked")
        run(bin / "asmnet", "verify", cwd=home)
        if extras:
            run(*pip, "install", "-c", ROOT / "constraints.txt", f"{package}[train,export]")
            run(*pip, "check")
            run(bin / "asmnet", "export", NETWORK, "--quantize", "-o", "a.tflite", cwd=home)
            run(bin / "asmnet", "verify", "a.tflite", cwd=home)
        return version.strip()


def main(arguments: list[str]) -> None:
    """Try each package with each Python."""
    extras = "--extras" in arguments
    pythons = [a for a in arguments if a != "--extras"] or [sys.executable]
    for package in build():
        for python in pythons:
            version = try_package(python, package, extras)
            print(f"{package.name}: installed and used on Python {version}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
