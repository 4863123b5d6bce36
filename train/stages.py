"""Trainings in stages: a file of commands, from pictures and ImageNet's weights to networks.

    [inputs]
    wild = "pictures of faces"

    [stages]
    "wild.jsonl" = "label {wild} --out {out}"
    first = "train --data {wild.jsonl} --run {out}"
    second = "train --data {wild.jsonl} --init {first}/best.keras --run {out}"

Each stage is one command of `asmnet`, which anyone can run by hand.  `{out}` is the file or
folder of the stage's name in the run folder; other braces hold an input or an earlier stage.
`stages.json` in the run folder tells which stages are finished, and by which command.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from rich.console import Console

from asmnet.core import UserError, atomic_path, parse_json

__all__ = ["BRACES", "SHIPPED", "Plan", "fill", "finished_part", "read_plan", "run_stages"]

RECORD = "stages.json"
SHIPPED = Path(__file__).parent / "plans"
BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Plan:
    """What a file of stages says.

    Attributes:
        name: the file's, without its suffix.
        inputs: what has to be given, each with a line for people.
        stages: commands by name, in the order in which they run.
    """

    name: str
    inputs: Mapping[str, str]
    stages: Mapping[str, str]

    def needed(self, target: str | None) -> list[str]:
        """The stages that lead to `target`, in order; None: all.

        Raises:
            UserError: no stage has that name.
        """
        if target is None:
            return list(self.stages)
        if target not in self.stages:
            raise UserError(
                f"{self.name} has no stage {target!r}; choose of {', '.join(self.stages)}"
            )
        wanted = {target}
        for name in reversed(list(self.stages)):
            if name in wanted:
                wanted.update(BRACES.findall(self.stages[name]))
        return [name for name in self.stages if name in wanted]


def read_plan(file: str) -> Plan:
    """Read a plan: the name of a shipped one, or a `.toml` file.

    Raises:
        UserError: unreadable, or a stage that uses what neither the inputs nor an earlier
            stage give.
    """
    path = Path(file) if file.endswith(".toml") else SHIPPED / f"{file}.toml"
    try:
        known = tomllib.loads(path.read_text(encoding="utf-8"))
        inputs, stages = dict(known["inputs"]), dict(known["stages"])
    except FileNotFoundError:
        names = ", ".join(sorted(p.stem for p in SHIPPED.glob("*.toml")))
        raise UserError(f"no plan {file}; give a .toml file, or one of {names}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot read {path}: {error}; it needs [inputs] and [stages]") from error
    given = {*inputs, "out"}
    for name, command in stages.items():
        if not isinstance(command, str) or "/" in name or name in given:
            raise UserError(f"{path}: stage {name!r} must be a command under a name of its own")
        for unknown in set(BRACES.findall(command)) - given:
            raise UserError(
                f"{path}: stage {name!r} uses {{{unknown}}}, which is no input and no earlier stage"
            )
        given.add(name)
    return Plan(path.stem, inputs, stages)


def run_stages(plan: Plan, run: Path, inputs: Mapping[str, str], target: str | None = None) -> Path:
    """Run what is not finished yet; a killed command goes on where it was.

    Args:
        plan: the stages.
        run: folder of all outputs.
        inputs: a path, or a value, for each input that the stages use.
        target: the stage to end with; None: the last.

    Returns:
        the output of that stage.

    Raises:
        UserError: an input is missing or unknown, a stage fails, or the folder's finished
            stages were made by other commands.
    """
    names = plan.needed(target)
    used = {word for name in names for word in BRACES.findall(plan.stages[name])}
    for missing in [name for name in plan.inputs if name in used and name not in inputs]:
        raise UserError(f"give --input {missing}=...: {plan.inputs[missing]}")
    for unknown in inputs.keys() - plan.inputs.keys():
        raise UserError(f"{plan.name} has no input {unknown!r}; it has {', '.join(plan.inputs)}")
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {run}: {error.strerror}; choose a new --run") from error
    run, done = run.resolve(), dict(finished_part(run).stages)
    console = Console(markup=False, soft_wrap=True)
    values = {**inputs, **{name: str(run / name) for name in plan.stages}}
    for number, name in enumerate(names, 1):
        if name in done:
            if done[name] != plan.stages[name]:
                raise UserError(
                    f"{run / name} was made by another command ({done[name]}); choose a new --run"
                )
            continue
        console.rule(f"{number}/{len(names)}  {name}")
        command = fill(plan.stages[name], {**values, "out": str(run / name)})
        console.print(shlex.join(["asmnet", *command]))
        code = subprocess.run([sys.executable, "-m", "asmnet", *command]).returncode
        if code:
            raise UserError(f"stage {name} failed with exit code {code}; mend it, and repeat")
        done[name] = plan.stages[name]
        with atomic_path(run / RECORD) as temporary:
            known = {"plan": plan.name, "stages": done}
            temporary.write_text(json.dumps(known, indent=2) + "\n")
    return run / names[-1]


def finished_part(run: Path) -> Plan:
    """The finished stages of a run folder, as far as none: a plan without inputs.

    Raises:
        UserError: a damaged record.
    """
    record = run / RECORD
    if not record.exists():
        return Plan("", {}, {})
    try:
        known = parse_json(record.read_bytes())
        return Plan(str(known["plan"]), {}, dict(known["stages"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{record} is damaged ({error}); remove it to begin again") from error


def fill(command: str, values: Mapping[str, str]) -> list[str]:
    """The words of a command; split first, since a folder's name may hold spaces."""
    return [BRACES.sub(lambda found: values[found[1]], word) for word in shlex.split(command)]
