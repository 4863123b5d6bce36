"""What every part of ASMNet must agree on: numpy only.

Landmark schemes, the crop transform, head-pose angles, metrics and the model
contract.  Nothing here imports OpenCV, Keras or TensorFlow, so a training
machine and a Raspberry Pi can share it.
"""

from asmnet.core.associated_files import embed_file, embedded_file
from asmnet.core.crop import Crop, PixelOps, extract
from asmnet.core.files import (
    IMAGE_SUFFIXES,
    UserError,
    atomic_path,
    cli_errors,
    remove_temporaries,
)
from asmnet.core.head import FIELD_OF_VIEW, focal_length, head_position
from asmnet.core.landmarks import IBUG68, SCHEMES, WFLW98, Scheme, to_scheme, wflw98_to_ibug68
from asmnet.core.metrics import auc, ced, failure_rate, jitter, nme, pose_mae
from asmnet.core.pose import (
    ANGLES,
    euler_from_rotation,
    mirror_pose,
    rotate_pose,
    rotation_from_euler,
)
from asmnet.core.regression import from_complex, ridge_regression, to_complex
from asmnet.core.signals import Event, FaceSignals, SignalTracker
from asmnet.core.spec import ModelSpec, embed_spec, read_spec
from asmnet.core.strict_json import parse_json

__all__ = [
    "ANGLES",
    "Crop",
    "Event",
    "FIELD_OF_VIEW",
    "FaceSignals",
    "IBUG68",
    "IMAGE_SUFFIXES",
    "PixelOps",
    "ModelSpec",
    "SCHEMES",
    "Scheme",
    "SignalTracker",
    "UserError",
    "WFLW98",
    "atomic_path",
    "auc",
    "ced",
    "cli_errors",
    "embed_file",
    "embed_spec",
    "embedded_file",
    "euler_from_rotation",
    "extract",
    "failure_rate",
    "focal_length",
    "from_complex",
    "head_position",
    "jitter",
    "mirror_pose",
    "nme",
    "parse_json",
    "pose_mae",
    "read_spec",
    "remove_temporaries",
    "ridge_regression",
    "rotate_pose",
    "rotation_from_euler",
    "to_complex",
    "to_scheme",
    "wflw98_to_ibug68",
]
