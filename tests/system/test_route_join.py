# SPDX-License-Identifier: Apache-2.0
"""T19: behind a snooping switch a route gets its stream though nobody has
joined it, because ofmcast asks for it; and goes on getting it."""

import pytest
from peers import SnoopingBridge
from procs import wait_until
from scene import GROUP, PORT, SHORT, Net, settings, wait_silence

# The bridge is the querier: its address is lower.
CONFIG = settings(SHORT, querier_address="10.1.0.250")


@pytest.fixture
def config():
    return CONFIG


class Upstream(Net):
    """sender - bridge - s1 - hosts"""

    def __init__(self, daemon):
        super().__init__(daemon, ["h2", "h3", "h4"])
        self.segment = self.lab.add_segment(self.s1, "up")
        self.bridge = SnoopingBridge(self.segment, "10.1.0.200/24",
                                     "").start()
        [self.sender] = self.segment.add("sender")
        wait_until(lambda: [q for q in self.rest.list("queriers")
                            if q["address"] == "10.1.0.200"], 10,
                   "the bridge is the querier")

    def put(self, match=None, **more):
        return self.rest.put("/v1/routes/r", {
            "match": {"group": GROUP, **(match or {})},
            "set": {"source": "10.1.0.10"},
            "to": [{"dpid": "1", "port": self.hosts[0].port_name}], **more})

    def sends(self, count=0, **options):
        return self.sender.send(GROUP, PORT, 500, count, **options)


@pytest.fixture
def up(ofmcast):
    return Upstream(ofmcast)


def test_a_route_to_a_port_gets_its_stream_beyond_the_membership_time(up):
    wire = up.hosts[0].tap()
    up.put()
    up.bridge.wait_joined(GROUP)
    n = int(2.4 * up.bridge.MEMBERSHIP * 500)
    up.sends(n).wait()
    assert up.bridge.joined(GROUP)
    result = wire.wait_for(n - 400).stop()
    assert (result["missing"], result["duplicated"]) == (0, 0)
    assert result["unique"] >= n - 400
    assert up.rest.list("groups") == []  # It made no member.


def test_with_join_never_nothing_comes(up):
    wire = up.hosts[0].tap()
    body = up.put(join="never")
    assert body["join"] == "never"
    stream = up.sends(count=int(1.2 * up.bridge.MEMBERSHIP * 500))
    stream.wait()
    assert not up.bridge.joined(GROUP)
    assert wire.stop()["received"] == 0

    # The control: the same with it.
    wire = up.hosts[0].tap()
    up.put(join="always")
    up.bridge.wait_joined(GROUP)
    stream = up.sends()
    wire.wait_for(200)

    # A route that goes leaves; the wire is silent long before a membership
    # would have ended.
    up.rest.delete("/v1/routes/r")
    up.bridge.wait_left(GROUP, 2)
    wait_silence(wire)
    stream.stop()


def test_it_is_asked_for_at_the_route_s_own_port_only(up):
    h3 = up.hosts[1]
    up.put({"dpid": "1", "port": h3.port_name})
    up.sends(count=500).wait()
    assert not up.bridge.joined(GROUP)
    # The name, as the bridge's port is called.
    up.put({"dpid": "1", "port": up.segment.port_name})
    up.bridge.wait_joined(GROUP)


def test_members_who_ask_themselves_are_not_doubled(up):
    """auto: a plain route leaves it to its members."""
    h2, *_ = up.hosts
    up.rest.put("/v1/routes/r", {"match": {"group": GROUP},
                                 "set": {"source": "10.1.0.10"}})
    up.sends(count=300).wait()
    assert not up.bridge.joined(GROUP)
    receiver = h2.receive(GROUP, PORT)
    up.bridge.wait_joined(GROUP)
    receiver.stop()
    up.bridge.wait_left(GROUP, 2)

    # Its members have joined another group: then it has to.
    up.rest.put("/v1/routes/r", {"match": {"group": GROUP},
                                 "set": {"group": "239.1.1.1"}})
    up.bridge.wait_joined(GROUP)


@pytest.mark.parametrize("match", [
    {"source": "192.168.168.55"}, {"source": "192.168.168.0/24"}, {}],
    ids=["host", "prefix", "any"])
def test_who_wants_only_the_rewritten_source_is_spoken_for_by_the_sent(
        up, match):
    """The bridge, which goes by sources, would keep the stream else."""
    wanted = "10.1.0.55"
    made = "10.1.0.0/24" if "/" in match.get("source", "") else wanted
    up.rest.put("/v1/routes/r", {"match": {"group": GROUP, **match},
                                 "set": {"source": made}})
    receiver = up.hosts[0].receive(GROUP, PORT, source=wanted)
    up.bridge.wait_joined(GROUP)
    up.sends(source="192.168.168.55")
    receiver.wait_for(300)
    # Who wants another one is not served, nor does the bridge hear of more.
    receiver.stop()
    up.bridge.wait_left(GROUP, 2)
    up.hosts[0].receive(GROUP, PORT, source="172.16.0.1")
    up.bridge.wait_joined(GROUP)
    joined = up.bridge.joined(GROUP)
    assert joined.pop("")["filter_mode"] == "include"
    assert list(joined) == ["172.16.0.1"]
