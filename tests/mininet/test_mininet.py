# SPDX-License-Identifier: Apache-2.0
"""The mininet topologies of lab/topo.py, with ofmcastd as their controller."""

import json
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "lab"))

from lab import Lab  # noqa: E402
from procs import build_dir, exit_on_signals  # noqa: E402
from rest import Daemon  # noqa: E402

N = 2000


@pytest.fixture
def config():
    return ""


@pytest.fixture
def ofmcast(config):
    if os.getuid():
        pytest.skip("needs root")
    exit_on_signals()
    with Lab(controller=None) as lab:
        daemon = Daemon(lab, config).start()
        daemon.rest.put("/v1/routes/hdmi", {
            "match": {"source": "192.168.168.55", "group": "226.2.2.2"},
            "set": {"source": "10.1.0.200"}})
        yield daemon
        print(daemon.process.log())
        assert daemon.stop() == 0


def play(ofmcast, *topology, join, watch):
    process = ofmcast.lab.home.spawn(
        "mininet", sys.executable, os.path.join(HERE, "play.py"), *topology,
        env={"OFMCAST_BUILD": build_dir()},
        stdin=json.dumps({"join": join, "watch": watch, "count": N}))
    status = process.wait(90)
    assert status == 0, process.log()
    return json.loads(process.output())


def expect(results, got, not_got):
    for name in got:
        result = results[name]
        assert (result["unique"], result["duplicated"], result["missing"],
                result["damaged"]) == (N, 0, 0, 0), name
        assert [p["arrived"]["source"] for p in result["paths"]] \
            == ["10.1.0.200"]
    for name in not_got:
        assert results[name]["received"] == 0, name


def test_single(ofmcast):
    results = play(ofmcast, "single", "4", join=["h2", "h3"], watch=["h4"])
    expect(results, ["h2", "h3"], ["h4"])


def test_tree(ofmcast):
    """The root of a tree of depth 1."""
    results = play(ofmcast, "tree", "1", "3", join=["h3"], watch=["h2"])
    expect(results, ["h3"], ["h2"])


@pytest.mark.parametrize("config", ["l2: fabric\n"])
def test_leaf_spine(ofmcast):
    """Members behind other leaves, and a route at the first."""
    results = play(ofmcast, "leafspine", "4", "2", "2",
                   join=["h2", "h3", "h7"], watch=["h4", "h8"])
    expect(results, ["h2", "h3", "h7"], ["h4", "h8"])


@pytest.mark.parametrize("topology", [
    "single,3", "linear,2", "tree,2,2", "leafspine,4,2,4",
    "leafspine,2,2,2 --controller remote", "ring,4,1", "fattree,4",
    "twobridges,2"])
def test_mn(topology):
    """mn --custom lab/topo.py, as lab/mn runs it: all hosts reach each
    other."""
    done = subprocess.run(
        [os.path.join(TOP, "lab", "mn"), "--topo", *topology.split(),
         "--test", "pingall"], capture_output=True, text=True, timeout=120,
        env={**os.environ, "OFMCAST_BUILD": build_dir()})
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert " 0% dropped" in said, said
