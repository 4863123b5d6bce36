"""Compile the core and run its tests with a JDK alone: no Gradle, no Android SDK.

    python android_demo/tools/check_core.py

Exit codes: 0 all tests passed, 1 one failed, 2 something is missing.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import compilers
from toolchain import BUILD, REPOSITORY, StepError, fetch, main, require


def check() -> None:
    """Compile the core and its tests, run them, show JUnit's tree."""
    require("java", "javac")
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix=".core.") as temporary:
        classes, tests = Path(temporary) / "main", Path(temporary) / "test"
        compilers.core(classes)
        compilers.core_tests(tests, classes)
        command = junit(tests, [classes])
        if subprocess.run([*command, "--details", "tree"]).returncode:
            raise StepError("tests of the core failed; which ones is said above")


def junit(tests: Path, path: list[Path]) -> list[str]:
    """The command that runs compiled tests against the classes on `path`."""
    return [
        *("java", f"-Dasmnet.models={REPOSITORY / 'models'}", "-jar", str(fetch("junit"))),
        *("execute", "--class-path", compilers.class_path([tests, *path])),
        *("--scan-class-path", str(tests), "--disable-banner", "--fail-if-no-tests"),
    ]


if __name__ == "__main__":
    main(check)
