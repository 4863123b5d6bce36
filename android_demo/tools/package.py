"""From compiled parts to a signed APK: the manifest, the aligned archive, the signature."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

from toolchain import CACHE, StepError, replacing, run

ANDROID_NAMESPACE = "http://schemas.android.com/apk/res/android"
TOOLS_NAMESPACE = "http://schemas.android.com/tools"
ALIGNMENT_FIELD = 0xD935  # the extra field by which apksigner keeps an alignment
PAGE = 16384  # of Android's memory, at most
KEY_PASSWORD = "android"  # as everybody's debug key has it: no secret


def write_manifest(source: Path, package: str, out: Path) -> None:
    """Write the app's manifest with what Gradle adds: the package, how libraries are loaded."""
    ET.register_namespace("android", ANDROID_NAMESPACE)
    manifest = parse(source)
    for element in manifest.iter():
        for name in [name for name in element.attrib if name.startswith(f"{{{TOOLS_NAMESPACE}}}")]:
            del element.attrib[name]
    manifest.set("package", package)
    application = manifest.find("application")
    if application is None:
        raise StepError(f"{source} has no <application>")
    application.set(f"{{{ANDROID_NAMESPACE}}}extractNativeLibs", "false")
    ET.ElementTree(manifest).write(out, encoding="utf-8", xml_declaration=True)


def check_library(sources: Path) -> None:
    """Raise StepError if a library has what Gradle would merge into the app and this does not."""
    manifest = sources / "AndroidManifest.xml"
    if len(parse(manifest)) or (sources / "res").exists():
        raise StepError(
            f"{manifest} or res/ beside it says something: tools/package.py merges neither; put it "
            "into the app's"
        )


def parse(source: Path) -> ET.Element:
    """A manifest's root."""
    try:
        return ET.parse(source).getroot()
    except (OSError, ET.ParseError) as reason:
        raise StepError(f"{source} cannot be read: {reason}") from None


def write_archive(entries: dict[str, bytes], stored: tuple[str, ...], out: Path) -> None:
    """Write a zip file, the same bytes for the same entries.

    Names that end in one of `stored` are not compressed, so that the phone maps them into memory
    instead of reading them: aligned to 4 bytes, native libraries to a page.
    """
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, (1981, 1, 1, 1, 1, 2))
            info.external_attr = 0o644 << 16
            if name.endswith(stored):
                alignment = PAGE if name.endswith(".so") else 4
                data = archive.start_dir + 30 + len(name.encode()) + 6  # header, name, field
                info.extra = struct.pack("<HHH", ALIGNMENT_FIELD, 2 + -data % alignment, alignment)
                info.extra += bytes(-data % alignment)
            else:
                info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, entries[name], compresslevel=9)


def debug_key() -> Path:
    """A key to sign with, made once on this machine; everybody knows its password."""
    key = CACHE / "debug.keystore"
    if not key.exists():
        with replacing(key) as new:
            run(
                *("keytool", "-genkeypair", "-keystore", new, "-storetype", "PKCS12"),
                *("-storepass", KEY_PASSWORD, "-alias", "debug", "-keyalg", "RSA"),
                *("-keysize", "2048", "-validity", "10000", "-dname", "CN=Android Debug"),
            )
    return key


def sign(unsigned: Path, out: Path, min_sdk: str) -> None:
    """Sign with the debug key and verify signature and alignment."""
    run(
        *("apksigner", "sign", "--ks", debug_key(), "--ks-pass", f"pass:{KEY_PASSWORD}"),
        # Android 7 reads v2; v1 is older, v4 is a file of its own.
        *("--min-sdk-version", min_sdk, "--v1-signing-enabled", "false"),
        *("--v4-signing-enabled", "false"),
        *("--in", unsigned, "--out", out),
    )
    run("apksigner", "verify", "--min-sdk-version", min_sdk, out)
    run("zipalign", "-c", "-p", "4", out)
