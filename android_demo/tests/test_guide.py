"""docs/guides/android.md, word for word, and the Gradle build's agreement with the rest.

Gradle itself cannot run where these tests run.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import build_apk
import compilers
import jvm
import pytest
from pins import PINS
from toolchain import ANDROID, CATALOG, REPOSITORY, catalog, fetch, project_version, read_toml

GUIDE = (REPOSITORY / "docs/guides/android.md").read_text()
MODULES = ("core", "android", "app", "jvm")
ENTRY = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)

# The names of CameraX that the guide uses; CameraX itself is on Google's Maven only.
CAMERAX = """
package androidx.camera.core
annotation class ExperimentalGetImage
interface ImageInfo { val rotationDegrees: Int }
interface ImageProxy : AutoCloseable {
    val image: android.media.Image?
    val imageInfo: ImageInfo
}
class ImageAnalysis { fun interface Analyzer { fun analyze(image: ImageProxy) } }
"""
OPT_IN = """
package androidx.annotation
annotation class OptIn(vararg val markerClass: kotlin.reflect.KClass<out Annotation>)
"""


def blocks(language: str) -> list[str]:
    """The guide's code in a language."""
    return [text for kind, text in ENTRY.findall(GUIDE) if kind == language]


def script(module: str) -> str:
    """A module's build script."""
    return (ANDROID / module / "build.gradle.kts").read_text()


@pytest.fixture(scope="module")
def classes(tmp_path_factory) -> list[Path]:
    """The class path of an app with the one dependency that the guide names."""
    root = tmp_path_factory.mktemp("classes")
    core, library = root / "core", root / "android"
    compilers.core(core)
    compilers.library(library, core)
    return [core, library, *compilers.libraries(), fetch("android")]


def test_the_kotlin_compiles_in_an_empty_project(tmp_path, classes):
    texts = blocks("kotlin")
    assert len(texts) == 5
    files = []
    for n, text in enumerate([*texts, CAMERAX, OPT_IN]):
        files.append(tmp_path / f"Guide{n}.kt")
        files[-1].write_text(text)
    compilers.kotlinc(files, tmp_path / "out", classes)
    made = {file.name for file in (tmp_path / "out").glob("*.class")}
    assert {"Tracking.class", "Painter.class"} <= made


def test_the_java_compiles_in_an_empty_project(tmp_path, classes):
    app, desktop = blocks("java")
    for name, text, path in (
        ("Describe", app, classes),
        ("Open", desktop, [Path(part) for part in jvm.class_path().split(":")]),
    ):
        file = tmp_path / f"{name}.java"
        file.write_text(text)
        # The libraries' manifests name jars that are not there: so, without -Xlint:path.
        compilers.run(
            *("javac", "--release", "11", "-encoding", "UTF-8", "-Werror"),
            *("-cp", compilers.class_path(path), "-d", tmp_path, file),
        )
        assert (tmp_path / f"{name}.class").exists()


def test_the_messages_are_those_of_the_sources():
    sources = [*(ANDROID / "core/src/main").rglob("*.java")]
    sources += (ANDROID / "android/src/main").rglob("*.java")
    # A sentence is one, however it is broken into strings; what is between them is a variable.
    said = re.sub(r'"\s*\+\s*"', "", "".join(file.read_text() for file in sources))
    said = re.sub(r'" \+ CONTRACT \+ "|" \+ CONTRACT\b', "asmnet.json", said)
    table = GUIDE.partition("| message | what helps |")[2].partition("\n\n")[0]
    messages = re.findall(
        r"`([^`]+)`", "\n".join(row.split("|")[1] for row in table.split("\n")[2:])
    )
    assert len(messages) >= 9
    for message in messages:
        for part in filter(None, (part.strip(" ,") for part in message.split("..."))):
            # NNAPI is an enum's name there.
            assert part.removeprefix("NNAPI ") in said, f"no source says {part!r}"


def test_the_sizes_are_the_files():
    names = set(re.findall(r"`([\w-]+\.tflite)`", GUIDE)) - {"mine-int8.tflite"}
    assert set(build_apk.MODELS) == names
    for name in names:
        assert f"{(REPOSITORY / 'models' / name).stat().st_size:,}" in GUIDE


def test_the_guide_names_what_the_build_offers():
    settings, dependency, repositories = blocks("kts")
    version = project_version()
    assert f'implementation("org.asmnet:asmnet-android:{version}")' in dependency
    assert 'module("org.asmnet:asmnet-android")' in settings
    assert 'artifactId = "asmnet-android"' in script("android")
    assert 'artifactId = "asmnet-core"' in script("core")
    assert 'group = "org.asmnet"' in (ANDROID / "build.gradle.kts").read_text()
    assert 'includeGroup("org.asmnet")' in repositories
    assert re.search(r'project\(":(\w+)"\)', settings).group(1) == "android"


def test_every_module_is_there():
    settings = (ANDROID / "settings.gradle.kts").read_text()
    included = re.findall(r'":(\w+)"', settings)
    assert sorted(included) == sorted(MODULES)
    for module in MODULES:
        assert (ANDROID / module / "build.gradle.kts").is_file()
        assert (ANDROID / module / "src/main").is_dir()
        for other in re.findall(r'project\(":(\w+)"\)', script(module)):
            assert other in MODULES


def test_aliases_are_in_the_catalog():
    content = read_toml(CATALOG)
    known = {f"libs.{name.replace('-', '.')}" for name in content["libraries"]}
    known |= {f"libs.plugins.{name.replace('-', '.')}" for name in content["plugins"]}
    known |= {f"libs.versions.{name}.get" for name in content["versions"]}
    used = set()
    for file in (ANDROID / "build.gradle.kts", *ANDROID.glob("*/build.gradle.kts")):
        used |= set(re.findall(r"\blibs(?:\.\w+)+", file.read_text()))
    assert used <= known
    assert known - used - {f"libs.versions.{name}.get" for name in content["versions"]} == set()


def test_versions_agree():
    assert catalog()["asmnet"] == project_version()
    pinned = {pin.coordinates.rpartition(":")[0]: pin.version for pin in PINS.values()}
    for pin in PINS.values():
        assert catalog().get(pin.catalog, pin.version) == pin.version
    both = 0
    for library in read_toml(CATALOG)["libraries"].values():
        if library["module"] in pinned:
            assert catalog()[library["version"]["ref"]] == pinned[library["module"]]
            both += 1
    assert both >= 2
    # JUnit 5.x.y runs on its platform 1.x.y.
    assert catalog()["junit"].replace("5.", "1.", 1) == PINS["junit"].version


def test_both_builds_make_the_same_app():
    gradle = script("app")
    assert set(re.findall(r'"\.\./\.\./([^"]+)"', gradle + script("android"))) == {
        *(f"models/{name}" for name in build_apk.MODELS),
        *build_apk.LICENCES,
    }
    filters = re.search(r"abiFilters.*", gradle)[0]
    assert tuple(re.findall(r'"([\w-]+)"', filters)) == build_apk.ABIS
    assert f'applicationId = "{build_apk.APPLICATION}"' in gradle


def test_the_wrapper_is_gradles():
    properties = (ANDROID / "gradle/wrapper/gradle-wrapper.properties").read_text()
    assert r"distributionUrl=https\://services.gradle.org/distributions/gradle-" in properties
    assert re.search(r"^distributionSha256Sum=[0-9a-f]{64}$", properties, re.MULTILINE)
    jar = (ANDROID / "gradle/wrapper/gradle-wrapper.jar").read_bytes()
    assert hashlib.sha256(jar).hexdigest() in (REPOSITORY / "NOTICE").read_text()
    assert (ANDROID / "gradlew").stat().st_mode & 0o111 == 0o111
