# SPDX-License-Identifier: Apache-2.0
"""A switch that comes back while its old connection still seems to be there:
its computer crashed, or the network between swallowed the end of it."""

from peer import Peer
from procs import wait_until


def test_a_dead_connection_makes_way(ofmcast):
    """Sooner than an idle one is given up, after two intervals of 5 s."""
    with Peer(ofmcast.netns, 1) as old:
        wait_until(lambda: ofmcast.rest.list("switches"), 5, "connected")
        old.awake = False
        s1 = ofmcast.lab.add_switch("s1", 1)
        ofmcast.wait_synced(s1, seconds=6)


def test_a_living_connection_stays(ofmcast):
    """Whoever else claims to be this switch is refused."""
    s1 = ofmcast.lab.add_switch("s1", 1)
    ofmcast.wait_synced(s1)
    peer = ofmcast.rest.switch(s1)["peer"]
    for _ in range(3):
        with Peer(ofmcast.netns, 1) as other:
            other.wait_closed()
    assert ofmcast.rest.switch(s1)["peer"] == peer
