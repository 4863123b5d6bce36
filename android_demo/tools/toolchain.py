"""The tools of the build without Gradle: what Maven and npm fetch, with which SHA-256.

Everything that is not a Debian package stands in PINS; screens.py adds what Robolectric needs.
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
from typing import NamedTuple

ANDROID = Path(__file__).resolve().parents[1]
REPOSITORY = ANDROID.parent
BUILD = REPOSITORY / "build/android"
CACHE = BUILD / "tools"
CATALOG = ANDROID / "gradle/libs.versions.toml"

# Copies one artifact out of a repository; needs no project.
MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
# The same for many at once.
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


class Pin(NamedTuple):
    """One download: `group:artifact:version[:classifier][@extension]` of Maven or `package@version`
    of npm."""

    coordinates: str
    sha256: str
    catalog: str = ""  # the catalog's entry that names the same version, if one does

    @property
    def version(self) -> str:
        """The version alone."""
        if ":" in self.coordinates:
            return self.coordinates.split(":")[2].split("@")[0]
        return self.coordinates.rpartition("@")[2]

    @property
    def file(self) -> str:
        """The name that Maven or npm gives the file."""
        if ":" not in self.coordinates:
            package, _, version = self.coordinates.rpartition("@")
            return f"{package.lstrip('@').replace('/', '-')}-{version}.tgz"
        coordinates, _, extension = self.coordinates.partition("@")
        _group, *names = coordinates.split(":")
        return f"{'-'.join(names)}.{extension or 'jar'}"

    def command(self, folder: Path) -> list[object]:
        """What writes the file into `folder`."""
        if ":" not in self.coordinates:
            return ["npm", "pack", "--silent", "--pack-destination", folder, self.coordinates]
        options = [f"-Dartifact={':'.join(self._parts())}", f"-DoutputDirectory={folder}"]
        return ["mvn", "--batch-mode", "--quiet", MAVEN_COPY, *options]

    def elements(self) -> str:
        """The coordinates in a pom.xml."""
        names = ("groupId", "artifactId", "version", "type", "classifier")
        pairs = zip(names, self._parts(), strict=False)
        return "".join(f"<{name}>{part}</{name}>" for name, part in pairs)

    def _parts(self) -> list[str]:
        coordinates, _, extension = self.coordinates.partition("@")
        group, artifact, version, *classifier = coordinates.split(":")
        return [group, artifact, version, extension or "jar", *classifier]


PINS = {
    # What the sources are compiled against.  The newest one whose class files JDK 17 reads.
    "android": Pin(
        "org.robolectric:android-all:14-robolectric-10818077",
        "6be2218c6a53fe3c57bc22ebdc723edcb7270a8a6f187545708aa5c0ed813977",
    ),
    # What apps may use of API 24, java.* included.
    "api-24": Pin(
        "com.toasttab.android:gummy-bears-api-24:0.5.1@signature",
        "0fa1ec96de1685a61ab8f055ceae6d75883fd4c29aa43ddfd1c86ff6cc42dd49",
    ),
    "tflite": Pin(
        "org.tensorflow:tensorflow-lite:2.16.1@aar",
        "34b065817e294e7dd3569504e8b9454938ceae453b6a459da54d5f6e45d3c94e",
        "tensorflowLite",
    ),
    "tflite-api": Pin(
        "org.tensorflow:tensorflow-lite-api:2.16.1@aar",
        "885b95bc9e47a4aa5cf8e71523aed9b05e397cfef1ea09773f13fea8b649fcee",
        "tensorflowLite",
    ),
    "kotlin": Pin(
        "kotlin-compiler@2.2.10",
        "cec7d5a867deddd2d61d60f2890262cb30b9b9fc7e32cdb33aeaf8abb2bf88cb",
        "kotlin",
    ),
    # bundletool.jar brings D8 under its own name.
    "d8": Pin(
        "node-bundletool@1.0.0",
        "99d529764e2f035876fd18704a45f54831ab014008938961d2e4cd4009bcf984",
    ),
    # Runs the networks in a browser: web_demo.
    "litert-js": Pin(
        "@litertjs/core@2.5.3",
        "a97660833e9e7e1063c95e12016718881240b14f7438728a2f62785e912d30fd",
    ),
    "junit": Pin(
        "org.junit.platform:junit-platform-console-standalone:1.11.4",
        "b016ef6b1c3454d6d7c2c88ce081dabf289699686af6622d6e4e2e1b54b4a2fc",
    ),
    # Mutation testing, and what it needs.
    "pit": Pin(
        "org.pitest:pitest:1.20.3",
        "45d328b5cdd36fcd1c9aef1be3e5e2f8d6a7be30b70576d8e23d85b21df4180e",
    ),
    "pit-entry": Pin(
        "org.pitest:pitest-entry:1.20.3",
        "4e448cb4b744711b02c3c46dc922a3b0c0c14a3658e6e45a9b34526ade4a1acd",
    ),
    "pit-command-line": Pin(
        "org.pitest:pitest-command-line:1.20.3",
        "c3f371dc210c98ca6f40902c57b8eb5f2ca9eadd82492590aca6d54e492d550e",
    ),
    "pit-junit": Pin(
        "org.pitest:pitest-junit5-plugin:1.2.3",
        "d3e2fcc8db5fd52c0c4ac2fe0d937e64da3df39b657093a1581b5fd463f9be64",
    ),
    "commons-text": Pin(
        "org.apache.commons:commons-text:1.13.1",
        "76434bd2dd778ab140d84b3c6ffa40c40fe6219909f5ed1d8b8977c5ae8e50c8",
    ),
    "commons-lang": Pin(
        "org.apache.commons:commons-lang3:3.17.0",
        "6ee731df5c8e5a2976a1ca023b6bb320ea8d3539fbe64c8a1d5cb765127c33b4",
    ),
    # Runs the networks on the JVM.
    "jvm-tflite": Pin(
        "org.bytedeco:tensorflow-lite:2.21.0-1.5.14",
        "d27baafef5f2ed1a74be4baacb07b1d632ca241527b47437130592dd864cc8f5",
        "bytedeco",
    ),
    "jvm-tflite-linux": Pin(
        "org.bytedeco:tensorflow-lite:2.21.0-1.5.14:linux-x86_64",
        "97061333854967aadf2f092681d63af90b804db3800f007cffd24a2901f4bc72",
        "bytedeco",
    ),
    "jvm-javacpp": Pin(
        "org.bytedeco:javacpp:1.5.14",
        "cb95a82ce1c337690436017eb8886597de71c1463dc16a3570f6a96b7c98a82b",
        "javacpp",
    ),
    "jvm-javacpp-linux": Pin(
        "org.bytedeco:javacpp:1.5.14:linux-x86_64",
        "1efab617735a44529bb85daaaefabe46c8686582989c46593c36569e9786fdaa",
        "javacpp",
    ),
}

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
        raise BuildError(f"tools/toolchain.py pins no {name}; add it to PINS")
    pin = PINS[name]
    wanted = catalog().get(pin.catalog, pin.version)
    if wanted != pin.version:
        raise BuildError(
            f"{CATALOG.name} says {pin.catalog} {wanted}, but tools/toolchain.py pins "
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
