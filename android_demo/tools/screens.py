"""The app's screen on this machine: its own classes, Android's own graphics, by Robolectric.

Robolectric runs Android's framework on the JVM, its drawing by the native libraries of Android 14.
What is replaced: the camera (frames come from a file), the interpreter's native library (the
JVM's works in its place) and AndroidX Test, which Robolectric asks for and Maven Central lacks
(tests/screen holds the few empty classes that are needed).  330 MB of tools are fetched once.
"""

from __future__ import annotations

import functools
import shutil
import zipfile
from pathlib import Path

import compilers
import jvm
import package
import toolchain
from build_apk import APPLICATION, MODELS
from pins import PINS, Pin
from toolchain import (
    ANDROID,
    BUILD,
    CACHE,
    REPOSITORY,
    fetch,
    fetch_together,
    require,
    run,
    step,
)

WORK = BUILD / "screens"

# Android 14 with Robolectric's hooks: the newest that JDK 17 runs.
ANDROID_ALL = Pin(
    "org.robolectric:android-all-instrumented:14-robolectric-10818077-i7",
    "3fdac2d463f431c6b8d83b9d0ca739e795de75fffedee648c6761bd4bd864701",
)
ROBOLECTRIC = (
    Pin(
        "org.robolectric:robolectric:4.16.1",
        "ebfd48a0255689b0e58a3bbc6c794dc0c0d7b48ce31006fe2613cf7548cba229",
    ),
    Pin(
        "org.robolectric:annotations:4.16.1",
        "65a55f0b3cbcfbfc675b0c9075a30edc3b95e6e772a911d874197cc528c9d7b1",
    ),
    Pin(
        "org.robolectric:junit:4.16.1",
        "c5b1a61599347ab9a5dc692104b457cd3c31375cd6eecf9b956749309091b5e8",
    ),
    Pin(
        "org.robolectric:sandbox:4.16.1",
        "14a9bd67d4765c5d6c4ff57ddf339cb447e63df4a46bac650c093a15e2209bdf",
    ),
    Pin(
        "org.robolectric:utils:4.16.1",
        "8088e94dcaa5cd36251492b1e1155ea2b636756b2271dbbb2d325a012c8a30e2",
    ),
    Pin(
        "org.robolectric:pluginapi:4.16.1",
        "ba72852745647202c40f1937ddca813bfa1be7707f84e3f65beae2c49d592174",
    ),
    Pin(
        "com.google.guava:guava:33.4.8-jre",
        "f3d7f57f67fd622f4d468dfdd692b3a5e3909246c28017ac3263405f0fe617ed",
    ),
    Pin(
        "com.google.guava:failureaccess:1.0.3",
        "cbfc3906b19b8f55dd7cfd6dfe0aa4532e834250d7f080bd8d211a3e246b59cb",
    ),
    Pin(
        "javax.inject:javax.inject:1",
        "91c77044a50c481636c32d916fd89c9118a72195390452c81065080f957de7ff",
    ),
    Pin(
        "javax.annotation:javax.annotation-api:1.3.2",
        "e04ba5195bcd555dc95650f7cc614d151e4bcd52d29a10b8aa2197f3ab89ab9b",
    ),
    Pin(
        "org.robolectric:shadowapi:4.16.1",
        "6f997b1c0d169a01a967dff2661a95f4c2c2b5b008e8b9e1fba0b2682d6f8c6d",
    ),
    Pin(
        "org.robolectric:utils-reflector:4.16.1",
        "f1c49f95cb3a94ec6fcebfdf1753dd12a879ce5703b3b851f63fb8b412210eb9",
    ),
    Pin(
        "org.ow2.asm:asm:9.8",
        "876eab6a83daecad5ca67eb9fcabb063c97b5aeb8cf1fca7a989ecde17522051",
    ),
    Pin(
        "org.ow2.asm:asm-commons:9.8",
        "3301a1c1cb4c59fcc5292648dac1d7c5aed4c0f067dfbe88873b8cdfe77404f4",
    ),
    Pin(
        "org.ow2.asm:asm-tree:9.8",
        "14b7880cb7c85eed101e2710432fc3ffb83275532a6a894dc4c4095d49ad59f1",
    ),
    Pin(
        "org.robolectric:resources:4.16.1",
        "fb16b2c000cc1b91c6f26b6f6c08459e5b1ee35d99cfb908f20a73a05f3f962c",
    ),
    Pin(
        "org.robolectric:plugins-maven-dependency-resolver:4.16.1",
        "6643b0d9bfdf192a4b971f50e61aa93816b75b9a4334e693f0e2dcedc88b944a",
    ),
    Pin(
        "org.robolectric:shadows-framework:4.16.1",
        "a59802cffec783aa0e7df1489b0c2ce1126ef7cdedb940ffc378eb61e86958c8",
    ),
    Pin(
        "org.robolectric:nativeruntime:4.16.1",
        "55e339282dde0466dcfbce0fd861562bed59bc43f41012d21d750d07147c9e98",
    ),
    Pin(
        "org.robolectric:nativeruntime-dist-compat:1.0.18",
        "a6c34d92c990754e5aee076032a36f8e38fcacb5eb878ebe0a324509f3864eef",
    ),
    Pin(
        "com.almworks.sqlite4java:sqlite4java:1.0.392",
        "243a64470fda0e86a6fddeb0af4c7aa9426ce84e68cbfe18d75ee5da4b7e0b92",
    ),
    Pin(
        "org.bouncycastle:bcprov-jdk18on:1.81",
        "249f396412b0c0ce67f25c8197da757b241b8be3ec4199386c00704a2457459b",
    ),
    Pin(
        "org.conscrypt:conscrypt-openjdk-uber:2.5.2",
        "eaf537d98e033d0f0451cd1b8cc74e02d7b55ec882da63c88060d806ba89c348",
    ),
    Pin(
        "junit:junit:4.13.2",
        "8e495b634469d64fb8acfa3495a065cbacc8a0fff55ce1e31007be4c16dc57d3",
    ),
    Pin(
        "org.hamcrest:hamcrest-core:1.3",
        "66fdef91e9739348df7a096aa384a5685f4e875584cce89386a7a47251c4d8e9",
    ),
)
PINS.update({pin.coordinates: pin for pin in (ANDROID_ALL, *ROBOLECTRIC)})


@functools.cache
def compiled() -> list[Path]:
    """The class path of the app on Robolectric."""
    require("java", "javac", "aapt2", str(toolchain.FRAMEWORK_RESOURCES))
    with step("screens: fetch and check"):
        fetch_together(pin.coordinates for pin in (ANDROID_ALL, *ROBOLECTRIC))
        fetch(ANDROID_ALL.coordinates)
        robolectric = [fetch(pin.coordinates) for pin in ROBOLECTRIC]
        platform, libraries = fetch("android"), compilers.libraries()
    shutil.rmtree(WORK, ignore_errors=True)
    library, demo, tests = WORK / "library", WORK / "demo", WORK / "tests"
    machine = [Path(entry) for entry in jvm.class_path().split(":")]
    core = jvm.CLASSES / "core"
    sources = ANDROID / "app/src/main"
    manifest = WORK / "AndroidManifest.xml"
    WORK.mkdir(parents=True)
    with step("screens: compile the app"):
        package.write_manifest(sources / "AndroidManifest.xml", APPLICATION, manifest)
        resources, r = compilers.link_resources(manifest, sources / "res", WORK)
        with zipfile.ZipFile(resources, "a") as archive:
            for name in MODELS:
                archive.write(REPOSITORY / "models" / name, f"assets/{name}")
        compilers.library(library, core)
        compilers.javac(compilers.sources(r, ".java"), demo)
        app = [demo, library, core]
        compilers.kotlinc(compilers.sources(sources, ".kt"), demo, [*app, *libraries, platform])
    # All of the interpreter but the class that would load a phone's library.
    kept = [jar for jar in libraries if jar != toolchain.unpacked("tflite") / "classes.jar"]
    path = [*app, *kept, *machine, *robolectric, platform]
    with step("screens: compile the drawing of them"):
        compilers.kotlinc(compilers.sources(ANDROID / "tests/screen", ".kt"), tests, path)
    config = tests / "com/android/tools/test_config.properties"
    config.parent.mkdir(parents=True)
    config.write_text(
        f"android_resource_apk={resources}\n"
        f"android_merged_manifest={manifest}\n"
        f"android_custom_package={APPLICATION}\n"
    )
    return [tests, *path]


def draw(folder: Path) -> None:
    """Make the pictures that `folder`/shots asks for: see tests/screen/Screens.kt."""
    path = compiled()
    with step("screens: draw"):
        run(
            *java(path),
            f"-Dscreens={folder}",
            "org.junit.runner.JUnitCore",
            "org.asmnet.demo.Screens",
        )


def check_faults() -> None:
    """Run tests/screen/Faults.kt; StepError, with what was said, if one fails."""
    path = compiled()
    with step("screens: what may go wrong"):
        run(*java(path), "org.junit.runner.JUnitCore", "org.asmnet.demo.Faults")


def java(path: list[Path]) -> list[str]:
    """The JVM as Robolectric wants it."""
    return [
        *("java", "-Xmx2g", "--add-opens=java.base/java.io=ALL-UNNAMED"),
        *("-Drobolectric.offline=true", f"-Drobolectric.dependency.dir={CACHE}"),
        *("-Drobolectric.conscryptMode=OFF", "-Drobolectric.createActivityContexts=true"),
        *("-cp", compilers.class_path(path)),
    ]
