"""How good a model is: figures, error analysis, robustness, the paper's tables."""

from asmnet.evaluate.evaluation import Evaluation
from asmnet.evaluate.face_sets import FaceSet, detected_faces
from asmnet.evaluate.labelled_faces import labelled_faces
from asmnet.evaluate.parts import evaluate

__all__ = ["Evaluation", "FaceSet", "detected_faces", "evaluate", "labelled_faces"]
