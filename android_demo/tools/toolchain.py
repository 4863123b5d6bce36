"""The tools of the build without Gradle: Debian's, and what Maven and npm fetch.

Everything that is not a Debian package stands in pins.py; screens.py adds what Robolectric needs.
`fetch` gives a file out of build/android/tools/: Maven or npm, set up as on any machine, bring it
the first time; it is checked every time.

    apt install $(python android_demo/tools/toolchain.py)
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pins import MAVEN_COPY, PINS, Pin

ANDROID = Path(__file__).resolve().parents[1]
REPOSITORY = ANDROID.parent
BUILD = REPOSITORY / "build/android"
CACHE = BUILD / "tools"
CATALOG = ANDROID / "gradle/libs.versions.toml"
# Has one run of Maven copy many artifacts.
POM = """<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.asmnet</groupId><artifactId>tools</artifactId><version>0</version>
  <packaging>pom</packaging>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId>
    <configuration>
      <outputDirectory>{folder}</outputDirectory><artifactItems>{items}</artifactItems>
    </configuration>
  </plugin></plugins></build>
</project>
"""
FRAMEWORK_RESOURCES = Path("/usr/share/android-framework-res/framework-res.apk")


class BuildError(Exception):
    """What is missing or misfit and what to do about it, in one sentence: exit code 2."""


class StepError(Exception):
    """A tool or a check refused the sources: exit code 1."""


# Command or file -> Debian package.
PACKAGES = {
    "java": "openjdk-17-jdk-headless",
    "javac": "openjdk-17-jdk-headless",
    "keytool": "openjdk-17-jdk-headless",
    "aapt2": "aapt",
    "zipalign": "zipalign",
    "apksigner": "apksigner",
    "dexdump": "dexdump",
    "/usr/bin/enjarify": "enjarify",
    str(FRAMEWORK_RESOURCES): "android-framework-res",
    "mvn": "maven",
    "npm": "npm",
}


def missing_of(names: Iterable[str]) -> list[str]:
    """Those commands and files of PACKAGES that are not installed."""
    return [name for name in names if not shutil.which(name) and not Path(name).exists()]


def require(*names: str) -> None:
    """Raise BuildError unless these commands and files of PACKAGES are installed."""
    if missing := missing_of(names):
        packages = " ".join(sorted({PACKAGES[name] for name in missing}))
        raise BuildError(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed; "
            f"on Debian or Ubuntu: apt install {packages}"
        )


def require_jdk(version: int) -> None:
    """Raise BuildError if the JDK is older."""
    found = int(run("javac", "-version").split()[1].split(".")[0])
    if found < version:
        raise BuildError(
            f"the JDK has version {found}, but {version} or later is needed; on Debian or Ubuntu: "
            f"apt install openjdk-{version}-jdk-headless, then update-alternatives --config javac"
        )


def fetch(name: str) -> Path:
    """The file of PINS[name], downloaded if need be, its SHA-256 checked."""
    if name not in PINS:
        raise BuildError(f"tools/pins.py names no {name}; add it to PINS")
    pin = PINS[name]
    wanted = catalog().get(pin.catalog, pin.version)
    if wanted != pin.version:
        raise BuildError(
            f"{CATALOG.name} says {pin.catalog} {wanted}, but tools/pins.py names "
            f"{pin.coordinates}; change the pin and its SHA-256 too"
        )
    path = CACHE / pin.file
    if not path.exists() or digest(path) != pin.sha256:
        download(pin, path)
    return path


def fetch_together(names: Iterable[str]) -> None:
    """Let one run of Maven bring what is missing of PINS[names]: each run takes seconds to start.

    What it cannot bring, `fetch` tells.
    """
    pins = [PINS[name] for name in names if ":" in PINS[name].coordinates]
    missing = [pin for pin in pins if not (CACHE / pin.file).exists()]
    if len(missing) < 2:
        return
    require("mvn")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=".maven.") as temporary:
        folder = Path(temporary)
        items = "".join(f"<artifactItem>{pin.elements()}</artifactItem>" for pin in missing)
        (folder / "pom.xml").write_text(POM.format(items=items, folder=folder))
        with contextlib.suppress(StepError):
            run("mvn", "--batch-mode", "--quiet", "--file", folder / "pom.xml", MAVEN_COPY)
        for pin in missing:
            with contextlib.suppress(FileNotFoundError):
                (folder / pin.file).replace(CACHE / pin.file)


def download(pin: Pin, path: Path) -> None:
    """Let Maven or npm write the pin's file to `path`, if it is what was pinned."""
    command = pin.command(path.parent)
    require(str(command[0]))
    with replacing(path) as new:
        try:
            run(*pin.command(new.parent), name=str(command[0]))
            (new.parent / pin.file).replace(new)
        except (OSError, StepError) as reason:
            raise BuildError(
                f"{pin.coordinates} cannot be had by {command[0]}; try again, or put the file into "
                f"{path.parent} ({str(reason).splitlines()[-1]})"
            ) from None
        if digest(new) != pin.sha256:
            raise BuildError(
                f"{pin.coordinates} has SHA-256 {digest(new)}, not the pinned {pin.sha256}; "
                "do not use it, try another registry"
            )


def unpacked(name: str) -> Path:
    """The folder with the contents of the archive PINS[name] (.tgz, .aar)."""
    archive = fetch(name)
    folder = CACHE / f"{archive.name}.unpacked"
    stamp = folder / "sha256"  # a folder of another archive of that name is not ours
    if stamp.exists() and stamp.read_text() == PINS[name].sha256:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    with replacing(folder) as new:
        if archive.suffix == ".tgz":
            with tarfile.open(archive) as tar:
                tar.extraction_filter = getattr(tarfile, "data_filter", None)
                tar.extractall(new)
        else:
            with zipfile.ZipFile(archive) as aar:
                aar.extractall(new)
        (new / "sha256").write_text(PINS[name].sha256)
    return folder


@functools.cache
def catalog() -> dict[str, str]:
    """The versions of the Gradle build: [versions] of gradle/libs.versions.toml."""
    return read_toml(CATALOG)["versions"]


@functools.cache
def project_version() -> str:
    """The version of pyproject.toml."""
    return read_toml(REPOSITORY / "pyproject.toml")["project"]["version"]


def read_toml(path: Path) -> dict:
    """A TOML file."""
    try:
        import tomllib
    except ModuleNotFoundError:
        raise BuildError(
            f"Python {sys.version_info.major}.{sys.version_info.minor} is too old for these "
            "scripts; use 3.11 or later"
        ) from None
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError) as reason:
        raise BuildError(f"{path} cannot be read: {reason}") from None


def digest(path: Path) -> str:
    """A file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name to write a file or folder under; it becomes `path` if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as temporary:
        new = Path(temporary) / path.name
        yield new
        new.replace(path)


def run(*command: object, name: str = "", cwd: Path | None = None) -> str:
    """Run a tool and return what it printed; StepError, with all that it said, if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        raise StepError(f"{name or Path(words[0]).name} failed:\n{said}")
    return done.stdout


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Print what is being done and how long it took."""
    print(f"{what:<52}", end="", flush=True)
    start = time.monotonic()
    try:
        yield
    except BaseException:
        print()
        raise
    print(f"{time.monotonic() - start:6.1f} s", flush=True)


def main(command: Callable[[], None]) -> None:
    """Run a command of these tools; errors are one sentence and an exit code."""
    try:
        command()
    except (BuildError, StepError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, BuildError) else 1)


if __name__ == "__main__":
    print(*sorted({PACKAGES[name] for name in missing_of(PACKAGES)}))
