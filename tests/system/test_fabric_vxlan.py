# SPDX-License-Identifier: Apache-2.0
"""A fabric with VXLAN ports at its border: ends of tunnels are members and
sources like hosts at any switch."""

import pytest
from fabric_scene import FABRIC, GROUP, PORT, Scene, Watch
from procs import wait_until
from scene import expect_all, expect_nothing
from test_vxlan import expect_counts
from vxlan_scene import Outer, Underlay, vteps

N = 2000


@pytest.fixture
def config():
    return FABRIC + """\
tunnels:
  - {dpid: 1, port: vx0, vnis: {"100": 0, "200": 10}}
ports:
  - {dpid: 3, port: s3-eth2, access_vlan: 10}
"""


class Border(Scene):
    """s1 - s2 - s3, two hosts each; s1 has a tunnel port, with three ends."""

    def __init__(self, ofmcast):
        super().__init__(ofmcast)
        self.build("line", 3, hosts=2)
        self.s1 = self.switches[0]
        self.underlay = Underlay(self.lab)
        self.underlay.add_port(self.s1)
        self.ends = self.underlay.add_peers("p1", "p2", "p3",
                                            vnis=(100, 200))
        self.inner = [p.inner[100] for p in self.ends]

    def wait_ends(self, *ends):
        wanted = sorted(e.ip for e in ends)
        wait_until(lambda: vteps(self.rest, self.s1, GROUP) == wanted, 10,
                   f"members over the tunnel are {wanted}")
        wait_until(lambda: sum(g["text"].count("tun_dst")
                               for g in self.s1.groups().values())
                   >= len(ends) and not self.topology()["draining"], 10,
                   "the switch has them")


@pytest.fixture
def net(ofmcast):
    return Border(ofmcast)


def test_members_behind_tunnels_get_a_source_of_any_switch(net):
    """And hosts of the fabric one from behind a tunnel, which no other end
    gets back."""
    (_, near, _, middle, source, far), (p1, p2, _) = net.hosts, net.inner
    wires = [Outer(p) for p in net.ends]
    beside = [h.tap() for h in (near, far)]
    ends = [p.receive(GROUP, PORT) for p in (p1, p2)]
    member = middle.receive(GROUP, PORT)
    net.wait_ends(net.ends[0], net.ends[1])
    wait_until(lambda: net.s1.dpid_text in {
        s["dpid"] for s in net.tree()["switches"]}, 10, "s1 is on the tree")

    source.send(GROUP, PORT, rate=1000, count=N, source=source.ip,
                ttl=4).wait()
    for receiver in (*ends, member):
        result = receiver.wait_for(N).stop()
        # Of its first packets some may be overtaken (doc/fabric.md).
        expect_all(result, N, source=source.ip, group=GROUP,
                   overtaken=min(result["reordered"], 50))
    expect_counts(wires, N, N, 0, group=GROUP)
    for tap in beside:
        expect_nothing(tap.stop())


def test_a_source_behind_a_tunnel(net):
    """Hosts of all switches get it, from its first packet on; neither its own
    nor another end does, though they are members."""
    (near, beside, _, middle, far, _), (p1, p2, _) = net.hosts, net.inner
    wires = [Outer(p) for p in net.ends]
    [joined] = [p2.receive(GROUP, PORT)]
    echo = p1.receive(GROUP, PORT)
    receivers = [h.receive(GROUP, PORT) for h in (near, middle, far)]
    net.wait_ends(net.ends[0], net.ends[1])
    tap = beside.tap()
    p1.send(GROUP, PORT, 1000, N, source=p1.ip, ttl=4).wait()
    for receiver in receivers:
        result = receiver.wait_for(N).stop()
        assert (result["unique"], result["duplicated"]) == (N, 0)
    expect_nothing(tap.stop())
    expect_counts(wires, 0, 0, 0, group=GROUP)
    expect_nothing(joined.stop())
    echo.stop()


def test_a_vni_is_a_vlan_of_all_switches(net):
    """Members of the same group in another vlan, here or there, get none of
    it; tags stay in the fabric."""
    untagged, access, end = net.hosts[2], net.hosts[5], net.ends[2].inner[200]
    wire = Outer(net.ends[2])
    others = [untagged.receive(GROUP, PORT),
              net.inner[1].receive(GROUP, PORT)]
    joined, there = end.receive(GROUP, PORT), access.receive(GROUP, PORT)
    net.wait_ends(net.ends[1])
    wait_until(lambda: vteps(net.rest, net.s1, GROUP, 10)
               == [net.ends[2].ip], 10, "the end is a member in vlan 10")
    wait_until(lambda: {s["dpid"][-1] for s in net.tree(vlan=10)["switches"]}
               == {"1", "2", "3"}, 10, "the tree of vlan 10 is there")

    end.send(GROUP, PORT, 1000, N, source=end.ip, ttl=4).wait()
    result = there.wait_for(N).stop()
    assert (result["unique"], result["duplicated"]) == (N, 0)
    expect_counts([wire], 0, group=GROUP)
    access.send(GROUP, PORT, 1000, N, source="10.2.0.6", ttl=4,
                stream=2).wait()
    result = joined.wait_for(N).stop()
    assert (result["unique"], result["duplicated"]) == (N, 0)
    assert not wire.tagged()
    assert {vni for vni, _ in wire.packets(GROUP)} == {200}
    for other in others:
        expect_nothing(other.stop())


def test_a_new_daemon_and_a_link_that_goes(net):
    source, end, wire = net.hosts[4], net.inner[0], Outer(net.ends[1])
    receivers = [end.receive(GROUP, PORT), net.hosts[2].receive(GROUP, PORT)]
    net.wait_ends(net.ends[0])
    net.stream = source.send(GROUP, PORT, rate=1000, source=source.ip, ttl=4)
    watch = Watch(receivers)
    net.daemon.kill()
    watch.flow()
    net.daemon.start()
    net.daemon.wait_synced(*net.switches)
    net.wait_links()
    net.wait_ends(net.ends[0])
    watch.flow()
    watch.expect_nothing_lost()
    net.link(1, 2).down()
    net.wait_links(1)
    net.link(1, 2).up()
    net.wait_links(2)
    watch.flow()
    watch.expect_nothing_doubled()
    expect_counts([wire], 0, group=GROUP)


def test_routes_to_an_end_of_a_tunnel_elsewhere(net):
    source, end = net.hosts[4], net.ends[2]
    wires = [Outer(p) for p in net.ends]
    net.rest.put("/v1/routes/far", {
        "match": {"dpid": "3", "group": "226.2.2.2", "vlan": 0},
        "set": {"group": GROUP},
        "to": [{"members": True},
               {"vtep": end.ip, "vni": 100, "dpid": "1", "port": "vx0"}]})
    receiver = net.inner[0].receive(GROUP, PORT)
    net.wait_ends(net.ends[0])
    wait_until(lambda: net.underlay.knows(end), 10, "the way to it is found")
    source.send("226.2.2.2", PORT, rate=1000, count=N, source=source.ip,
                ttl=4).wait()
    expect_all(receiver.wait_for(N).stop(), N, source=source.ip,
                   group=GROUP)
    expect_counts(wires, N, 0, N, group=GROUP)
