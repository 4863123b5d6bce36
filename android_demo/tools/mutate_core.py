"""Mutation testing of the core with PIT: each small change should make a test of the core fail.

    python android_demo/tools/mutate_core.py [CLASS ...]

Prints a table by class and the survivors; build/android/mutants/index.html shows them in the
sources.  All classes take half an hour of one core.  equivalent-mutants.txt beside this file names
mutants that change nothing a user could see, a line each: CLASS | what PIT changed | the source
line | the reason.  They count neither for nor against.
"""

from __future__ import annotations

import collections
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

import compilers
from toolchain import ANDROID, BUILD, REPOSITORY, fetch, main, require, run

PACKAGE = "org.asmnet.core"
SOURCES = ANDROID / "core/src/main/java"
REPORT = BUILD / "mutants"
EQUIVALENT = Path(__file__).with_name("equivalent-mutants.txt")
PIT = ("pit", "pit-entry", "pit-command-line", "pit-junit", "commons-text", "commons-lang")


class Mutant(NamedTuple):
    """One change, as equivalent-mutants.txt writes it, and what became of it."""

    home: str
    change: str
    code: str
    line: int
    status: str


def mutate() -> None:
    """Try all mutants of the core, or those of the classes that the arguments name."""
    require("java", "javac")
    BUILD.mkdir(parents=True, exist_ok=True)
    tools = [fetch(name) for name in (*PIT, "junit")]
    wanted = sys.argv[1:] or sorted(file.stem for file in SOURCES.rglob("*.java"))
    with tempfile.TemporaryDirectory(dir=BUILD, prefix=".mutants.") as temporary:
        classes, tests = Path(temporary) / "main", Path(temporary) / "test"
        compilers.core(classes)
        compilers.core_tests(tests, classes)
        run(
            *("java", "-cp", compilers.class_path([*tools, classes, tests])),
            "org.pitest.mutationtest.commandline.MutationCoverageReport",
            *("--reportDir", REPORT, "--timestampedReports=false", "--outputFormats", "XML,HTML"),
            *("--targetClasses", ",".join(f"{PACKAGE}.{c},{PACKAGE}.{c}$*" for c in wanted)),
            *("--targetTests", f"{PACKAGE}.*Test", "--sourceDirs", SOURCES),
            *("--classPath", ",".join(map(str, (tools[-1], classes, tests)))),
            *("--jvmArgs", f"-Dasmnet.models={REPOSITORY / 'models'}"),
            name="PIT",
        )
    show([mutant(node) for node in ElementTree.parse(REPORT / "mutations.xml").getroot()])


def mutant(node: ElementTree.Element) -> Mutant:
    """A row of PIT's report."""
    text = {child.tag: child.text or "" for child in node}
    home = text["mutatedClass"].removeprefix(f"{PACKAGE}.").partition("$")[0]
    line = int(text["lineNumber"])
    source = (SOURCES / PACKAGE.replace(".", "/") / text["sourceFile"]).read_text().splitlines()
    return Mutant(home, text["description"], source[line - 1].strip(), line, node.get("status", ""))


def show(mutants: list[Mutant]) -> None:
    """Print the table, and what survived."""
    known = [line.split(" | ")[:3] for line in EQUIVALENT.read_text().splitlines()]
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    alive = []
    for one in mutants:
        word = one.status
        if word in ("SURVIVED", "NO_COVERAGE"):
            word = "equivalent" if [*one[:3]] in known else "alive"
        if word == "alive":
            alive.append(one)
        for home in (one.home, "all"):
            counts[home]["mutants"] += 1
            counts[home][word] += 1
    print(f"{'class':18} mutants survived equivalent  score")
    for home, count in sorted(counts.items(), key=lambda item: (item[0] == "all", item[0])):
        tried = count["mutants"] - count["equivalent"]
        score = f"{1 - count['alive'] / tried:6.1%}" if tried else "     -"
        print(f"{home:18} {count['mutants']:7} {count['alive']:8} {count['equivalent']:10} {score}")
    for one in alive:
        print(f"{one.home}:{one.line} | {one.change} | {one.code}")


if __name__ == "__main__":
    main(mutate)
