"""The core on this machine's JVM: compiles core/ and jvm/, and runs its commands.

    python android_demo/tools/jvm.py Run --model models/asmnet-spatial-68-112-int8.tflite ...

The commands, each with --help: Run, Snapshot, Benchmark, Infer, Locate.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import compilers
from toolchain import ANDROID, BUILD, fetch, fetch_together, main, require

CLASSES = BUILD / "jvm"
LIBRARIES = ("jvm-tflite", "jvm-tflite-linux", "jvm-javacpp", "jvm-javacpp-linux")


def class_path() -> str:
    """The class path of core, jvm and TensorFlow Lite, compiled if a source has changed."""
    require("java", "javac")
    fetch_together(LIBRARIES)
    libraries = [fetch(name) for name in LIBRARIES]
    core = compiled("core", [])
    return compilers.class_path([compiled("jvm", [core, *libraries]), core, *libraries])


def compiled(part: str, against: list[Path]) -> Path:
    """The folder of a part's classes."""
    sources = compilers.sources(ANDROID / part / "src/main/java", ".java")
    folder = CLASSES / part
    stamp = folder / "stamp"
    # Others' classes age too: those of the core, which jvm is compiled against.
    inputs = [*sources, *(path / "stamp" for path in against if path.is_dir())]
    state = "\n".join(f"{path} {path.stat().st_mtime_ns}" for path in inputs)
    if not stamp.exists() or stamp.read_text() != state:
        shutil.rmtree(folder, ignore_errors=True)  # classes whose source is gone
        compilers.javac(sources, folder, against)
        stamp.write_text(state)
    return folder


def java(command: str, *arguments: object) -> list[str]:
    """The command line that runs one of jvm's commands."""
    words = ["java", "-cp", class_path(), f"org.asmnet.jvm.{command}", *arguments]
    return [str(word) for word in words]


def command() -> None:
    """Run what the arguments name."""
    if not sys.argv[1:]:
        print(__doc__.strip())
        return
    sys.exit(subprocess.run(java(*sys.argv[1:]), check=False).returncode)


if __name__ == "__main__":
    main(command)
