"""Training: labelled faces in, a trained ASMNet out.  Keras only, on any of its backends.

Importing the package loads nothing heavy; take what you need from its modules.
"""

__all__ = [
    "ablation",
    "augment",
    "compare",
    "datasets",
    "faces",
    "fit",
    "labels",
    "loss",
    "model",
    "pictures",
    "recipes",
    "run",
    "shape_model",
    "split",
    "tables",
    "trainer",
    "w300lp",
]
