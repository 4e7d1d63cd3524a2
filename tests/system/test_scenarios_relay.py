# SPDX-License-Identifier: Apache-2.0
"""The jobs of relays and static routes, T1 to T6 of doc/scenarios.md, each
beside what did it before."""

import pytest
from kernel import Mfc, Router
from plain import Ear, talker
from procs import wait_until
from scene import GROUP, LONG, PORT, expect_all, expect_nothing

RATE = 2000
N = 2000


@pytest.fixture
def config():
    return LONG


def arrived(result):
    """(source, group, port) of all that came."""
    return [tuple(p["arrived"][k] for k in ("source", "group", "port"))
            for p in result["paths"]]


def to_port(net, host, match, **changes):
    """A route from the extender's port to a host's."""
    return net.put_route(
        {"match": {"dpid": "1", "port": net.extender.port_name, **match},
         "to": [{"dpid": "1", "port": host.port_name}],
         **({"set": changes} if changes else {})}, f"to-{host.name}")


@pytest.mark.control
def test_t01_control_a_router_does_not_pass_it_on(lab):
    """The kernel with the very same route: its check of sources drops all;
    without that, the TTL of 1 does; and what gets through when the device
    sends a greater TTL (this one cannot) still comes from its own address."""
    router = Router(lab)
    with Mfc(router) as mfc:
        mfc.add_vif(0)
        mfc.add_vif(1)
        mfc.add("192.168.168.55", GROUP, 0, [1])

        receiver = router.sinks.receive(GROUP, PORT)

        def device(ttl):
            router.sender.send(GROUP, PORT, RATE, N, source="192.168.168.55",
                               ttl=ttl).wait()
        router.check_sources(True)
        before = router.refused()
        device(ttl=8)
        wait_until(lambda: router.refused() - before >= N, 5, "all dropped")
        router.check_sources(False)
        device(ttl=1)
        assert receiver.received == 0

        device(ttl=8)
        result = receiver.wait_for(N).stop()
        assert (result["unique"], result["duplicated"]) == (N, 0)
        assert arrived(result) == [("192.168.168.55", GROUP, PORT)]


RPF_GROUP, RPF_PORT = "224.1.1.1", 12345


def test_t02_the_rpf_lab(net):
    """A strict host gets what the sender's second address sent."""
    strict, *others = net.hosts
    strict.rp_filter(1)
    net.put_route({"match": {"source": "10.0.0.100", "group": RPF_GROUP},
                   "set": {"source": "10.1.0.10"}})
    ear = Ear(strict, RPF_GROUP, RPF_PORT)
    wires = [h.tap() for h in others]
    net.wait_members(strict)

    with talker(net.extender, "10.0.0.100") as s:
        s.sendto(b"RPF_TEST_PACKET", (RPF_GROUP, RPF_PORT))
    assert ear.hear()[:2] == (b"RPF_TEST_PACKET", "10.1.0.10")
    receiver = strict.receive(RPF_GROUP, RPF_PORT)
    net.extender.send(RPF_GROUP, RPF_PORT, RATE, N,
                      source="10.0.0.100").wait()

    expect_all(receiver.wait_for(N).stop(), N, group=RPF_GROUP)
    for wire in wires:
        expect_nothing(wire.stop())


@pytest.mark.control
def test_t02_control_the_router_drops_it(lab):
    """It hears the sender's first address and not the second: the packets are
    seen on its wire, and its check of sources counts each of them."""
    router = Router(lab)
    router.check_sources(True)
    receiver = router.receive(RPF_GROUP, PORT)
    wire = router.tap(group=RPF_GROUP)

    before = router.refused()
    router.sender.send(RPF_GROUP, PORT, RATE, N, source="10.0.0.100").wait()
    wait_until(lambda: router.refused() - before >= N, 5, "all dropped")
    router.sender.send(RPF_GROUP, PORT, RATE, N, source="192.168.1.1",
                       stream=1).wait()

    wait_until(lambda: max(p["received"] for p in receiver.progress()) >= N,
               10, "the sender's own address is heard")
    heard, _ = receiver.stop()
    assert heard["unique"] == N
    assert [s["id"] for s in heard["streams"]] == [1]
    assert wire.stop()[0]["unique"] == 2 * N


def test_t03_a_source_and_any_source(net):
    """(192.168.1.1, 224.1.1.1) and (*, 239.1.2.3), from one port to another;
    nobody else's packets, and none of another port."""
    receives, elsewhere, *_ = net.hosts
    to_port(net, receives, {"source": "192.168.1.1", "group": RPF_GROUP})
    net.put_route({"match": {"dpid": "1", "port": net.extender.port_name,
                             "group": "239.1.2.3"},
                   "to": [{"dpid": "1", "port": receives.port_name}]}, "any")
    wires = [receives.tap(), elsewhere.tap()]

    streams = [net.extender.send(RPF_GROUP, PORT, 500, 1000, stream=1,
                                 source="192.168.1.1"),
               net.extender.send(RPF_GROUP, PORT, 500, 1000, stream=2,
                                 source="192.168.1.2"),
               net.extender.send("239.1.2.3", PORT, 500, 1000, stream=3),
               # The right source by the wrong port.
               net.hosts[2].send(RPF_GROUP, PORT, 500, 1000, stream=4,
                                 source="192.168.1.1")]
    for stream in streams:
        stream.wait()

    result = wires[0].wait_for(2000).stop()
    assert (result["unique"], result["duplicated"]) == (2000, 0)
    assert [(s["id"], s["unique"]) for s in result["streams"]] \
        == [(1, 1000), (3, 1000)]
    expect_nothing(wires[1].stop())


@pytest.mark.control
def test_t03_control_the_cache_has_one_input(lab):
    """Two boards with the same address at two interfaces: one entry for both,
    with one input; the packets of the other count as wrong."""
    router = Router(lab, sinks=2)
    wire = router.sinks.tap()
    with Mfc(router) as mfc:
        for i in range(3):
            mfc.add_vif(i)
        mfc.add("10.0.0.2", "225.1.2.3", 0, [2])
        for i, board in enumerate((router.sender, router.sinks)):
            board.send("225.1.2.3", PORT, RATE, N, source="10.0.0.2", ttl=8,
                       stream=i).wait()
        wait_until(lambda: wire.progress()[1]["received"] >= N, 5, "arrived")
        _, result = wire.stop()
    assert [(s["id"], s["unique"]) for s in result["streams"]] == [(0, N)]


def test_t04_add_show_delete_and_survive(net):
    """pymfcd's rules by port names; they outlive kill -9, while the stream
    flows."""
    out, *_ = net.hosts
    rules = {"first": ("10.0.1.10", "239.10.20.30"),
             "second": ("10.0.1.11", "239.10.20.31")}
    for name, (source, group) in rules.items():
        net.put_route({"match": {"dpid": "1", "source": source, "group": group,
                                 "port": net.extender.port_name},
                       "to": [{"dpid": "1", "port": out.port_name}]}, name)
    shown = net.daemon.ctl("show", "routes")
    for name, (_, group) in rules.items():
        assert name in shown and group in shown
    wire = out.tap()
    n = 6000
    streams = [net.extender.send(group, 12345, 1000, n, source=source,
                                 stream=i)
               for i, (source, group) in enumerate(rules.values())]
    wire.wait_for(1000)

    net.daemon.kill()
    net.daemon.start().wait_synced(net.s1)
    assert {r["name"] for r in net.rest.list("routes")} == set(rules)
    assert all(s.running for s in streams)
    for stream in streams:
        stream.wait()
    result = wire.wait_for(2 * n).stop()
    assert (result["unique"], result["duplicated"], result["missing"]) \
        == (2 * n, 0, 0)

    net.daemon.ctl("route", "rm", "first")
    wire = out.tap()
    for i, (source, group) in enumerate(rules.values()):
        net.extender.send(group, 12345, 1000, 500, source=source,
                          stream=i).wait()
    result = wire.wait_for(500).stop()
    assert [(s["id"], s["unique"]) for s in result["streams"]] == [(1, 500)]


@pytest.mark.control
def test_t04_control_the_cache_dies_with_its_socket(lab):
    """So that a daemon that is killed takes all streams along."""
    router = Router(lab)
    wire = router.sinks.tap()
    with Mfc(router) as mfc:
        mfc.add_vif(0)
        mfc.add_vif(1)
        mfc.add("192.168.1.1", "239.10.20.30", 0, [1])
        router.sender.send("239.10.20.30", PORT, RATE, N, source="192.168.1.1",
                           ttl=8, stream=1).wait()
        wire.wait_for(N)
    router.sender.send("239.10.20.30", PORT, RATE, N, source="192.168.1.1",
                       ttl=8, stream=2).wait()
    result = wire.stop()
    assert [(s["id"], s["unique"]) for s in result["streams"]] == [(1, N)]


@pytest.mark.plain
def test_t05_one_to_one(net):
    """MCR's first rule, by group and port alone."""
    out, bystander, *_ = net.hosts
    to_port(net, out, {"group": "239.0.0.1", "udp_dst": 5001},
            group="239.0.0.2", udp_dst=6001)
    wire, quiet = out.tap(), bystander.tap()

    net.extender.send("239.0.0.1", 5001, RATE, N).wait()
    net.extender.send("239.0.0.1", 5002, RATE, 100).wait()  # Not that port.

    result = wire.wait_for(N).stop()
    expect_all(result, N, source="192.168.168.55", group="239.0.0.2")
    assert arrived(result) == [("192.168.168.55", "239.0.0.2", 6001)]
    expect_nothing(quiet.stop())


SOCAT = ("239.1.1.1", 5001, "239.10.10.10", 6001, "10.1.1.2")


@pytest.mark.plain
def test_t06_the_line_of_socat(net, lab):
    """The relay and the route deliver the same."""
    out = net.hosts[0]
    group, port, new_group, new_port, source = SOCAT
    to_port(net, out, {"group": group, "udp_dst": port}, group=new_group,
            udp_dst=new_port, source=source)
    receiver = out.receive(new_group, new_port, join=False)
    wire = out.tap()
    net.extender.send(group, port, RATE, N).wait()
    ours = wire.wait_for(N).stop()
    receiver.stop()
    expect_all(ours, N, source=source, group=new_group)

    router = Router(lab)
    router.socat(group, port, new_group, new_port, source)
    sink = router.sinks.tap()
    router.sender.send(group, port, RATE, N, source="192.168.1.1").wait()
    theirs = sink.wait_for(N).stop()
    assert (theirs["unique"], theirs["duplicated"], theirs["damaged"]) \
        == (N, 0, 0)
    assert arrived(theirs) == arrived(ours) == [(source, new_group, new_port)]
    # A route does not need the device's address to be one that it knows, nor
    # a process for each stream.
