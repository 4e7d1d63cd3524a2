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
from topo import McastSwitch, OVSSwitch  # noqa: E402

N = 2000

# One after the other, beside the system tests: twenty switches of one are
# enough for a machine.
pytestmark = pytest.mark.xdist_group("mininet")


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
    "ring,4,1", "line,3,1", "fattree,4", "twobridges,2"])
def test_mn(topology):
    """mn --custom lab/topo.py, as lab/mn runs it: all hosts reach each
    other."""
    done = subprocess.run(
        [os.path.join(TOP, "lab", "mn"), "--topo", *topology.split(),
         "--test", "pingall"], capture_output=True, text=True, timeout=300,
        env={**os.environ, "OFMCAST_BUILD": build_dir()})
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert " 0% dropped" in said, said


@pytest.mark.parametrize("config", ["l2: fabric\n"])
@pytest.mark.parametrize("topology", ["leafspine,4,2,4", "ring,4,1"])
def test_mn_of_the_readme(ofmcast, topology):
    """mn itself, with mininet's own idea of a remote controller."""
    process = ofmcast.lab.home.spawn(
        # mn kills by name, see lab/mn.
        "mn", "unshare", "--pid", "--fork", "--mount-proc", "--kill-child",
        "mn", "--custom", os.path.join(TOP, "lab", "topo.py"),
        "--topo", topology, "--controller", "remote",
        "--ipbase", "10.1.0.0/24", "--test", "pingall")
    assert process.wait(120) == 0, process.log()
    assert " 0% dropped" in process.output() + process.log(), process.log()


def test_config_of_lab_mn(tmp_path):
    """Without a fabric no switch passes on what it does not know."""
    config = tmp_path / "ofmcast.yaml"
    config.write_text("l2: none\n")
    done = subprocess.run(
        [os.path.join(TOP, "lab", "mn"), "--config", config, "--topo",
         "twobridges,1", "--test", "pingall"],
        capture_output=True, text=True, timeout=300,
        env={**os.environ, "OFMCAST_BUILD": build_dir()})
    assert " 100% dropped" in done.stdout + done.stderr, done.stderr


COMMON = " table=10, priority=0 actions=goto_table:20\n"
FABRIC = COMMON + " table=10, priority=300,dl_type=0x88cc actions=...\n"


@pytest.mark.parametrize("flows, waits", [
    ("", True),                 # Not programmed yet.
    (COMMON, False),            # No fabric: nothing to find out.
    (FABRIC, True),
    (FABRIC + " table=10, priority=100,in_port=1 actions=...\n", True),
    (FABRIC + " table=10, priority=100,in_port=1 actions=...\n"
     " table=10, priority=100,in_port=12,vlan_tci=0 actions=...\n", False)])
def test_mn_waits_until_ports_are_known(monkeypatch, flows, waits):
    """Else the first packets of a quick user get lost, now and then."""
    switch = McastSwitch.__new__(McastSwitch)
    switch.ports = {"lo": 0, "s1-eth1": 1, "s1-eth12": 12}
    monkeypatch.setattr(OVSSwitch, "connected", lambda self: True)
    monkeypatch.setattr(McastSwitch, "dpctl", lambda self, *args: flows)
    assert switch.connected() == (not waits)
