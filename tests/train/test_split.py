"""Held-out faces: what is judged on was never learned from, whatever is added to the data."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from asmnet.core import IBUG68, UserError
from asmnet.data.faces import LabelledFace
from asmnet.data.jsonl import write_jsonl
from asmnet.train.split import fingerprint, gather, hold_out


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """200 faces on as many tiny pictures."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(3)
    made = []
    for i in range(200):
        image = folder / f"{i:03}.png"
        Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(image)
        made.append(LabelledFace(image, rng.uniform(1, 8, (68, 2))))
    return made


def names(faces):
    return {face.image.name for face in faces}


def test_no_face_is_on_both_sides_and_none_is_lost(faces):
    learning, held_out = hold_out(faces, 0.1, seed=0)
    assert not names(learning) & names(held_out)
    assert names(learning) | names(held_out) == names(faces)


def test_about_the_wanted_fraction_is_held_out(faces):
    counts = [len(hold_out(faces, 0.1, seed)[1]) for seed in range(20)]
    assert np.mean(counts) == pytest.approx(20, abs=4)
    assert len(hold_out(faces, 0.5, seed=0)[1]) == pytest.approx(100, abs=25)


def test_a_face_more_moves_no_other(faces):
    fewer, more = hold_out(faces[:-1], 0.1, seed=0), hold_out(faces, 0.1, seed=0)
    assert names(fewer[0]) <= names(more[0]) and names(fewer[1]) <= names(more[1])


def test_the_order_of_the_faces_moves_none(faces):
    assert names(hold_out(faces[::-1], 0.1, seed=0)[1]) == names(hold_out(faces, 0.1, seed=0)[1])


def test_another_seed_holds_out_others(faces):
    assert names(hold_out(faces, 0.1, seed=0)[1]) != names(hold_out(faces, 0.1, seed=1)[1])


def test_faces_of_one_picture_stay_together(faces):
    several = [replace(face, points=face.points + shift) for face in faces for shift in (0, 1)]
    learning, held_out = hold_out(several, 0.1, seed=0)
    assert not names(learning) & names(held_out)
    assert len(learning) + len(held_out) == 400


def test_the_same_pictures_elsewhere_are_held_out_again(faces, tmp_path):
    moved = []
    for face in faces:
        shutil.copy(face.image, tmp_path / f"renamed-{face.image.name}")
        moved.append(replace(face, image=tmp_path / f"renamed-{face.image.name}"))
    here, there = hold_out(faces, 0.1, seed=0)[1], hold_out(moved, 0.1, seed=0)[1]
    assert {f"renamed-{name}" for name in names(here)} == names(there)


def test_no_validation_holds_out_none(faces):
    learning, held_out = hold_out(faces, 0.0, seed=0)
    assert len(learning) == 200 and held_out == []


def test_a_side_without_faces_is_told(faces):
    with pytest.raises(UserError, match="leave none to learn from"):
        hold_out(faces[:1], 1.0, seed=0)
    with pytest.raises(UserError, match="--validation 0.001 and --seed 0 hold out none of 5 faces"):
        hold_out(faces[:5], 0.001, seed=0)


def test_a_missing_picture_is_named(faces, tmp_path):
    gone = replace(faces[0], image=tmp_path / "gone.png")
    with pytest.raises(UserError, match=r"cannot read picture .*gone\.png"):
        hold_out([*faces, gone], 0.1, seed=0)


@pytest.fixture
def labels(faces, tmp_path):
    """All faces as a file of labels."""
    write_jsonl(tmp_path / "labels.jsonl", faces)
    return tmp_path / "labels.jsonl"


def test_extra_labels_of_held_out_pictures_are_not_learned_from(faces, labels, tmp_path):
    alone = gather(str(labels), [], 0.1, 0, False)
    extra = tmp_path / "extra.jsonl"
    write_jsonl(extra, faces[:40])
    both = gather(str(labels), [str(extra)], 0.1, 0, False)
    assert names(both.held_out) == names(alone.held_out)
    assert not names(both.learning) & names(both.held_out)
    kept = names(faces[:40]) - names(alone.held_out)
    assert 0 < len(kept) < 40
    assert len(both.learning) == len(alone.learning) + len(kept)


def test_copies_of_held_out_pictures_are_not_learned_from(labels, tmp_path):
    held_out = gather(str(labels), [], 0.1, 0, False).held_out
    copied = []
    for i, face in enumerate(held_out):
        shutil.copy(face.image, tmp_path / f"copy-{i}.png")
        copied.append(replace(face, image=tmp_path / f"copy-{i}.png"))
    write_jsonl(tmp_path / "extra.jsonl", copied)
    gathered = gather(str(labels), [str(tmp_path / "extra.jsonl")], 0.1, 0, False)
    assert not any(name.startswith("copy") for name in names(gathered.learning))


def test_extra_labels_need_the_same_points(labels, faces, tmp_path):
    wide = [replace(face, points=np.resize(face.points, (98, 2))) for face in faces[:3]]
    write_jsonl(tmp_path / "wide.jsonl", wide)
    with pytest.raises(UserError, match="wide.jsonl has 98 points a face, .* has 68"):
        gather(str(labels), [str(tmp_path / "wide.jsonl")], 0.1, 0, False)


def test_bad_faces_are_counted_in_extra_labels_too(labels, faces, tmp_path):
    gone = replace(faces[0], image=tmp_path / "gone.png")
    write_jsonl(tmp_path / "extra.jsonl", [*faces[:10], gone])
    extra = [str(tmp_path / "extra.jsonl")]
    with pytest.raises(UserError, match="gone.png"):
        gather(str(labels), extra, 0.1, 0, False)
    gathered = gather(str(labels), extra, 0.1, 0, True)
    assert len(gathered.skipped) == 1 and "gone.png" in gathered.skipped[0]
    assert gathered.record()["skipped"] == 1


def test_the_record_counts_both_sides(labels, faces):
    gathered = gather(str(labels), [], 0.1, 0, False)
    record = gathered.record()
    assert record["learning"] == len(gathered.learning)
    assert record["held_out"] == len(gathered.held_out)
    assert gathered.scheme is IBUG68
    assert record["learning"] + record["held_out"] == 200 and record["skipped"] == 0
    assert record["sha256"] != gather(str(labels), [], 0.1, 1, False).record()["sha256"]


def test_the_test_set_is_no_part_of_a_training(faces, tmp_path):
    for i, face in enumerate(faces[:60]):
        folder = tmp_path / ("afw" if i < 40 else "helen/testset")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(face.image, folder)
        rows = "".join(f"{x + 1} {y + 1}\n" for x, y in face.points)
        (folder / face.image.name).with_suffix(".pts").write_text(f"{{\n{rows}}}\n")
    (tmp_path / "head_pose.csv").write_text("image,yaw_deg,pitch_deg,roll_deg\nno.png,1,2,3\n")
    (tmp_path / "afw" / "000.pts").write_text("{\n1 2\n}\n")
    with pytest.raises(UserError, match="000.pts"):
        gather(f"300w:{tmp_path}", [], 0.1, 0, False)
    gathered = gather(f"300w:{tmp_path}", [], 0.1, 0, True)
    assert names(gathered.learning) | names(gathered.held_out) == names(faces[1:40])
    assert "000.pts" in gathered.skipped[0] and "'no.png'" in gathered.notes[0]


def test_malformed_lines_of_extra_labels_are_left_out(labels, faces, tmp_path):
    extra = tmp_path / "extra.jsonl"
    write_jsonl(extra, faces[:10])
    extra.write_text(extra.read_text() + "{\n")
    with pytest.raises(UserError, match="extra.jsonl, line 11"):
        gather(str(labels), [str(extra)], 0.1, 0, False)
    assert "line 11" in gather(str(labels), [str(extra)], 0.1, 0, True).skipped[0]


def test_the_fingerprint_tells_other_labels_apart(faces):
    known = fingerprint(faces)
    assert fingerprint(faces[:-1]) != known
    moved = replace(faces[0], points=faces[0].points + 0.01)
    posed = replace(faces[0], pose=np.zeros(3))
    renamed = replace(faces[0], image=faces[0].image.with_name("other.png"))
    weighted = replace(faces[0], weights=np.ones(68))
    others = (moved, posed, renamed, replace(posed, pose=np.ones(3)), weighted)
    for other in (*others, replace(weighted, weights=np.full(68, 0.5))):
        assert fingerprint([other, *faces[1:]]) != known
    assert len({fingerprint([face]) for face in (moved, posed, renamed, faces[0])}) == 4


def test_names_in_no_known_encoding_have_a_fingerprint(faces):
    name = os.fsdecode(b"caf\xe9.png")
    odd = replace(faces[0], image=faces[0].image.with_name(name))
    assert fingerprint([odd]) != fingerprint(faces[:1])


def test_the_fingerprint_does_not_tell_folders_apart(faces, tmp_path):
    elsewhere = [replace(face, image=tmp_path / face.image.name) for face in faces]
    assert fingerprint(elsewhere) == fingerprint(faces)


def test_extra_faces_are_held_out_too(faces, tmp_path):
    write_jsonl(tmp_path / "own.jsonl", faces[:100])
    write_jsonl(tmp_path / "more.jsonl", faces[50:])
    found = gather(str(tmp_path / "own.jsonl"), [str(tmp_path / "more.jsonl")], 0.1, 0, False)
    judges = names(found.held_out) | names(found.held_out_extra)
    assert names(found.held_out) <= names(faces[:100])
    assert found.held_out_extra and not names(found.held_out) & names(found.held_out_extra)
    assert not judges & names(found.learning)
    assert sum(found.counts) == len(found.learning)
    assert names(found.learning[: found.counts[0]]) <= names(faces[:100])


def test_a_turned_view_is_on_the_side_of_its_original(faces, tmp_path):
    _, apart = hold_out(faces, 0.1, seed=0)
    views = []
    for number, face in enumerate(faces):
        drawn = tmp_path / f"{number}.png"
        Image.new("RGB", (9, 9), (number, 0, 0)).save(drawn)
        views.append(replace(face, image=drawn, drawn_from=face.image))
    write_jsonl(tmp_path / "own.jsonl", faces)
    write_jsonl(tmp_path / "turned.jsonl", views)
    extra = [str(tmp_path / "turned.jsonl")]
    found = gather(str(tmp_path / "own.jsonl"), extra, 0.1, 0, False)
    learned = {face.drawn_from.name for face in found.learning if face.drawn_from}
    assert found.held_out_extra == []
    assert learned == names(faces) - names(apart)
