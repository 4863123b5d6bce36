"""Labelled faces and pictures, read once for all that train, judge or label.

Readers of 300-W, WFLW, 300W-LP, folders of picture + .pts, and JSON lines of labels; decoding
with Pillow; crops by the transform of `asmnet.core`.
"""

from asmnet.data.datasets import read_dataset
from asmnet.data.faces import Dataset, LabelledFace
from asmnet.data.images import read_picture
from asmnet.data.jsonl import read_jsonl, write_jsonl

__all__ = [
    "Dataset",
    "LabelledFace",
    "read_dataset",
    "read_jsonl",
    "read_picture",
    "write_jsonl",
]
