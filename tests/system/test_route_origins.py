# SPDX-License-Identifier: Apache-2.0
"""Trap I: what a route names, what the operator has set, and what hosts have
joined are one entry: one copy, each origin shown, and each goes by itself."""

import pytest
from procs import wait_until
from scene import GROUP, LONG, PORT

MEMBER = "/v1/members/fixed"
SOURCE = "10.1.0.10"


@pytest.fixture
def config():
    return LONG


class Play:
    def __init__(self, net):
        self.net = net
        self.port = net.hosts[0].port_name

    def route(self, named=True):
        self.net.put_route({
            "match": {"group": GROUP}, "set": {"source": SOURCE},
            "to": [{"members": True}]
            + ([{"dpid": "1", "port": self.port}] if named else [])})

    def fix(self):
        self.net.rest.put(MEMBER, {"dpid": "1", "port": self.port,
                                   "group": GROUP})

    def origins(self):
        """As the route tells them, and as the group does."""
        outputs = self.net.rest.get("/v1/routes/hdmi")["status"][0]["outputs"]
        route = [o["origins"] for o in outputs
                 if o["port_name"] == self.port]
        group = [(m["origin"], m.get("static", []))
                 for g in self.net.rest.list("groups")
                 for m in g["members"] if m["port_name"] == self.port]
        return route, group

    def wait(self, route, group):
        want = ([route] if route else [], [group] if group else [])
        wait_until(lambda: self.origins() == want, 10, f"{want}")


@pytest.mark.parametrize("first", ["route", "static", "igmp"])
def test_three_reasons_make_one_copy_and_each_goes_alone(net, first):
    """Nothing is lost or doubled at 1000 packets/s while reasons go; the last
    one stops it."""
    h2 = net.hosts[0]
    play = Play(net)
    play.route()
    play.fix()
    igmp = h2.receive(GROUP, PORT)
    play.wait(["route", "igmp", "static"], ("igmp", ["fixed"]))
    wire = h2.tap()
    stream = net.stream(rate=1000, count=0)
    wire.wait_for(300)

    goes = {"route": lambda: play.route(named=False),
            "static": lambda: net.rest.delete(MEMBER),
            "igmp": igmp.leave}
    group = {"route": ("igmp", ["fixed"]), "static": ("igmp", []),
             "igmp": ("static", ["fixed"])}
    goes[first]()
    play.wait([o for o in ("route", "igmp", "static") if o != first],
              group[first])
    wire.wait_for(wire.received + 300)
    # And back again.
    if first == "route":
        play.route()
    elif first == "static":
        play.fix()
    else:
        igmp.stop()
        igmp = h2.receive(GROUP, PORT)
    play.wait(["route", "igmp", "static"], ("igmp", ["fixed"]))
    wire.wait_for(wire.received + 300)

    # One after the other, to the last.
    left = {"route", "static", "igmp"}
    goes["igmp"] = igmp.leave
    for one in (first, *sorted(left - {first})):
        seen = wire.received
        goes[one]()
        left.discard(one)
        if left:
            wire.wait_for(seen + 300)
    wait_until(lambda: play.origins()[0] == [], 10, "nothing is left")
    stream.stop()
    result = wire.stop()
    assert (result["missing"], result["duplicated"]) == (0, 0)
    assert {p["arrived"]["source"] for p in result["paths"]} == {SOURCE}
    igmp.stop()
