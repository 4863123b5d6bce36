"""Build the demo app's APK without Gradle and without the Android SDK.

    python android_demo/tools/build_apk.py

makes build/android/asmnet-demo.apk from core/, android/ and app/, signed with a debug key.  The
tools come from Debian, npm and Maven Central: see toolchain.py.  Versions come from
gradle/libs.versions.toml and pyproject.toml, so both builds have the same.

Exit codes: 0 built, 1 a tool or a check refused the sources, 2 something is missing.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections import Counter
from pathlib import Path

import api_level
import compilers
import package
from dexfile import Dex
from pins import PINS
from signature import read_signature
from toolchain import (
    ANDROID,
    BUILD,
    CATALOG,
    PACKAGES,
    REPOSITORY,
    catalog,
    digest,
    fetch,
    fetch_together,
    main,
    replacing,
    require,
    require_jdk,
    step,
    unpacked,
)

APK = BUILD / "asmnet-demo.apk"
APPLICATION = "org.asmnet.demo"
# Phones, and the emulator on a PC.  32-bit x86 has neither.
ABIS = ("arm64-v8a", "armeabi-v7a", "x86_64")
MODELS = (
    "face_detection_short_range.tflite",
    "face_detection_yunet.tflite",
    "asmnet-spatial-68-160-int8.tflite",
    "asmnet-spatial-68-112-int8.tflite",
)
LICENCES = ("LICENSE", "NOTICE", "models/LICENSE.mediapipe", "models/LICENSE.yunet")
STORED = (".tflite", ".so", "resources.arsc")  # Android 11 insists on the last


def build() -> None:
    """Build the APK and say what came out."""
    require(*(name for name in PACKAGES if name not in ("dexdump", "/usr/bin/enjarify")))
    require_jdk(17)  # the age of the platform's class files
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix=".apk.") as temporary:
        work = Path(temporary)
        with step("tools: fetch and check"):
            names = ("android", api(), "tflite", "tflite-api", "kotlin", "d8")
            fetch_together((*names, "junit"))  # which check_core.py wants
            for name in names:
                fetch(name)
        dex = compiled(work)
        with step("pack, align, sign, verify"), replacing(APK) as new:
            unsigned = work / "unsigned.apk"
            package.write_archive(contents(work / "linked.zip", dex), STORED, unsigned)
            package.sign(unsigned, new, catalog()["minSdk"])
    report(APK)


def outdated() -> bool:
    """Whether there is no APK, or one that is older than something that goes into it."""
    parts = [ANDROID / part / "src/main" for part in ("core", "android", "app")]
    files = [path for part in parts for path in (part, *part.rglob("*"))]  # a folder ages with them
    files += Path(__file__).parent.glob("*.py")
    files += [REPOSITORY / "models" / name for name in MODELS]
    files += [REPOSITORY / name for name in (*LICENCES, "pyproject.toml")] + [CATALOG]
    return not APK.exists() or APK.stat().st_mtime < max(file.stat().st_mtime for file in files)


def api() -> str:
    """The pin with the public interface of the oldest Android that the app installs on."""
    return f"api-{catalog()['minSdk']}"


def compiled(work: Path) -> list[Path]:
    """Compile resources and sources; the .dex files, the app's first, the libraries' second."""
    android, app = ANDROID / "android/src/main", ANDROID / "app/src/main"
    core, library, demo = work / "core", work / "library", work / "demo"
    platform, libraries = fetch("android"), compilers.libraries()
    with step("aapt2: resources"):
        manifest = work / "AndroidManifest.xml"
        package.check_library(android)
        package.write_manifest(app / "AndroidManifest.xml", APPLICATION, manifest)
        _, r = compilers.link_resources(manifest, app / "res", work)
    with step("javac: core, android, R"):
        compilers.core(core)
        compilers.library(library, core)
        compilers.javac(compilers.sources(r, ".java"), demo)
    with step(f"kotlinc {PINS['kotlin'].version}: app"):
        compilers.kotlinc(
            compilers.sources(app, ".kt"),
            demo,
            [demo, core, library, *libraries, platform],
        )
    jar = work / "app.jar"
    compilers.jar([core, library, demo], jar)
    with step("D8: libraries (kept), app"):
        libraries_dex, dex = compilers.libraries_dex(), work / "classes.dex"
        compilers.d8([jar], dex, libraries)
    minimum = catalog()["minSdk"]
    with step(f"every call exists on API {minimum}"):
        parts = [Dex(file.read_bytes()) for file in (dex, libraries_dex)]
        api_level.check(*parts, read_signature(fetch(api())), minimum)
    return [dex, libraries_dex]


def contents(linked: Path, dex: list[Path]) -> dict[str, bytes]:
    """What goes into the APK: name -> bytes."""
    with zipfile.ZipFile(linked) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries |= {f"classes{n if n > 1 else ''}.dex": d.read_bytes() for n, d in enumerate(dex, 1)}
    entries |= {f"assets/{name}": (REPOSITORY / "models" / name).read_bytes() for name in MODELS}
    entries |= {f"assets/{Path(name).name}": (REPOSITORY / name).read_bytes() for name in LICENCES}
    for abi in ABIS:
        name = "libtensorflowlite_jni.so"
        entries[f"lib/{abi}/{name}"] = (unpacked("tflite") / "jni" / abi / name).read_bytes()
    return entries


def report(apk: Path) -> None:
    """Print path, size, SHA-256 and where the bytes are."""
    kinds: Counter[str] = Counter()
    with zipfile.ZipFile(apk) as archive:
        for entry in archive.infolist():
            folder, _, name = entry.filename.rpartition("/")
            if folder.startswith("lib/"):
                kinds[f"{folder} (stored)"] += entry.compress_size
            elif name.endswith(".tflite"):
                kinds["models (stored)"] += entry.compress_size
            else:
                kinds["code" if name.endswith(".dex") else "resources"] += entry.compress_size
    size = apk.stat().st_size
    kinds["zip directory, alignment, signature"] = size - sum(kinds.values())
    print(f"{apk.relative_to(REPOSITORY)}: {size:,} bytes, SHA-256 {digest(apk)}")
    for kind, count in kinds.most_common():
        print(f"  {count:>12,}  {kind}")


if __name__ == "__main__":
    main(build)
