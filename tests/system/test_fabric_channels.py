# SPDX-License-Identifier: Apache-2.0
"""Filters, routes, routers and vlans of a fabric are the same wherever hosts
are."""

import pytest
from fabric_scene import FABRIC, GROUP, PORT, Scene, ping_all
from frames import v3_query
from procs import wait_until
from scene import expect_all, expect_nothing
from wire import Wire

N = 2000
VLANS = FABRIC + """\
ports:
  - {dpid: 1, port: s1-eth1, access_vlan: 10}
  - {dpid: 1, port: s1-eth2, access_vlan: 20}
  - {dpid: 2, port: s2-eth1, access_vlan: 10}
  - {dpid: 2, port: s2-eth2, trunk_vlans: [10, 30]}
  - {dpid: 3, port: s3-eth1, access_vlan: 20}
  - {dpid: 3, port: s3-eth2, access_vlan: 10}
"""


@pytest.fixture
def config():
    return FABRIC


def test_filters_are_enforced_at_the_first_switch(ring):
    """What nobody behind a link wants of a source is not on it."""
    a, _, b, b2, c, c2, d, _ = ring.hosts
    sources = ["10.1.0.71", "10.1.0.72"]
    only = b.receive(GROUP, PORT, source=sources[0])
    but = c.receive(GROUP, PORT, exclude=sources[0])
    both = d.receive(GROUP, PORT)
    ring.wait_members(b, c, d, filters=True)
    # The kernel joins first and tells its filter then.
    wait_until(lambda: sorted(
        (m["mode"], m["sources"])
        for m in ring.rest.get(f"/v1/groups/0/{GROUP}")["members"])
        == [("exclude", []), ("exclude", sources[:1]),
            ("include", sources[:1])], 10, "the filters are known")
    ring.wait_members(b, c, d, filters=True)  # And nothing moves any more.
    wires = {h: h.tap() for h in (b, c, d, b2, c2)}

    a.send(GROUP, PORT, rate=2000, count=N, source=sources[0], sources=2,
           ttl=4).wait()

    def sources_of(result):
        return sorted({p["arrived"]["source"] for p in result["paths"]})
    both.wait_for(2 * N)
    result = both.stop()
    assert (result["unique"], result["missing"], result["duplicated"]) \
        == (2 * N, 0, 0)
    for host, receiver, source in (b, only, sources[0]), \
            (c, but, sources[1]):
        receiver.wait_for(N)
        for got in receiver.stop(), wires[host].stop():
            assert sources_of(got) == [source]
            assert (got["unique"], got["duplicated"]) == (N, 0)
    for host in b2, c2:
        expect_nothing(wires[host].stop())


def test_a_route_rewrites_once_where_the_stream_enters(ring):
    """Members everywhere get the routable source; the route does not meet its
    own packets again at the next switch."""
    source, near, *others = ring.hosts
    ring.rest.put("/v1/routes/hdmi", {
        "match": {"group": "226.2.2.2"},
        "set": {"source": "10.1.0.200", "group": GROUP, "ttl": 9}})
    members = [near, others[1], others[3]]
    receivers = [h.receive(GROUP, PORT) for h in members]
    ring.wait_members(*members)
    # The first packets tell where the source is.
    first = source.send("226.2.2.2", PORT, rate=2000, count=50)
    first.wait()
    wait_until(lambda: all(r.progress() and r.progress()[0]["received"]
                           for r in receivers)
               or not source.send("226.2.2.2", PORT, rate=1000,
                                  count=5).wait(), 10, "it is on the tree")
    for receiver in receivers:
        receiver.stop()
    receivers = [h.receive(GROUP, PORT) for h in members]
    ring.wait_members(*members)

    source.send("226.2.2.2", PORT, rate=2000, count=N, stream=3).wait()

    for receiver in receivers:
        result = receiver.wait_for(N).stop()
        expect_all(result, N, source="10.1.0.200", group=GROUP)
        assert {p["arrived"]["ttl"] for p in result["paths"]} == {9}


def test_a_route_with_a_group_of_its_own_reaches_members_elsewhere(ring):
    source, near, *others = ring.hosts
    ring.rest.put("/v1/routes/hdmi", {
        "match": {"dpid": "1", "group": "226.2.2.2"},
        "set": {"source": "10.1.0.200", "group": GROUP},
        "to": [{"members": True},
               {"dpid": "1", "port": near.port_name,
                "set": {"group": "239.9.9.9"}}]})
    members = [others[0], others[3]]
    receivers = [h.receive(GROUP, PORT) for h in members]
    named = near.receive("239.9.9.9", PORT, join=False)
    wire = near.tap()
    ring.wait_members(*members)
    wait_until(lambda: len(ring.tree()["switches"]) >= 3, 10, "the tree")

    source.send("226.2.2.2", PORT, rate=2000, count=N).wait()

    for receiver in receivers:
        expect_all(receiver.wait_for(N).stop(), N, source="10.1.0.200",
                   group=GROUP)
    named.stop()
    result = wire.wait_for(N).stop()
    assert (result["unique"], result["duplicated"]) == (N, 0)
    assert {p["arrived"]["group"] for p in result["paths"]} == {"239.9.9.9"}


def test_a_router_anywhere_gets_everything(line):
    """Registered groups and those that nobody has joined, of sources at any
    switch."""
    router, member, _, near, far, _ = line.hosts
    router.send_frames(v3_query("10.1.0.1"))
    wait_until(lambda: line.rest.switch(router.switch)["ports"][0]["kind"]
               == "mrouter", 5, "a router port")
    receiver = member.receive(GROUP, PORT)
    line.wait_members(router, member)
    for number, group in enumerate((GROUP, "239.77.7.7")):
        for sender in near, far:
            # After 20 s without a query it would be no router port any more.
            router.send_frames(v3_query("10.1.0.1"))
            # Some to be seen by, then all of them.
            first = router.tap()
            sender.send(group, PORT, rate=2000, count=50, source=sender.ip,
                        ttl=4, stream=99).wait()
            first.wait_for(50).stop()
            wire = router.tap()
            sender.send(group, PORT, rate=2000, count=N, source=sender.ip,
                        ttl=4, stream=10 * number + sender.number).wait()
            expect_all(wire.wait_for(N).stop(), N, source=sender.ip,
                       group=group)
    assert receiver.stop()["missing"] == 0


@pytest.mark.parametrize("config", [VLANS])
def test_vlans_at_the_edge_are_tags_on_links(line):
    """Access ports have no tags, a trunk has those of its list, links have
    all; vlans do not hear of each other."""
    ten_a, twenty_a, ten_b, trunk, twenty_c, ten_c = line.hosts
    tens, twenties = [ten_a, ten_b, ten_c], [twenty_a, twenty_c]
    assert ping_all(tens) == []
    assert ping_all(twenties) == []
    assert len(ping_all([ten_a, twenty_a], patience=2)) == 2

    members = [ten_b, ten_c]
    receivers = [h.receive(GROUP, PORT) for h in members]
    wait_until(lambda: len([p for s in line.tree(vlan=10)["switches"]
                            for p in s["ports"] if not p["link"]]) == 2, 10,
               "members of vlan 10")
    others = [h.tap() for h in (twenty_a, twenty_c, trunk)]
    link = Wire(line.links[1].b, what="udp")
    late = line.show(ten_a, *receivers, vlan=10)

    ten_a.send(GROUP, PORT, rate=1000, count=N, source=ten_a.ip,
               ttl=4).wait()

    for receiver, overtaken in zip(receivers, late):
        expect_all(receiver.wait_for(N + 50).stop(), N + 50, source=ten_a.ip,
                   group=GROUP, overtaken=overtaken)
    for other in others:
        expect_nothing(other.stop())
    tags = [frame[12:16] for _, frame in link.frames()]
    assert len(tags) > N / 2 and set(tags) == {b"\x81\0\0\x0a"}


def test_the_first_packets_of_a_source_are_delivered_too(ring):
    """... which the controller does itself until its switch is on the tree:
    each once, and in order from then on."""
    for number, (source, member) in enumerate(
            ((0, 4), (2, 7), (5, 0), (6, 3))):
        source, member = ring.hosts[source], ring.hosts[member]
        group = f"239.5.5.{number}"
        receiver = member.receive(group, PORT)
        ring.wait_members(member, group=group)
        [late] = ring.show(source, receiver, group=group, n=200)
        source.send(group, PORT, rate=1000, count=200, source=source.ip,
                    ttl=4).wait()
        expect_all(receiver.wait_for(400).stop(), 400, source=source.ip,
                   group=group, overtaken=late)


def test_the_first_packets_that_a_route_rewrites_are_delivered_too(ofmcast):
    """Into a group whose members are all elsewhere: the switch has an entry
    for it, but for nobody yet."""
    scene = Scene(ofmcast).build("leaf_spine", leaves=2, spines=1, hosts=2)
    source, other, member, bystander = scene.hosts
    quiet = [h.tap() for h in (other, bystander)]
    for number in range(3):
        group, before = f"239.9.9.{number}", f"239.8.8.{number}"
        ofmcast.rest.put(f"/v1/routes/chain{number}", {
            "match": {"dpid": source.switch.dpid_text,
                      "port": source.port_name, "group": before},
            "set": {"source": "10.1.0.200", "group": group}})
        receiver = member.receive(group, PORT)
        scene.wait_members(member, group=group)
        wire = member.tap(group=group)

        source.send(before, PORT, rate=500, count=50).wait()
        wire.wait_for(50)
        # From here on the switches do it alone.
        wait_until(lambda: source.switch.dpid_text in {
            s["dpid"] for s in scene.tree(group)["switches"]} and
            not scene.topology()["draining"], 10, "it is on the tree")
        source.send(before, PORT, rate=2000, count=N, stream=2).wait()

        result = wire.wait_for(N + 50).stop()
        assert [(s["id"], s["unique"]) for s in result["streams"]][-1] \
            == (2, N)
        assert (result["unique"], result["duplicated"], result["damaged"]) \
            == (N + 50, 0, 0)
        assert {(p["arrived"]["source"], p["arrived"]["group"])
                for p in result["paths"]} == {("10.1.0.200", group)}
        receiver.stop()
    for tap in quiet:
        expect_nothing(tap.stop())
