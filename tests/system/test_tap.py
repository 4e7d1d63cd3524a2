# SPDX-License-Identifier: Apache-2.0
"""T28: a copy of a stream to a port, for a while: ofmcastctl tap."""

import time

import pytest
from procs import wait_until
from scene import GROUP, LONG, PORT, wait_silence

RATE = 1000


@pytest.fixture
def config():
    return LONG


def tap(net, host, *options, group=GROUP):
    return net.daemon.ctl("tap", group, "--switch", "1", "--port",
                          host.port_name, *options)


def members(net):
    return net.rest.list("members")


def test_a_tap_begins_and_costs_the_others_nothing(net):
    h2, h3, _, h5 = net.hosts
    receivers = [h.receive(GROUP, PORT) for h in (h2, h3)]
    net.wait_members(h2, h3)
    stream = net.stream(rate=RATE, count=0)
    receivers[0].wait_for(200)
    wire = h5.tap()

    begun = time.monotonic()
    text = tap(net, h5, "--lease", "10")
    wire.wait_for(1)
    # A second is meant; ofmcastctl has to start, too.
    assert time.monotonic() - begun < 8
    assert f"tcpdump -ni any dst host {GROUP}" in text
    [member] = members(net)
    assert member["lease"] == 10
    assert 0 < member["expires_s"] <= 10.1

    # It ends by itself; what it showed is without a gap.
    wait_until(lambda: not members(net), 15, "the lease ends")
    assert 9.5 < time.monotonic() - begun < 20
    net.wait_members(h2, h3)
    wait_silence(wire)
    receivers[0].wait_for(receivers[0].received + 300)
    stream.stop()
    result = wire.stop()
    assert (result["missing"], result["duplicated"]) == (0, 0)
    for receiver in receivers:
        result = receiver.stop()
        assert (result["missing"], result["duplicated"]) == (0, 0)
        assert result["unique"] > 500


def test_writing_it_again_renews_it_and_stop_ends_it(net):
    h5 = net.hosts[3]
    tap(net, h5, "--lease", "2")
    begun = time.monotonic()

    def renewed():
        tap(net, h5, "--lease", "2")
        return time.monotonic() - begun > 4
    wait_until(renewed, 10, "twice its length")
    assert len(members(net)) == 1
    tap(net, h5, "--lease", "600")
    [member] = members(net)
    assert 590 < member["expires_s"] <= 600
    # What the server says may be sent back.
    net.rest.put(f"/v1/members/{member['name']}", member)
    tap(net, h5, "--stop")
    assert members(net) == []


def test_a_lease_goes_on_while_the_daemon_is_dead(net):
    """And a killed daemon leaves the copies flowing."""
    h2, *_, h5 = net.hosts
    receiver = h2.receive(GROUP, PORT)
    net.wait_members(h2)
    stream = net.stream(rate=RATE, count=0)
    wire = h5.tap()
    begun = time.monotonic()
    tap(net, h5, "--lease", "12")
    wire.wait_for(100)
    net.daemon.kill()
    net.daemon.start().wait_synced(net.s1)
    [member] = members(net)
    assert member["expires_s"] < 12.1 - (time.monotonic() - begun) + 1
    wire.wait_for(wire.received + 100)
    wait_until(lambda: not members(net), 20, "the lease ends")
    assert 11.5 < time.monotonic() - begun < 20
    net.wait_members(h2)
    stream.stop()
    for one in (receiver.stop(), wire.stop()):
        assert (one["missing"], one["duplicated"]) == (0, 0)
    net.wait_members()

    # One that ended meanwhile is gone from the store as well.
    tap(net, h5, "--lease", "1")
    net.daemon.kill()
    begun = time.monotonic()
    wait_until(lambda: time.monotonic() - begun > 1.1, 5, "it is over")
    net.daemon.start().wait_synced(net.s1)
    wait_until(lambda: not members(net), 5, "nothing is left")
    net.wait_members()
    net.daemon.kill()
    net.daemon.start().wait_synced(net.s1)
    assert members(net) == []


def test_what_a_route_takes_away_is_tapped_by_its_own_group(net):
    """To a port, rewritten: the tap sees it as the route's flow makes it,
    without what is done for the port alone."""
    h2, *_, h5 = net.hosts
    net.put_route({"match": {"group": GROUP}, "set": {"source": "10.1.0.10"},
                   "to": [{"dpid": "1", "port": h2.port_name,
                           "set": {"group": "239.1.1.1"}}]})
    port, wire = h2.tap(), h5.tap()
    stream = net.stream(rate=RATE, count=0)
    port.wait_for(200)
    assert wire.received == 0
    tap(net, h5)
    wire.wait_for(200)
    [output] = [o for o in net.rest.get("/v1/routes/hdmi")["status"][0]
                ["outputs"] if o["port_name"] == h5.port_name]
    assert output["origins"] == ["static"]
    tap(net, h5, "--stop")
    wait_silence(wire)
    port.wait_for(port.received + 300)
    stream.stop()
    result = wire.stop()
    assert (result["missing"], result["duplicated"]) == (0, 0)
    assert {(p["arrived"]["source"], p["arrived"]["group"])
            for p in result["paths"]} == {("10.1.0.10", GROUP)}
    result = port.stop()
    assert (result["missing"], result["duplicated"]) == (0, 0)


@pytest.mark.parametrize("body,pointer", [
    ({"lease": 0}, "/lease"), ({"lease": 86401}, "/lease"),
    ({"lease": "60"}, "/lease"), ({"lease_ends": 5}, "/lease_ends")])
def test_leases_that_make_no_sense_are_refused(net, body, pointer):
    answer = net.rest.request("PUT", "/v1/members/m", {
        "dpid": "1", "port": "9", "group": GROUP, **body})
    assert (answer.status, answer.json["pointer"]) == (422, pointer)
