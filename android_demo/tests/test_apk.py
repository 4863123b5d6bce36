"""The APK of tools/build_apk.py, taken apart: what a phone would get is what we mean to ship.

ASMNET_APK names another file to judge than build/android/asmnet-demo.apk, which is built if it is
not there or older than its sources.

The interpreter in this APK is TensorFlow Lite 2.16.1, because Maven Central has no LiteRT.  Its
native libraries are linked for memory pages of 4 KB and a test holds that down: Android 15 devices
with pages of 16 KB run them in compatibility mode or not at all.  The Gradle build takes LiteRT,
which is linked for 16 KB; inside the archive both place the libraries at multiples of 16 KB.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import api_level
import build_apk
import check_core
import compilers
import pytest
import toolchain
from dexfile import Dex
from signature import read_signature

SIZE = 16 * 2**20  # bytes
MACHINES = {"arm64-v8a": 183, "armeabi-v7a": 40, "x86_64": 62}  # e_machine of ELF
SYSTEM_LIBRARIES = {"libc.so", "libdl.so", "liblog.so", "libm.so"}  # every Android has them


@pytest.fixture(scope="session")
def apk() -> Path:
    """The APK's path."""
    toolchain.require(*toolchain.PACKAGES)
    if named := os.environ.get("ASMNET_APK"):
        assert Path(named).exists(), f"ASMNET_APK names {named}, which does not exist"
        return Path(named)
    if build_apk.outdated():
        build_apk.build()
    return build_apk.APK


@pytest.fixture(scope="session")
def entries(apk) -> dict[str, zipfile.ZipInfo]:
    """The archive's entries by name."""
    with zipfile.ZipFile(apk) as archive:
        return {entry.filename: entry for entry in archive.infolist()}


@pytest.fixture(scope="session")
def badging(apk) -> str:
    """The manifest as aapt2 sums it up."""
    return toolchain.run("aapt2", "dump", "badging", apk)


@pytest.fixture(scope="session")
def dex(apk) -> Dex:
    """The app's own code."""
    return Dex(read(apk, "classes.dex"))


@pytest.fixture(scope="session")
def disassembly(apk) -> str:
    """All code of the APK."""
    return toolchain.run("dexdump", "-d", apk)


def read(apk: Path, name: str) -> bytes:
    """One entry's bytes."""
    with zipfile.ZipFile(apk) as archive:
        return archive.read(name)


def data_offset(apk: Path, entry: zipfile.ZipInfo) -> int:
    """Where an entry's bytes begin in the archive, as its local header says."""
    with apk.open("rb") as file:
        file.seek(entry.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
    return entry.header_offset + 30 + name + extra


# The manifest.


def test_the_camera_is_the_only_permission(badging):
    assert re.findall(r"^uses-permission.*?: name='(.*?)'", badging, re.M) == [
        "android.permission.CAMERA"
    ]


def test_no_camera_is_no_reason_to_hide_the_app(badging):
    assert not re.findall(r"^  uses-feature: name='android\.hardware\.camera.*'", badging, re.M)


def test_versions_are_those_of_the_catalog_and_of_python(badging):
    catalog, version = toolchain.catalog(), toolchain.project_version()
    (header,) = re.findall(r"^package: (.*)", badging, re.M)
    found = dict(re.findall(r"(\w+)='(.*?)'", header))
    assert found["name"] == "org.asmnet.demo"
    assert found["versionName"] == version == catalog["asmnet"]
    parts = [int(part) for part in version.split(".")]
    assert int(found["versionCode"]) == parts[0] * 10_000 + parts[1] * 100 + parts[2]
    assert found["compileSdkVersion"] == catalog["compileSdk"]
    assert re.findall(r"^(?:s|targetS)dkVersion:'(\d+)'", badging, re.M) == [
        catalog["minSdk"],
        catalog["targetSdk"],
    ]


def test_only_the_launcher_can_be_started_by_others(apk):
    tree = toolchain.run("aapt2", "dump", "xmltree", "--file", "AndroidManifest.xml", apk)
    exported = {}
    for element in re.split(r"^ *E: ", tree, flags=re.M):
        if element.split()[0] in ("activity", "activity-alias", "service", "receiver", "provider"):
            name = re.search(r'android:name\(.*?\)="(.*?)"', element)
            switch = re.search(r"android:exported\(.*?\)=(\w+)", element)
            # Without a word on it, Android 12 refuses an activity with an intent filter.
            exported[name.group(1)] = switch.group(1) if switch else None
    assert exported.pop("org.asmnet.demo.MainActivity") == "true"
    assert set(exported.values()) <= {"false"}, exported
    assert tree.count("android.intent.category.LAUNCHER") == 2  # value and its text: once


# What is in the archive.


def test_models_are_the_shipped_files_ready_to_be_mapped(apk, entries):
    models = {name.removeprefix("assets/") for name in entries if name.endswith(".tflite")}
    assert models == {
        "face_detection_short_range.tflite",
        "face_detection_yunet.tflite",
        "asmnet-spatial-68-160-int8.tflite",
        "asmnet-spatial-68-112-int8.tflite",
    }
    for name in models:
        entry = entries[f"assets/{name}"]
        shipped = toolchain.digest(toolchain.REPOSITORY / "models" / name)
        assert hashlib.sha256(read(apk, entry.filename)).hexdigest() == shipped, name
        assert entry.compress_type == zipfile.ZIP_STORED, name
        assert data_offset(apk, entry) % 4 == 0, name


def test_licences_come_along(apk):
    for name in ("LICENSE", "NOTICE", "models/LICENSE.mediapipe", "models/LICENSE.yunet"):
        text = (toolchain.REPOSITORY / name).read_bytes()
        assert read(apk, f"assets/{Path(name).name}") == text, name


@pytest.mark.parametrize("size", [160, 112])
def test_models_in_the_apk_answer_as_their_float_models(apk, tmp_path, size):
    model = tmp_path / "model.tflite"
    model.write_bytes(read(apk, f"assets/asmnet-spatial-68-{size}-int8.tflite"))
    verify = [Path(sys.executable).with_name("asmnet-export"), "verify", model]
    done = subprocess.run(verify, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_native_libraries(apk, entries):
    libraries = {name for name in entries if name.endswith(".so")}
    assert libraries == {f"lib/{abi}/libtensorflowlite_jni.so" for abi in MACHINES}
    for abi, machine in MACHINES.items():
        entry = entries[f"lib/{abi}/libtensorflowlite_jni.so"]
        assert entry.compress_type == zipfile.ZIP_STORED, abi
        assert data_offset(apk, entry) % 16384 == 0, abi
        found, alignments = elf(read(apk, entry.filename))
        assert found == machine, abi
        assert alignments == {4096}, abi  # of TensorFlow Lite 2.16.1: see above


def test_native_libraries_need_nothing_but_android(apk):
    for abi in MACHINES:
        library = read(apk, f"lib/{abi}/libtensorflowlite_jni.so")
        assert set(needed(library)) <= SYSTEM_LIBRARIES, abi


def elf(data: bytes) -> tuple[int, set[int]]:
    """The machine of an ELF file and the alignments of its LOAD segments."""
    return struct.unpack_from("<H", data, 18)[0], {
        alignment for kind, _, _, _, alignment in segments(data) if kind == 1
    }


def segments(data: bytes) -> list[tuple[int, int, int, int, int]]:
    """Type, offset in the file, address, size in the file, alignment of each segment."""
    assert data[:4] == b"\x7fELF" and data[5] == 1, "not a little-endian ELF file"
    if data[4] == 2:  # 64 bit
        table, size, count = (
            *struct.unpack_from("<Q", data, 32),
            *struct.unpack_from("<HH", data, 54),
        )
        layout, order = "<IIQQQQQQ", (0, 2, 3, 5, 7)
    else:
        table, size, count = (
            *struct.unpack_from("<I", data, 28),
            *struct.unpack_from("<HH", data, 42),
        )
        layout, order = "<IIIIIIII", (0, 1, 2, 4, 7)
    rows = [struct.unpack_from(layout, data, table + size * index) for index in range(count)]
    return [tuple(row[column] for column in order) for row in rows]


def needed(data: bytes) -> list[str]:
    """The libraries that an ELF file asks for."""
    word = "<qQ" if data[4] == 2 else "<iI"
    parts = segments(data)
    (dynamic,) = [part for part in parts if part[0] == 2]
    table = list(struct.iter_unpack(word, data[dynamic[1] : dynamic[1] + dynamic[3]]))
    (strings,) = [value for tag, value in table if tag == 5]
    at = next(o + strings - a for kind, o, a, n, _ in parts if kind == 1 and a <= strings < a + n)
    names = [at + value for tag, value in table if tag == 1]
    return [data[name : data.index(0, name)].decode() for name in names]


def test_archive_is_aligned_and_not_too_large(apk):
    toolchain.run("zipalign", "-c", "-p", "4", apk)
    assert apk.stat().st_size < SIZE


def test_signature(apk):
    minimum = toolchain.catalog()["minSdk"]
    said = toolchain.run("apksigner", "verify", "-v", "--min-sdk-version", minimum, apk)
    assert re.search(r"v2 scheme .*: true", said), said
    assert "Number of signers: 1" in said


# The code.


def test_no_instruction_that_old_phones_lack(disassembly):
    assert "invoke-virtual" in disassembly  # there is code
    newer = r"\|.*\b(?:invoke-custom|invoke-polymorphic|const-method-\w+).*"
    assert re.findall(newer, disassembly) == []


def test_every_call_exists_on_the_oldest_android(apk, dex):
    minimum = toolchain.catalog()["minSdk"]
    platform = read_signature(toolchain.fetch(build_apk.api()))
    api_level.check(dex, Dex(read(apk, "classes2.dex")), platform, minimum)


def test_the_check_of_calls_sees_what_d8_cannot_rewrite(tmp_path):
    source = tmp_path / "Newer.java"
    source.write_text("""
        class Newer {
            boolean rewritten(String text) { return text.isBlank(); }
            java.nio.ByteBuffer rewritten(java.nio.ByteBuffer bytes) { return bytes.flip(); }
            byte[] newer(java.io.InputStream in) throws java.io.IOException {
                return in.readAllBytes();
            }
            Object newer() { return java.time.Instant.EPOCH; }
        }""")
    compilers.javac([source], tmp_path / "classes")
    compilers.jar([tmp_path / "classes"], tmp_path / "newer.jar")
    compilers.d8([tmp_path / "newer.jar"], tmp_path / "newer.dex")
    newer = Dex((tmp_path / "newer.dex").read_bytes())
    platform = read_signature(toolchain.fetch(build_apk.api()))
    assert set(api_level.missing(newer, platform | newer.classes)) == {
        "java/io/InputStream.readAllBytes()[B",
        "java/time/Instant",
    }


def test_newer_calls_are_behind_a_test_of_the_version(disassembly):
    methods = [
        "\n".join(re.findall(r"\|[0-9a-f]{4}: (.*)", method))
        for method in re.split(r"\|\[[0-9a-f]+\] ", disassembly)[1:]
        if method.startswith("org.asmnet.")
    ]
    for name, level in api_level.GUARDED.items():
        owner, _, member = name.partition(".")
        written = f"L{owner};" + (f".{member.replace('(', ':(')}" if member else "")
        users = [method for method in methods if written in method]
        assert users, f"nothing uses {name}"
        for method in users:
            assert "Landroid/os/Build$VERSION;.SDK_INT" in method, f"{name}: API {level}\n{method}"


def test_the_core_from_the_apk_passes_the_core_s_tests(apk, dex, tmp_path):
    """Golden vectors, replayed by what D8 made of the core: dex -> class files -> JVM.

    D8 neither renames nor removes anything, so the tests find the members that they reach into.
    """
    (tmp_path / "classes.dex").write_bytes(read(apk, "classes.dex"))
    # Debian's command calls the first python3 on the path, but only Debian's has the module.
    enjarify = ["/usr/bin/python3", "-O", "-m", "enjarify.main"]
    said = toolchain.run(*enjarify, "-o", "core.jar", "classes.dex", cwd=tmp_path)
    assert f"{len(dex.classes)} classes translated successfully, 0 classes had errors" in said
    compilers.core(tmp_path / "compiled")
    compilers.core_tests(tmp_path / "tests", tmp_path / "compiled")
    command = check_core.junit(tmp_path / "tests", [tmp_path / "core.jar"])
    done = subprocess.run([*command, "--details", "summary"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = int(re.search(r"(\d+) tests successful", done.stdout).group(1))
    assert passed >= 80, done.stdout
