"""Build the wheel and the sdist, and use each as a user would: in a fresh environment.

    python tools/try_packages.py [--tests] [--extras] [--lowest] [PYTHON ...]

uv installs, where it is found; else pip.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
NETWORK = ROOT / "models" / "asmnet-spatial-68-112.keras"  # wheels hold no float networks
UV = os.environ.get("UV") or shutil.which("uv")
TEST_TOOLS = ("pytest", "pytest-timeout", "hypothesis", "aiohttp", "python-osc")
DEVICE_TESTS = ("tests/core", "tests/edge_runtime", "tests/parity/test_golden.py")
EXTRA_TESTS = ("tests/export/test_recipes.py", "tests/train/test_training.py")
# A conversion in float and in int8, and a whole training.
FEW = "float32_is or int8_has or carries or a_run_leaves"


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


class Environment:
    """A fresh virtual environment in a folder.

    Args:
        python: the interpreter's command or path.
        lowest: install the lowest versions that pyproject.toml allows, not the pinned ones.
    """

    def __init__(self, python: str, home: Path, lowest: bool) -> None:
        run(python, "-m", "venv", home / "env")
        self.home, self.bin = home, home / "env" / "bin"
        self._lowest = lowest

    def pip(self, command: str, *arguments: object) -> str:
        """`pip install` or another command of pip's."""
        if UV:
            return run(UV, "pip", command, "-q", "--python", self.bin / "python", *arguments)
        return run(self.bin / "python", "-m", "pip", command, "-q", *arguments)

    def install(self, package: Path, *extras: str) -> None:
        """Install a package; all that is installed then fits."""
        if self._lowest:
            wanted = [word for extra in extras for word in ("--extra", extra)]
            project = ("-r", ROOT / "pyproject.toml", *wanted)
            self.pip("install", "--resolution", "lowest-direct", *project)
            self.pip("install", "--no-deps", package)
        else:
            named = f"{package}[{','.join(extras)}]" if extras else package
            self.pip("install", "-c", ROOT / "constraints.txt", named)
        self.pip("check")

    def use(self, program: str, *arguments: object) -> str:
        """Run one of its programs, in a folder of its own."""
        return run(self.bin / program, *arguments, cwd=self.home)

    def test(self, *arguments: object) -> None:
        """Run tests of the repository on what is installed."""
        run(self.bin / "python", "-m", "pytest", "-p", "no:cacheprovider", *arguments)


def try_package(environment: Environment, package: Path, tests: bool, extras: bool) -> None:
    """Install a package and use it."""
    environment.install(package)
    environment.use("python", "-c", "import asmnet; asmnet.FaceTracker")
    environment.use("asmnet", "track", "--source", "demo", "--headless", "--jsonl", "a.jsonl")
    lines = (environment.home / "a.jsonl").read_text().splitlines()
    if sum(bool(json.loads(line).get("faces")) for line in lines) < 700:
        sys.exit(f"{package.name}: the sample clip's faces were not tracked")
    environment.use("asmnet", "verify")
    if tests:
        environment.pip("install", *TEST_TOOLS)
        environment.test("-m", "not slow", *DEVICE_TESTS)
    if extras:
        environment.install(package, "train", "export")
        environment.use("asmnet", "export", NETWORK, "--quantize", "-o", "a.tflite")
        environment.use("asmnet", "verify", "a.tflite")
        if tests:
            environment.test(*EXTRA_TESTS, "-k", FEW)


@click.command()
@click.argument("pythons", nargs=-1, metavar="[PYTHON]...")
@click.option("--tests", is_flag=True, help="Run the device's tests on what is installed.")
@click.option("--extras", is_flag=True, help="Also install [train,export], and quantize.")
@click.option("--lowest", is_flag=True, help="The lowest versions that are allowed; needs uv.")
def main(pythons: tuple[str, ...], tests: bool, extras: bool, lowest: bool) -> None:
    """Try each package with each Python."""
    if lowest and not UV:
        sys.exit("error: --lowest needs uv; pip install uv")
    for package in build():
        for python in pythons or (sys.executable,):
            with tempfile.TemporaryDirectory() as folder:
                environment = Environment(python, Path(folder), lowest)
                version = environment.use("python", "--version").strip()
                try_package(environment, package, tests, extras)
                click.echo(f"{package.name}: installed and used on {version}")


if __name__ == "__main__":
    main()
