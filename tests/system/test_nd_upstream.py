# SPDX-License-Identifier: Apache-2.0
"""IPv6 across a snooping switch upstream.  A Linux bridge prunes link-local
groups too: a neighbour solicitation crosses it only toward ports that
reported its solicited-node group."""

import subprocess

import pytest
from peers import SnoopingBridge
from procs import LabError, wait_until
from scene import MEMBERSHIP, SHORT, Net, settings

# Above the bridge's, whose own is made of its MAC address: it is the querier.
CONFIG = settings(SHORT, mld_querier_address="fe80::ffff:1:1:1")


@pytest.fixture
def config():
    return CONFIG


@pytest.fixture
def up(ofmcast):
    net = Net(ofmcast, ["h2", "h3"], ipv6=True)
    segment = net.lab.add_segment(net.s1, "up")
    net.bridge = SnoopingBridge(segment,
                                address6="fe80::1:1:1:1/64").start()
    [net.peer] = segment.add("peer", ipv6=True)
    wait_until(lambda: [q for q in net.rest.list("queriers")
                        if q["family"] == 6 and not q["ours"]], 10,
               "the bridge is the querier")
    return net


def solicited(host):
    return f"ff02::1:ff00:{int(host.ip6.split(':')[-1], 16):x}"


def resolves(peer, host):
    """Does the peer find the host anew?"""
    peer.run("ip", "-6", "neigh", "flush", "dev", peer.iface)
    try:
        peer.run("ping", "-6", "-nc", "1", "-W", "3", host.ip6)
    except (LabError, subprocess.CalledProcessError):
        return False
    return True


def test_neighbours_find_each_other_through_a_snooping_bridge(up):
    host = up.hosts[0]
    up.bridge.wait_joined(solicited(host))
    # It sends nothing to members before its first query can be answered.
    wait_until(lambda: resolves(up.peer, host), 5, "an answer")
    # Beyond two memberships of the bridge, in which only reports that are
    # passed on keep its entries.
    joined = []
    for _ in range(int(2 * MEMBERSHIP / 0.5)):
        assert resolves(up.peer, host)
        assert resolves(host, up.peer)
        joined.append(bool(up.bridge.joined(solicited(host))))
        host.run("sleep", "0.5")
    assert all(joined)

    # The control: without a word upstream it is this bridge that cuts it off.
    up.daemon.reload(settings(CONFIG, upstream="none"))
    up.bridge.wait_left(solicited(host), 3 * MEMBERSHIP)
    assert not resolves(up.peer, host)

    up.daemon.reload(CONFIG)
    up.bridge.wait_joined(solicited(host), 2 * MEMBERSHIP)
    assert resolves(up.peer, host)
