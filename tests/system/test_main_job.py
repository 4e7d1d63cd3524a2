# SPDX-License-Identifier: Apache-2.0
"""A stream from an unroutable source reaches exactly its subscribers."""

from scene import GROUP, PORT, expect_all, expect_nothing

N = 10000


def test_members_get_every_packet_from_a_routable_source(net):
    h2, h3, h4, h5 = net.hosts
    for host in net.hosts:
        host.rp_filter(1)
    net.put_route()
    members = [h.receive(GROUP, PORT) for h in (h2, h3)]
    wires = [h.tap() for h in (h2, h3)]
    others = [h.tap() for h in (h4, h5)]
    net.wait_members(h2, h3)

    net.stream(rate=5000, count=N).wait()

    for receiver in members + wires:
        expect_all(receiver.wait_for(N).stop(), N)
    for bystander in others:
        expect_nothing(bystander.stop())


def test_without_a_route_strict_hosts_deliver_nothing(net):
    lenient, strict, *_ = net.hosts
    strict.rp_filter(1)
    heard = lenient.receive(GROUP, PORT)
    unheard = strict.receive(GROUP, PORT)
    wire = strict.tap()
    net.wait_members(lenient, strict)

    net.stream(rate=5000, count=N).wait()

    expect_all(heard.wait_for(N).stop(), N, source="192.168.168.55")
    expect_all(wire.wait_for(N).stop(), N, source="192.168.168.55")
    expect_nothing(unheard.stop())


def test_a_route_comes_and_goes_while_the_stream_flows(net):
    h2 = net.hosts[0]
    receiver = h2.receive(GROUP, PORT)
    net.wait_members(h2)
    stream = net.stream(rate=2000, count=6000)
    receiver.wait_for(500)
    net.put_route()
    receiver.wait_for(2500)
    net.rest.delete("/v1/routes/hdmi")

    stream.wait()
    result = receiver.wait_for(6000).stop()

    assert (result["unique"], result["duplicated"]) == (6000, 0)
    sources = [p["arrived"]["source"] for p in result["paths"]]
    assert sources == ["192.168.168.55", "10.1.0.10"]


def test_group_port_and_ttl_are_rewritten_too(net):
    """Members of the new group get it; those of the old do not."""
    new, old, *_ = net.hosts
    net.put_route({"match": {"group": GROUP, "udp_dst": PORT},
                   "set": {"source": "10.1.0.10", "group": "239.1.1.1",
                           "udp_dst": 6001, "ttl": 16}})
    receiver = new.receive("239.1.1.1", 6001)
    wire = new.tap()
    not_for_you = old.receive(GROUP, PORT)
    old_wire = old.tap()
    net.wait_groups([new], [old])

    net.stream(rate=2000, count=2000).wait()

    for r in receiver, wire:
        result = r.wait_for(2000).stop()
        expect_all(result, 2000, group="239.1.1.1")
        arrived = result["paths"][0]["arrived"]
        assert (arrived["port"], arrived["ttl"]) == (6001, 16)
    expect_nothing(not_for_you.stop())
    expect_nothing(old_wire.stop())


def test_a_leave_and_a_zap(net):
    """A host that moves to another group gets that one, and no other."""
    h2, h3, *_ = net.hosts
    net.put_route()
    stays = h2.receive(GROUP, PORT)
    zaps = h3.receive(GROUP, PORT)
    net.wait_members(h2, h3)
    first = net.stream(rate=1000, count=0)
    second = net.stream(rate=1000, count=0, group="226.2.2.3", stream=7)
    zaps.wait_for(100)

    zaps.stop()
    zapped = h3.receive("226.2.2.3", PORT)
    net.wait_groups([h2], [h3])
    wire = h3.tap().wait_for(300)

    only_second = wire.stop()
    assert [p["sent"]["group"] for p in only_second["paths"]] == ["226.2.2.3"]
    assert (only_second["missing"], only_second["duplicated"]) == (0, 0)
    assert zapped.stop()["duplicated"] == 0
    for stream in first, second:
        stream.stop()
    result = stays.stop()
    assert (result["missing"], result["duplicated"]) == (0, 0)
