"""The runtime's numbers, which the Java core holds too."""

from __future__ import annotations

import numpy as np

from asmnet.core import head as head_module
from asmnet.core import signals as signals_module
from asmnet.core.spec import LONGEST, RANGES
from asmnet.edge_runtime import detector as detector_module
from asmnet.edge_runtime.tracking import association as association_module
from asmnet.edge_runtime.tracking import scene_cuts as scene_cuts_module
from asmnet.edge_runtime.tracking import search as search_module
from asmnet.edge_runtime.tracking import tracker as tracker_module
from asmnet.edge_runtime.tracking import tracks as tracks_module
from asmnet.edge_runtime.tracking.smoothing import OneEuro

Vectors = dict[str, np.ndarray]


def constants() -> Vectors:
    """The runtime's numbers, by the Java class that holds them under the same names."""
    homes = {
        "FaceTracker": (tracker_module, "VERIFY_CORRELATION VERIFY_EVERY VERIFY_ANYHOW NEW_SCORE "
                        "KEEP_SCORE SURE_SCORE CHECK_ROTATION_DEG MAX_ROTATION_DRIFT "
                        "DUPLICATE_IOU MAX_LOST_SECONDS RECROP_THRESHOLD"),
        "FaceSearch": (search_module, "SEARCH_PAUSE SEARCH_MORE DETECT_SCALE"),
        "SceneCutDetector": (scene_cuts_module, "CUT_CORRELATION"),
        "Association": (association_module, "LEAST_INSIDE MOST_GROWTH MOST_MOVE MIN_CORRELATION"),
        "Track": (tracks_module, "POINTS_FILTER POSE_FILTER"),
        "Detection": (detector_module, "_DOWN _SCALE"),
        "FaceDetector": (detector_module, "_OVERLAP _SIZE"),
        "HeadPosition": (head_module, "FIELD_OF_VIEW SOLID SOLID_POINTS"),
        "SignalTracker": (signals_module, "CLOSED LEAST_CLOSED MOST_CLOSED RISE FALL FORGET SHUT "
                          "REOPENED LONGEST_BLINK WIDE_MOUTH YAWNING YAWNED SHORTEST_YAWN"),
    }  # fmt: skip
    out: Vectors = {"constant/OneEuro/SPEED_CUTOFF": np.array([OneEuro(1, 1).speed_cutoff])}
    for name, limits in RANGES.items():
        out[f"constant/ModelSpec/{name.upper()}"] = np.array(limits, np.float64)
    out["constant/ModelSpec/LONGEST"] = np.array([LONGEST], np.float64)
    for home, (module, names) in homes.items():
        for name in names.split():
            value = np.atleast_1d(np.float64(getattr(module, name)))
            out[f"constant/{home}/{name.lstrip('_')}"] = value
    return out
