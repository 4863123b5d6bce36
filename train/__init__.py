"""Training: labelled faces in, a trained ASMNet out.  Keras only, on any of its backends.

Importing the package loads nothing heavy; take what you need from its modules.
"""

__all__ = [
    "augment",
    "datasets",
    "fit",
    "loss",
    "model",
    "pictures",
    "recipes",
    "run",
    "shape_model",
    "trainer",
]
