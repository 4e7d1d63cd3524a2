# SPDX-License-Identifier: Apache-2.0
"""Two ofmcast on one network, each with a switch of its own: one of them is
the querier, and each is a router's side to the other."""

import os

import pytest
from procs import wait_until
from rest import Daemon, Rest
from scene import (MEMBERSHIP, PORT, SHORT, V4, V6, Net, expect_whole,
                   streams_of)

OPENFLOW, API = 6654, 8081
RATE = 500


class Neighbour(Daemon):
    """Another daemon, with ports and files of its own."""

    def __init__(self, lab, config):
        super().__init__(lab, config)
        self.rest = Rest(self.netns, API)
        self.state = os.path.join(lab.dir, "state2")
        self.config = os.path.join(lab.dir, "ofmcast2.yaml")
        os.makedirs(self.state)
        self.configure(config)

    @property
    def argv(self):
        argv = super().argv
        for name, value in (("--openflow", f"tcp:127.0.0.1:{OPENFLOW}"),
                            ("--api", f"127.0.0.1:{API}"),
                            ("--state-dir", self.state),
                            ("--config", self.config)):
            argv[argv.index(name) + 1] = value
        return argv


@pytest.fixture
def config():
    return SHORT


@pytest.fixture
def nets(ofmcast, lab):
    """s1 - s2, the first daemon's and the second one's."""
    second = Neighbour(lab, SHORT).start()
    one = Net(ofmcast, ["a2"], name="s1", dpid=1, ipv6=True)
    lab.controller = f"tcp:127.0.0.1:{OPENFLOW}"
    two = Net(second, ["b2"], name="s2", dpid=2, ipv6=True)
    lab.vsctl("add-port", "s1", "to-s2", "--", "set", "interface", "to-s2",
              "type=patch", "options:peer=to-s1", "--",
              "add-port", "s2", "to-s1", "--", "set", "interface", "to-s1",
              "type=patch", "options:peer=to-s2")
    yield one, two
    assert second.stop(20) == 0, second.process.log()


def queriers(net, family):
    return [q for q in net.rest.list("queriers") if q["family"] == family
            and q["ours"]]


@pytest.mark.parametrize("family", [V4, V6], ids=["ipv4", "ipv6"])
def test_streams_cross_between_two_daemons(nets, family):
    """Both ways, past two membership intervals, without any configuration."""
    members = [net.hosts[0].receive(family.group, PORT) for net in nets]
    number = 4 if family is V4 else 6
    wait_until(lambda: sum(len(queriers(n, number)) for n in nets) == 1, 20,
               "one of the two is the querier")
    sends = [net.extender.send(family.group, PORT, RATE, 0, stream=i)
             for i, net in enumerate(nets)]
    count = int(2.4 * MEMBERSHIP * RATE)
    for member in members:
        member.wait_for(2 * count)
    for sending in sends:
        sending.stop()
    for member in members:
        result = member.stop()
        assert result["duplicated"] == 0
        assert sorted(streams_of(result)) == [0, 1]
        for stream in streams_of(result).values():
            expect_whole(stream, last=count * 0.9)
