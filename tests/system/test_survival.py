# SPDX-License-Identifier: Apache-2.0
"""The daemon or the switch dies, and the streams flow on."""

import time

import pytest
from procs import wait_until
from scene import GROUP, LONG, PORT, ROUTE, SHORT, expect_all

FLOW = {"dpid": "1", "flow": "table=0,priority=7,udp,nw_dst=239.99.0.1,"
        "actions=drop"}


@pytest.fixture
def config():
    return LONG


def everything(net):
    """What must be the same again: flows without their counters, groups."""
    flows = [f for f in net.s1.flows("") if "table=0" in f or "udp" in f]
    return (sorted(f.partition(" actions=")[2] for f in flows),
            {i: g["text"] for i, g in net.s1.groups().items()})


def test_killed_under_a_stream(net):
    """kill -9 and a restart: nothing is lost, doubled or installed again."""
    h2, h3, *_ = net.hosts
    net.put_route()
    net.rest.put("/v1/flows/mine", FLOW)
    receivers = [h.receive(GROUP, PORT) for h in (h2, h3)]
    net.wait_members(h2, h3)
    before = everything(net)
    ages = net.s1.group_ages()
    measured = time.monotonic()
    stream = net.stream(rate=2000, count=0)
    receivers[0].wait_for(2500)

    net.daemon.kill()
    net.daemon.start().wait_synced(net.s1)

    # It has adopted what was there, and queried; the stream still flows.
    # What belongs to members must stay even after the query's answers came.
    receivers[0].wait_for(receivers[0].received + 5000)
    n = stream.stop()["sent"]
    for receiver in receivers:
        receiver.wait_for(n)
    # Before they leave, of which the groups soon tell.
    assert everything(net) == before
    passed = time.monotonic() - measured
    for group, age in net.s1.group_ages().items():
        assert age > ages[group] + passed - 1, "the group was added again"
    assert net.rest.counter(net.s1, "group_mods") == 0
    for receiver in receivers:
        expect_all(receiver.stop(), n)
    assert [r["name"] for r in net.rest.list("routes")] == ["hdmi"]
    assert [f["name"] for f in net.rest.list("flows")] == ["mine"]


@pytest.mark.parametrize("config", [SHORT], ids=[""])
def test_a_member_that_left_while_it_was_away_is_gone(net):
    h2, h3, *_ = net.hosts
    leaving, staying = [h.receive(GROUP, PORT) for h in (h2, h3)]
    net.wait_members(h2, h3)

    net.daemon.kill()
    leaving.stop()  # Its IGMP leave goes nowhere.
    net.daemon.start().wait_synced(net.s1)

    net.wait_members(h3, seconds=20)
    staying.stop()


def test_the_switch_restarts(net):
    """All state is back soon after the connection."""
    h2, h3, *_ = net.hosts
    net.put_route()
    net.rest.put("/v1/flows/mine", FLOW)
    receivers = [h.receive(GROUP, PORT) for h in (h2, h3)]
    net.wait_members(h2, h3)
    before = everything(net)

    net.lab.kill_vswitchd()
    wait_until(lambda: not net.rest.switch(net.s1)["connected"], 10,
               "the daemon notices")
    net.lab.start_vswitchd()
    wait_until(lambda: net.rest.switch(net.s1)["connected"], 15, "connected")
    wait_until(lambda: everything(net)[0] == before[0], 5, "flows are back")
    net.wait_members(h2, h3, seconds=5)
    assert everything(net) == before

    net.stream(rate=2000, count=2000).wait()
    for receiver in receivers:
        result = receiver.wait_for(2000).stop()
        expect_all(result, 2000)


def is_sanitized(daemon):
    with open(f"/proc/{daemon.process.pid}/maps", encoding="ascii") as f:
        return "libasan" in f.read()


def test_sigterm_ends_it_soon_and_leaves_the_streams(net):
    h2 = net.hosts[0]
    receiver = h2.receive(GROUP, PORT)
    net.put_route()
    net.wait_members(h2)
    stream = net.stream(rate=2000, count=6000)
    receiver.wait_for(500)

    # On a busy machine; with a sanitizer it looks for leaks, too.
    limit = 4 if is_sanitized(net.daemon) else 2
    started = time.monotonic()
    assert net.daemon.stop() == 0
    assert time.monotonic() - started < limit

    stream.wait()
    expect_all(receiver.wait_for(6000).stop(), 6000)


def test_accepted_writes_survive_a_kill(ofmcast):
    """Also those for switches that are not there."""
    names = [f"r{i}" for i in range(40)]
    for name in names:
        ofmcast.rest.put(f"/v1/routes/{name}", ROUTE if name == "r0" else {
            "match": {"dpid": "77", "port": "p1",
                      "group": f"239.1.{name[1:]}.1"},
            "set": {"ttl": 3}})
    ofmcast.kill()
    ofmcast.start()
    assert sorted(r["name"] for r in ofmcast.rest.list("routes")) \
        == sorted(names)
