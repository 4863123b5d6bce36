"""300W-LP's labels: head poses of turned copies."""

import sys

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from asmnet.core import UserError
from asmnet.data.datasets import read_dataset


@pytest.fixture
def turned(tmp_path, rng):
    """A picture in 300W-LP's layout, and its label."""
    label = {
        "Pose_Para": np.array([[0.1, -0.5, 0.2, 3, 4, 5, 6]]),
        "pt2d": rng.uniform(5, 75, (2, 68)),
    }
    (tmp_path / "AFW").mkdir()
    Image.new("RGB", (80, 80)).save(tmp_path / "AFW" / "a_0.jpg")
    savemat(tmp_path / "AFW" / "a_0.mat", label)
    savemat(tmp_path / "AFW" / "a_0_pts.mat", {"pts_2d": label["pt2d"].T})
    return tmp_path, label


def test_300w_lp(turned):
    root, label = turned
    data = read_dataset(f"300wlp:{root}")
    (face,) = data.faces
    assert not data.landmarks, "the points of turned copies are the unturned photograph's"
    np.testing.assert_allclose(face.pose, np.degrees([-0.5, 0.1, 0.2]))
    np.testing.assert_allclose(face.points.T + 1, label["pt2d"])


def test_a_bad_label_of_300w_lp_is_left_out_if_asked(turned):
    root, label = turned
    Image.new("RGB", (80, 80)).save(root / "AFW" / "b_0.jpg")
    savemat(root / "AFW" / "b_0.mat", label | {"pt2d": np.ones((2, 21))})
    with pytest.raises(UserError, match="b_0.mat"):
        read_dataset(f"300wlp:{root}")
    data = read_dataset(f"300wlp:{root}", skip_bad=True)
    assert (len(data.faces), len(data.skipped)) == (1, 1)


def test_bad_300w_lp(turned, monkeypatch):
    root, label = turned
    with pytest.raises(UserError, match="no subset 'pose'"):
        read_dataset(f"300wlp:{root}", "pose")
    with pytest.raises(UserError, match="nowhere"):
        read_dataset(f"300wlp:{root / 'nowhere'}")
    (root / "empty").mkdir()
    with pytest.raises(UserError, match="no .mat"):
        read_dataset(f"300wlp:{root / 'empty'}")
    mistakes = [
        {"pt2d": label["pt2d"]},
        label | {"pt2d": np.ones((2, 21))},
        label | {"pt2d": np.ones((2, 68))},
        label | {"Pose_Para": np.full((1, 7), np.nan)},
        label | {"Pose_Para": np.full((1, 7), 1e300)},
    ]
    for bad in mistakes:
        savemat(root / "AFW" / "a_0.mat", bad)
        with pytest.raises(UserError, match="a_0.mat"):
            read_dataset(f"300wlp:{root}")
    (root / "AFW" / "a_0.mat").write_bytes(b"no MATLAB file, but as long as a header" * 9)
    with pytest.raises(UserError, match="a_0.mat"):
        read_dataset(f"300wlp:{root}")
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(UserError, match="pip install scipy"):
        read_dataset(f"300wlp:{root}")
