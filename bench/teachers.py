"""What teachers' labels are worth: NME against the manual labels of 300-W's held-out faces.

    python bench/teachers.py 300w:DIR --teacher pfld_ghostone_98.onnx \\
        --teacher face_landmarker.task [--points 98]

Labels are made as `asmnet-label` makes them; adapters learn on the other training faces, from
their manual labels.  With 98 points, of which there are no manual labels, from what the first
teacher says of them; judged are the 68 of the 98, less their mean deviation, since the two sets
of annotators place points differently.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from shared import table, training_faces

from asmnet.cli.progress import progress_bars
from asmnet.core import IBUG68, WFLW98, UserError, cli_errors, to_scheme
from asmnet.data.images import read_face
from asmnet.label.face_square import tight_square
from asmnet.label.labelling import learn_adapters
from asmnet.label.manual_points import align_to_manual
from asmnet.label.teachers import Translated, label_face, load_teacher


@click.command()
@click.argument("data", metavar="300w:DIR")
@click.option("--teacher", "names", multiple=True, required=True, help="See asmnet-label.")
@click.option("--points", type=click.Choice(["68", "98"]), default="68", show_default=True)
@click.option("--every", default=1, show_default=True, help="Learn from every Nth face.")
@cli_errors(extra="export")
def main(data: str, names: tuple[str, ...], points: str, every: int) -> None:
    """Print a Markdown table: each teacher alone, and all together."""
    learned, held_out = training_faces(data)
    learned, teachers = learned[::every], [load_teacher(name) for name in names]
    scheme = WFLW98 if points == "98" else IBUG68
    if scheme is WFLW98 and teachers[0].scheme is not WFLW98:
        raise UserError(f"{names[0]} has not 98 points; name first a teacher that has")
    with progress_bars() as progress:
        if scheme is WFLW98:
            said = [
                label_face(read_face(face), tight_square(face.points, IBUG68), teachers[:1]).points
                for face in progress(learned, "labelling")
            ]
            manual = np.stack([face.points for face in learned])
            wide = align_to_manual(np.stack(said), manual)
            learned = [replace(f, points=p) for f, p in zip(learned, wide, strict=True)]
        foreign = [teacher for teacher in teachers if teacher.scheme is not scheme]
        adapters = iter(learn_adapters(learned, scheme, foreign, progress))
        teachers = [
            one if one.scheme is scheme else Translated(one, next(adapters), scheme)
            for one in teachers
        ]
        groups = {Path(name).stem: [one] for name, one in zip(names, teachers, strict=True)}
        groups |= {"all, 1 : 1": teachers} if len(teachers) > 1 else {}
        away: dict[str, list[np.ndarray]] = {label: [] for label in groups}
        for face in progress(held_out, "judging"):
            image, box = read_face(face), tight_square(face.points, IBUG68)
            right, left = face.points[list(IBUG68.outer_eyes)]
            unit = complex(*(left - right))
            for label, group in groups.items():
                found = to_scheme(label_face(image, box, group).points[None], IBUG68)[0]
                away[label].append((found - face.points) @ (1, 1j) / unit)
    rows = []
    for label, values in away.items():
        deviation = np.stack(values)
        if scheme is WFLW98:
            deviation = deviation - deviation.mean(axis=0)
        rows.append((label, f"{100 * np.abs(deviation).mean():.2f}"))
    table(f"{len(held_out)} held-out faces, {points} points", ("teacher", "NME"), rows)


if __name__ == "__main__":
    main()
