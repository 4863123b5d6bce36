"""A Ray cluster of two nodes on this machine, of which one is lost half way."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from asmnet.edge_runtime.batch.cli import main

pytestmark = pytest.mark.slow


def test_a_lost_node_does_not_change_a_byte(clips, command, content, tmp_path):
    pytest.importorskip("ray", reason="needs ray")
    from ray.cluster_utils import Cluster

    alone, out = tmp_path / "alone", tmp_path / "out"
    subprocess.run(command(clips, alone), check=True, capture_output=True)
    cluster = Cluster(initialize_head=True, head_node_args={"include_dashboard": False})
    try:
        node = cluster.add_node()
        words = [*command(clips, out, "--ray", cluster.address), "--workers", "2"]
        run = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        while len(list(out.glob("*.csv"))) < 4 and run.poll() is None:
            time.sleep(0.01)
        cluster.remove_node(node, allow_graceful=False)
        assert run.wait(timeout=200) == 0
    finally:
        cluster.shutdown()
    assert content(out) == content(alone)


def test_no_cluster_is_one_sentence(archive, tmp_path, refused):
    pytest.importorskip("ray", reason="needs ray")
    line = refused(main, archive, "-o", tmp_path, "--ray", "127.0.0.1:9")
    assert "no Ray cluster answers at 127.0.0.1:9" in line


def test_without_ray_it_is_one_sentence(archive, tmp_path, refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    line = refused(main, archive, "-o", tmp_path, "--ray", "auto")
    assert "pip install 'asmnet[cluster]'" in line
