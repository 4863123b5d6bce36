"""How good a model is: figures, error analysis, robustness, the paper's tables."""

from asmnet.evaluate.evaluate import Evaluation, evaluate
from asmnet.evaluate.face_sets import FaceSet, detected_faces
from asmnet.evaluate.labelled_faces import labelled_faces

__all__ = ["Evaluation", "FaceSet", "detected_faces", "evaluate", "labelled_faces"]
