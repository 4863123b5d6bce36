"""Mutation testing: change the code in small ways; each change should make a test fail.

    python tools/mutants.py                                   # all of MODULES: hours
    python tools/mutants.py core edge_runtime/tracking/tracker.py ...  # rooms or modules

mutmut mutates the bodies of functions, but not decorated ones (properties, context managers), nor
module constants; what a test starts as another process is not mutated.  Each mutant meets those of
its module's nearest tests that call its function; a timeout is a kill.  Functions that make a
module's tables are called when it is imported: mutants AT_IMPORT each get a process of their own.
SAMPLE=100 tries so many of a module's, by chance but always the same.
build/mutants/MODULE/ has survivors.diff and mutmut's log.  Run again without a change of the room,
it tries what survived or was not tried yet; delete build/mutants to try all.

equivalent-mutants.txt beside this file names mutants that change nothing a user could see, a line
each: MODULE | the mutant's code | the reason.  They count neither for nor against.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
BUILD = REPOSITORY / "build/mutants"
ROOMS = ("cli", "core", "data", "edge_runtime", "evaluate", "export", "label", "train")

# Whose score the project keeps.
MODULES = """
core edge_runtime/tracking/tracker.py edge_runtime/tracking/tracks.py
edge_runtime/tracking/search.py edge_runtime/tracking/track_source.py
edge_runtime/tracking/scene_cuts.py
edge_runtime/tracking/association.py edge_runtime/tracking/smoothing.py edge_runtime/detector.py
edge_runtime/interpreter.py edge_runtime/landmarker.py edge_runtime/io/sources.py
edge_runtime/io/pictures.py edge_runtime/io/videos.py edge_runtime/io/sinks.py
edge_runtime/io/recorder.py edge_runtime/io/outputs.py edge_runtime/parity.py
export/gate.py export/calibration.py
evaluate/picture_split.py export/recipes.py export/weights/equalize.py export/weights/prune.py
export/weights/bias_correction.py export/weights/prepare.py train/loss.py train/shape_model.py
train/augment.py data/datasets.py data/faces.py data/jsonl.py train/split.py train/run.py
train/asm_model.py train/batches.py train/callbacks.py train/norms.py train/statistics.py
train/fit.py train/stages.py train/warm_start.py data/boxes.py edge_runtime/batch/inputs.py
edge_runtime/batch/openface.py edge_runtime/batch/records.py edge_runtime/batch/tracking.py
cli/workers.py
""".split()

# A module's nearest tests are tests/ROOM/test_MODULE*.py and these; TESTS in the environment names
# others.
TESTS = {
    "core/files.py": ["edge_runtime/test_sinks.py"],
    "core/crop.py": ["edge_runtime/test_crops.py"],
    # Not test_tracker.py: the sample clip takes a minute.
    "edge_runtime/tracking/association.py": ["edge_runtime/test_tracker_*.py"],
    "edge_runtime/batch/inputs.py": ["batch/test_inputs.py"],
    "edge_runtime/batch/openface.py": ["batch/test_tracking.py"],
    "edge_runtime/batch/records.py": ["batch/test_records.py"],
    "edge_runtime/batch/tracking.py": ["batch/test_tracking.py"],
    "edge_runtime/detector.py": ["edge_runtime/test_find_face.py"],
    "edge_runtime/io/pictures.py": ["edge_runtime/test_sources.py"],
    "edge_runtime/io/listening.py": ["edge_runtime/test_serve.py"],
    "edge_runtime/io/recorder.py": ["edge_runtime/test_closing.py"],
    "edge_runtime/io/sources.py": ["edge_runtime/test_live.py", "edge_runtime/test_addresses.py"],
    "edge_runtime/io/videos.py": ["edge_runtime/test_sources.py"],
    "edge_runtime/landmarker.py": ["edge_runtime/test_sinks.py"],
    "edge_runtime/supervision.py": ["clients/test_supervision.py"],
    "edge_runtime/tracking/scene_cuts.py": ["edge_runtime/test_tracker_*.py"],
    "edge_runtime/tracking/track_source.py": ["edge_runtime/test_tracker_inputs.py"],
    "edge_runtime/tracking/tracks.py": ["edge_runtime/test_tracker_*.py"],
    "edge_runtime/parity.py": ["export/test_gate*.py"],
    "data/datasets.py": ["data/test_wflw.py", "data/test_300w_lp.py"],
    "data/faces.py": ["data/test_jsonl.py"],
    "train/asm_model.py": ["train/test_trainer.py", "train/test_processes.py"],
    "train/batches.py": ["train/test_trainer.py"],
    "train/fit.py": ["train/test_fit_processes.py"],
    "train/callbacks.py": ["train/test_trainer.py"],
    "train/norms.py": ["train/test_trainer.py"],
    "train/statistics.py": ["train/test_trainer.py", "train/test_fit.py"],
    "train/warm_start.py": ["train/test_trainer.py"],
}
# Modules whose functions run when they are imported, before mutmut can switch to a mutant.
AT_IMPORT = ("core/landmarks.py",)
# The wording of messages is no code: mutants inside these expressions are not made.
WORDING = [r"raise \w*Error\(", r"Error\($", r"warnings\.warn\(", r"click\.echo\("]

# A zip's strict=True stands against mistakes in the code around it; its mutants are equivalent.
STRICT = re.compile(r", (strict=\w+)?\)")

EQUIVALENT = Path(__file__).with_name("equivalent-mutants.txt")

Row = tuple[str, int, int, int, int, int]  # module; numbers, as HEAD says
HEAD = f"{'module':34} mutants  killed survived untested equivalent  score"


def main(names: list[str]) -> None:
    """Mutate rooms or modules; print the table by module."""
    modules = [module for name in names or MODULES for module in modules_of(name)]
    print(HEAD)
    rows = []
    for module in modules:
        try_mutants(module)
        rows.append(counted(module))
        print(line(rows[-1]), flush=True)
    if len(rows) > 1:
        print(line(("all", *(sum(column) for column in list(zip(*rows, strict=True))[1:]))))
    print(f"survivors: {BUILD.relative_to(REPOSITORY)}/*/survivors.diff")


def modules_of(name: str) -> list[str]:
    """The modules of a room, or one module, as paths from the repository's root."""
    path = REPOSITORY / name
    if not path.exists() or Path(name).parts[0] not in ROOMS:
        sys.exit(f"error: {name} is no room and no module; say core or edge_runtime/detector.py")
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return [str(f.relative_to(REPOSITORY)) for f in files if f.name != "__init__.py"]


def tests_of(module: str) -> list[str]:
    """The nearest tests of a module, or all of its room."""
    if named := os.environ.get("TESTS"):
        return named.split()
    path = Path(module)
    patterns = [f"{path.parts[0]}/test_{path.stem}*.py", *TESTS.get(module, ())]
    near = {test for pattern in patterns for test in (REPOSITORY / "tests").glob(pattern)}
    return sorted(str(t.relative_to(REPOSITORY)) for t in near) or [f"tests/{path.parts[0]}"]


def folder(module: str) -> Path:
    """Where the copy of a module's room is mutated."""
    return BUILD / module.removesuffix(".py").replace("/", ".")


def try_mutants(module: str) -> None:
    """Let mutmut make the mutants of a module, and try those not killed yet."""
    stage = folder(module)
    if not fresh(module):
        copy_room(module)
    (stage / "mutants/mutmut-stats.json").unlink(missing_ok=True)  # the tests may have changed
    settings = {
        "source_paths": [f"asmnet/{Path(module).parts[0]}"],
        "only_mutate": [f"asmnet/{module}"],
        "do_not_mutate_patterns": WORDING,
        # A fork would lose the interpreter's threads.
        "process_isolation": "forkserver",
        "pytest_add_cli_args_test_selection": tests_of(module),
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        # Seconds for a test that takes t: 5 (t + 5).
        "timeout_multiplier": 5.0,
        "timeout_constant": 5.0,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    (stage / "pyproject.toml").write_text("\n".join(["[tool.mutmut]", *lines]))
    # Tests look for research data beside the repository, not beside its copy.
    data = os.environ.get("ASMNET_DATA") or str(REPOSITORY.parent / "shared/data")
    with (stage / "log").open("w") as log:
        options = {"cwd": stage, "env": os.environ | {"ASMNET_DATA": data}, "stdout": log}
        make = "from mutmut.__main__ import *; copy_src_dir(); create_mutants(1)"
        subprocess.run([sys.executable, "-c", make], **options, stderr=log)
        words = results(module)
        if todo := [key for key in chosen(module) if words[key] in ALIVE]:
            if module in AT_IMPORT:
                try_afresh(module, todo, options)
                return
            mutmut = str(Path(sys.executable).with_name("mutmut"))
            subprocess.run([mutmut, "run", *todo], **options, stderr=log)
            if results(module) == words and "not checked" in words.values():
                sys.exit(f"error: mutmut could not begin with {module}; see {stage}/log")


def try_afresh(module: str, keys: list[str], options: dict[str, Any]) -> None:
    """Run the tests once for each mutant, chosen before anything is imported."""
    tests = [sys.executable, "-m", "pytest", "-xq", "-p", "no:cacheprovider", *tests_of(module)]
    options = options | {"cwd": folder(module) / "mutants", "stderr": subprocess.STDOUT}
    if subprocess.run(tests, **options).returncode:
        sys.exit(f"error: tests of {module} fail without a mutant; see {folder(module)}/log")
    found = meta(module)
    for key in keys:
        env = options["env"] | {"MUTANT_UNDER_TEST": key}
        record = json.loads(found.read_text())
        killed = bool(subprocess.run(tests, **options | {"env": env}).returncode)
        record["exit_code_by_key"][key] = int(killed)
        found.write_text(json.dumps(record))


def fresh(module: str) -> bool:
    """Whether the copy of the module's room is like the room."""
    room, copies = REPOSITORY / Path(module).parts[0], folder(module) / "asmnet"
    sources = [(path, copies / path.relative_to(REPOSITORY)) for path in room.rglob("*.py")]
    return all(c.exists() and p.read_bytes() == c.read_bytes() for p, c in sources)


def copy_room(module: str) -> None:
    """The room as asmnet/ROOM, and links to the rest of the repository beside the mutants.

    The links keep the tests where they are; of the other rooms they see the originals.
    """
    stage, room = folder(module), Path(module).parts[0]
    shutil.rmtree(stage, ignore_errors=True)
    shutil.copytree(REPOSITORY / room, stage / "asmnet" / room)
    (stage / "mutants/asmnet").mkdir(parents=True)
    for path in (REPOSITORY / "api").glob("*.py"):
        for home in (stage, stage / "mutants"):
            (home / "asmnet" / path.name).symlink_to(path)
    for path in REPOSITORY.iterdir():
        if path.name not in (*ROOMS, "build", "pyproject.toml") and path.name[0] != ".":
            (stage / "mutants" / path.name).symlink_to(path)


ALIVE = ("survived", "no tests", "not checked")


def results(module: str) -> dict[str, str]:
    """What became of each mutant, in mutmut's words."""
    from mutmut.stats import status_by_exit_code

    found = meta(module)
    codes = json.loads(found.read_text())["exit_code_by_key"] if found.exists() else {}
    return {key: status_by_exit_code[code] for key, code in codes.items()}


def meta(module: str) -> Path:
    """Where mutmut notes what became of a module's mutants."""
    return folder(module) / "mutants/asmnet" / f"{module}.meta"


def chosen(module: str) -> list[str]:
    """The mutants to try."""
    keys = list(results(module))
    return random.Random(0).sample(keys, min(int(os.environ.get("SAMPLE", len(keys))), len(keys)))


def counted(module: str) -> Row:
    """Count a module's mutants, and write the survivors down as differences."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    every = results(module)
    words = {key: every[key] for key in chosen(module)}
    known = [line.partition(" | ") for line in EQUIVALENT.read_text().splitlines()]
    harmless = {rest.rpartition(" | ")[0] for name, _, rest in known if name == module}
    alive = {}
    with contextlib.chdir(folder(module)), Path("survivors.diff").open("w") as file:
        for key in (key for key, word in words.items() if word in ALIVE):
            difference = get_diff_for_mutant(key, path=f"asmnet/{module}")
            before, after = (
                " ".join(
                    line[1:].strip() for line in difference.splitlines()[2:] if line[0] == sign
                )
                for sign in "-+"
            )
            same = after in harmless or STRICT.sub(")", before) == STRICT.sub(")", after)
            alive[key] = "equivalent" if same else words[key]
            if alive[key] != "equivalent":
                print(f"# {key}: {words[key]}\n{difference}\n", file=file)
    numbers = [list(alive.values()).count(word) for word in ("survived", "equivalent")]
    untested = len(alive) - sum(numbers)
    return module, len(words), len(words) - len(alive), numbers[0], untested, numbers[1]


def line(row: Row) -> str:
    """A row of the table, with the killed part."""
    module, count, killed, survived, untested, equivalent = row
    score = f"{killed / (count - equivalent):6.1%}" if count > equivalent else "     -"
    return f"{module:34} {count:7} {killed:7} {survived:8} {untested:8} {equivalent:10} {score}"


if __name__ == "__main__":
    main(sys.argv[1:])
