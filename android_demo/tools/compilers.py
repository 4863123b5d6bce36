"""javac, kotlinc, D8 and aapt2 as functions of paths; each raises StepError on bad sources."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from pins import PINS
from toolchain import (
    ANDROID,
    CACHE,
    FRAMEWORK_RESOURCES,
    StepError,
    catalog,
    fetch,
    project_version,
    replacing,
    run,
    unpacked,
)

CORE = ANDROID / "core/src"

# What others' class files say about annotations and jars that are not there is not our business.
LINT = "-Xlint:all,-classfile,-path,-processing"


# Short runs: the best code is not worth the time to make it.
JVM = ("java", "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def sources(folder: Path, suffix: str) -> list[Path]:
    """All sources below a folder, in a fixed order."""
    found = sorted(folder.rglob(f"*{suffix}"))
    if not found:
        raise StepError(f"no {suffix} file below {folder}")
    return found


def class_path(paths: Iterable[Path]) -> str:
    """Paths as Java wants them."""
    return ":".join(map(str, paths))


def javac(files: Sequence[Path], out: Path, path: Sequence[Path] = ()) -> None:
    """Compile Java 11 to class files below `out`."""
    run(
        *("javac", "--release", "11", LINT, "-Werror", "-encoding", "UTF-8", "-d", out),
        *(("-classpath", class_path(path)) if path else ()),
        *files,
    )


def core(out: Path) -> None:
    """Compile the core: the JDK alone, all warnings."""
    javac(sources(CORE / "main/java", ".java"), out)


def library(out: Path, core: Path) -> None:
    """Compile the Android library against the core's classes."""
    java = sources(ANDROID / "android/src/main/java", ".java")
    javac(java, out, [core, *libraries(), fetch("android")])


def core_tests(out: Path, classes: Path) -> None:
    """Compile the core's tests against its classes and put their data beside them."""
    javac(sources(CORE / "test/java", ".java"), out, [classes, fetch("junit")])
    shutil.copytree(CORE / "test/resources", out, dirs_exist_ok=True)


def kotlinc(files: Sequence[Path], out: Path, path: Sequence[Path]) -> None:
    """Compile Kotlin to class files below `out`."""
    lib = unpacked("kotlin") / "package/lib"
    compiler = [f"{name}.jar" for name in KOTLIN_JARS]
    run(
        *JVM,
        *("-cp", class_path(lib / jar for jar in compiler)),
        "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler",
        *("-jvm-target", "11", "-Xjdk-release=11", "-no-stdlib", "-no-reflect", "-Werror"),
        *("-module-name", "app", "-classpath", class_path(path), "-d", out),
        *files,
        name="kotlinc",
    )


KOTLIN_JARS = (
    "kotlin-compiler",
    "kotlin-stdlib",
    "kotlin-script-runtime",
    "kotlin-reflect",
    "kotlinx-coroutines-core-jvm",
    "annotations-13.0",
)


def libraries() -> list[Path]:
    """The jars that the app carries: Kotlin's standard library and the interpreter's classes."""
    return [
        unpacked("kotlin") / "package/lib/kotlin-stdlib.jar",
        unpacked("tflite") / "classes.jar",
        unpacked("tflite-api") / "classes.jar",
    ]


def d8(inputs: Sequence[Path], out: Path, path: Sequence[Path] = ()) -> None:
    """Translate class files or jars to one .dex file, newer Java rewritten for minSdk."""
    folder = out.parent / f"{out.name}.d8"
    folder.mkdir()
    jdk = Path(str(shutil.which("javac"))).resolve().parents[1]  # the java.* that android lacks
    run(
        *JVM,
        *("-cp", unpacked("d8") / "package/bundletool.jar"),
        *("com.android.tools.r8.D8", "--release", "--min-api", catalog()["minSdk"]),
        *("--lib", fetch("android"), "--lib", jdk, "--output", folder),
        *(word for jar in path for word in ("--classpath", jar)),
        *inputs,
        name="D8",
    )
    made = sorted(folder.iterdir())
    if [file.name for file in made] != ["classes.dex"]:
        raise StepError(f"D8 wrote {[file.name for file in made]} instead of one classes.dex")
    made[0].replace(out)
    folder.rmdir()


def libraries_dex() -> Path:
    """The libraries as a .dex file; they change with their pins only, so it is kept."""
    pins = [PINS[name].sha256 for name in ("d8", "android", "kotlin", "tflite", "tflite-api")]
    key = hashlib.sha256(" ".join([*pins, catalog()["minSdk"]]).encode()).hexdigest()
    kept = CACHE / f"libraries-{key[:16]}.dex"
    if not kept.exists():
        with replacing(kept) as new:
            d8(libraries(), new)
    return kept


def jar(classes: Sequence[Path], out: Path) -> None:
    """Pack folders of class files into a jar."""
    with zipfile.ZipFile(out, "w") as archive:
        for folder in classes:
            for file in sorted(folder.rglob("*.class")):
                archive.write(file, file.relative_to(folder))


def link_resources(manifest: Path, resources: Path, work: Path) -> tuple[Path, Path]:
    """Compile and link resources: (archive of the binary files, folder of R.java)."""
    compiled, linked, java = work / "resources.zip", work / "linked.zip", work / "r"
    run("aapt2", "compile", "--dir", resources, "-o", compiled)
    versions = catalog()
    run(
        *("aapt2", "link", "-I", FRAMEWORK_RESOURCES, "--manifest", manifest, "-o", linked),
        *("--java", java, "--min-sdk-version", versions["minSdk"]),
        *("--target-sdk-version", versions["targetSdk"]),
        *("--compile-sdk-version-code", versions["compileSdk"]),
        *("--compile-sdk-version-name", str(int(versions["compileSdk"]) - 20)),  # 36 is Android 16
        *("--version-name", project_version(), "--version-code", str(version_code())),
        *("--no-version-vectors", compiled),
    )
    return linked, java


def version_code() -> int:
    """Android's number for the version 1.2.3: 10203."""
    major, minor, patch = map(int, project_version().split("."))
    return major * 10_000 + minor * 100 + patch
