"""Reader of 300W-LP: photographs turned by computer up to 90 degrees, with the head's pose.

Zhu et al., "Face Alignment Across Large Poses" (CVPR 2016).  A `.mat` beside each
picture holds `Pose_Para`, which begins with pitch, yaw and roll in radians and in the
convention of core/pose.py, and `pt2d`, 68 points counted from 1.  Those points are the
photograph's, the same for all its turned copies (github.com/cleardusk/3DDFA/issues/192):
they tell where the face is, not where its landmarks are.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from asmnet.core import IBUG68, UserError
from asmnet.data.faces import Dataset, LabelledFace, check_labels, collect, picture_of

__all__ = ["read_300wlp"]


def read_300wlp(root: Path, skip_bad: bool = False) -> Dataset:
    """Read 300W-LP's poses, with points that are good for a box only.

    Args:
        root: searched for `.mat` files, with its sub-folders; `…_pts.mat`, which hold
            no poses, are left out.
        skip_bad: count malformed files and go on, instead of raising.

    Raises:
        UserError: nothing to read, a malformed file, or scipy is not installed.
    """
    if not root.is_dir():
        raise UserError(f"{root} is not a folder; give the folder that holds 300W-LP's .mat files")
    labels = sorted(p for p in root.rglob("*.mat") if not p.stem.endswith("_pts"))
    if not labels:
        raise UserError(f"{root} holds no .mat files; is it 300W-LP's folder?")
    try:
        from scipy.io import loadmat  # of use here only, so that no extra for users brings it
    except ModuleNotFoundError as error:
        raise UserError(
            "300W-LP's .mat files are read with scipy, which is not installed: pip install scipy"
        ) from error

    def face(path: Path) -> LabelledFace:
        image = picture_of(path)
        try:
            label = loadmat(path, variable_names=["Pose_Para", "pt2d"])
            pitch, yaw, roll = np.degrees(np.asarray(label["Pose_Para"], np.float64).ravel()[:3])
            points = np.asarray(label["pt2d"], np.float64).T - 1.0
        except Exception as error:  # scipy raises whatever zlib, struct or numpy raised
            raise UserError(
                f"{path} does not read as a label of 300W-LP ({type(error).__name__}: {error})"
            ) from error
        pose = np.array([yaw, pitch, roll])
        if points.shape != (IBUG68.count, 2):
            raise UserError(f"{path}: expected pt2d (2, 68), found {points.T.shape}")
        check_labels(str(path), points, pose)
        return LabelledFace(image, points, pose)

    return replace(collect(IBUG68, labels, face, skip_bad), landmarks=False)
