"""The tools that build the APK: what they fetch, what they say, what they write."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import build_apk
import package
import pytest
import toolchain
from pins import PINS, Pin


def test_pins_follow_the_catalog():
    versions = toolchain.catalog()
    for name, pin in PINS.items():
        assert re.fullmatch("[0-9a-f]{64}", pin.sha256), name
        assert pin.version == versions.get(pin.catalog, pin.version), name
    # JUnit 5's console is numbered 1.
    assert PINS["junit"].version == "1" + versions["junit"].removeprefix("5")


@pytest.mark.parametrize(
    ("coordinates", "file"),
    [("tool@1.0", "tool-1.0.tgz"), ("g:tool:1.0:linux@aar", "tool-1.0-linux.aar")],
)
def test_a_download_that_is_not_the_pinned_one_is_refused(coordinates, file, tmp_path, monkeypatch):
    """Whatever the registry's client brings: here it brings something else, then nothing."""
    pin, path = Pin(coordinates, "0" * 64), tmp_path / "cache" / "tool"
    bring = [sys.executable, "-c", "import sys; open(sys.argv[1], 'w').write('else')"]
    monkeypatch.setattr(Pin, "command", lambda pin, to: [*bring, to / file])
    with pytest.raises(toolchain.BuildError, match="has SHA-256 .* not the pinned"):
        toolchain.download(pin, path)
    monkeypatch.setattr(Pin, "command", lambda pin, to: [sys.executable, "-c", "0/0"])
    with pytest.raises(toolchain.BuildError, match="cannot be had"):
        toolchain.download(pin, path)
    assert not list(path.parent.iterdir())


def test_one_run_of_maven_brings_all_that_is_missing(tmp_path, monkeypatch):
    pins = ["tflite", "jvm-javacpp-linux", "api-24", "d8"]  # d8 is npm's
    runs = []

    def maven(*command, **_):
        runs.append(command)
        document = ElementTree.parse(command[command.index("--file") + 1])
        folder = Path(document.find(".//outputDirectory").text)
        for item in document.iterfind(".//artifactItem"):
            _group, *names, kind, classifier = [*(part.text for part in item), ""][:5]
            (folder / f"{'-'.join(filter(None, [*names, classifier]))}.{kind}").write_text("it")

    monkeypatch.setattr(toolchain, "CACHE", tmp_path)
    monkeypatch.setattr(toolchain, "run", maven)
    toolchain.fetch_together(pins)
    brought = {PINS[name].file for name in pins[:3]}
    assert {path.name for path in tmp_path.iterdir()} == brought
    toolchain.fetch_together(pins)
    assert len(runs) == 1, "all are there"


def test_missing_tools_are_named_in_one_sentence(tmp_path):
    script = Path(build_apk.__file__)
    for name in ("build_apk.py", "check_core.py"):
        done = subprocess.run(
            [sys.executable, script.with_name(name)],
            env={"PATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2
        assert re.fullmatch(r"error: .*javac.* not installed; .*apt install .*\n", done.stderr)


@pytest.mark.parametrize("source", ["models/asmnet-spatial-68-112-int8.tflite", "NOTICE"])
def test_an_apk_older_than_a_source_is_outdated(tmp_path, monkeypatch, source):
    monkeypatch.setattr(build_apk, "APK", tmp_path / "demo.apk")
    assert build_apk.outdated()
    build_apk.APK.write_bytes(b"")
    assert not build_apk.outdated()
    before = (build_apk.REPOSITORY / source).stat().st_mtime - 1
    os.utime(build_apk.APK, (before, before))
    assert build_apk.outdated()


def test_the_archive_is_the_same_for_the_same_entries(tmp_path):
    entries = {"assets/b.tflite": b"12345", "a.so": bytes(10), "assets/c.txt": b"text" * 99}
    for name, order in (("one.zip", list(entries)), ("two.zip", list(entries)[::-1])):
        package.write_archive(
            {key: entries[key] for key in order}, (".tflite", ".so"), tmp_path / name
        )
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
