# SPDX-License-Identifier: Apache-2.0
"""A route's copies leave at other switches than the one where its stream
enters: once at each port, whatever it is there for."""

import pytest
from fabric_scene import FABRIC, GROUP, PORT, Watch
from procs import wait_until
from scene import expect_all, expect_nothing
from test_fragments import SOURCE, datagrams
from test_unicast import expect_each_once, listen

N = 2000
FROM = "226.2.2.2"


@pytest.fixture
def config():
    return FABRIC


def put(scene, body, name="far"):
    return scene.rest.put(f"/v1/routes/{name}", body)


def at(host, **more):
    return {"dpid": str(host.switch.dpid), "port": host.port_name, **more}


def expect_copies(tap, n=N, **arrived):
    """Each packet once, in order and whole, with these addresses."""
    result = tap.wait_for(n).stop()
    assert (result["unique"], result["duplicated"], result["reordered"],
            result["damaged"], result["bad_checksum"]) == (n, 0, 0, 0, 0)
    for path in result["paths"]:
        assert {k: path["arrived"][k] for k in arrived} == arrived


def outputs(scene, name="far"):
    """{(dpid, port): (what it is there for, packets)} without links."""
    return {(s["dpid"][-1:], o["port_name"]): (o["origins"], o["packets"])
            for s in scene.rest.get(f"/v1/routes/{name}")["status"]
            for o in s["outputs"] if o["origins"] != ["link"]}


def test_a_named_port_of_another_switch(line):
    """The route's own set, and the target's on top of it; no other port gets
    any of it, and a member of the group that it is made to neither."""
    source, near, middle, member, target, bystander = line.hosts
    put(line, {"match": {"dpid": "1", "group": FROM},
               "set": {"source": "10.1.0.200", "group": GROUP, "ttl": 9},
               "to": [at(target, set={"udp_dst": PORT + 1}),
                      at(middle)]})
    joined = member.receive(GROUP, PORT)
    line.wait_members(member)
    others = [h.tap() for h in (near, bystander)]
    wires = {PORT: middle.tap(), PORT + 1: target.tap()}

    source.send(FROM, PORT, rate=2000, count=N, source="192.168.168.55",
                ttl=1).wait()

    for udp_dst, wire in wires.items():
        expect_copies(wire, source="10.1.0.200", group=GROUP, ttl=9,
                      port=udp_dst)
    for wire in (*others, joined):
        expect_nothing(wire.stop())
    wait_until(lambda: outputs(line) == {
        ("2", middle.port_name): (["route"], hex(N)),
        ("3", target.port_name): (["route"], hex(N))}, 10, "it is counted")
    said = line.rest.get(
        f"/v1/explain?dpid=1&in_port={source.port_name}&group={FROM}"
        f"&source=192.168.168.55&to_dpid=3&to_port={target.port_name}")
    assert (said["delivered"], said["reason"]) == (True, "delivered")
    assert [s["stage"] for s in said["stages"]][-2:] == ["far", "far"]


def test_a_port_that_is_named_and_a_member_gets_one(ring):
    """Static and learned are a union across switches as well; a leave of one
    is none of the other."""
    source, near, a, b, c, *_, last = ring.hosts
    put(ring, {"match": {"group": FROM}, "set": {"group": GROUP},
               "to": [{"members": True}, at(c)]})
    named = c.receive(GROUP, PORT)
    members = [h.receive(GROUP, PORT) for h in (near, a)]
    ring.wait_members(near, a, c)
    wires = {h: h.tap() for h in (near, a, b, c, last)}
    source.send(FROM, PORT, rate=2000, count=N, source=source.ip).wait()
    for receiver in (named, *members):
        expect_all(receiver.wait_for(N).stop(), N, source=source.ip,
                   group=GROUP)
    for host, wire in wires.items():
        if host in (b, last):
            expect_nothing(wire.stop())
        else:
            expect_copies(wire)
    ring.wait_members()
    wire = c.tap()
    source.send(FROM, PORT, rate=2000, count=N, stream=2).wait()
    expect_copies(wire)
    ring.rest.delete("/v1/routes/far")
    for switch in ring.switches:
        assert len(switch.flows("table=45")) == 1  # The miss.


def test_links_and_daemons_die_under_it(ring):
    source, _, _, _, c, other, *_ = ring.hosts
    put(ring, {"match": {"dpid": "1", "group": FROM}, "set": {"group": GROUP},
               "to": [{"members": True}, at(c)]})
    receivers = [c.tap(), other.receive(GROUP, PORT)]
    ring.wait_members(other)
    ring.stream = source.send(FROM, PORT, rate=2000)
    watch = Watch(receivers)
    tree = {n: ring.link(*n) for n in ((1, 2), (2, 3), (3, 4), (4, 1))}
    for link in tree.values():
        link.down()
        ring.wait_links(3)
        watch.flow()
        watch.expect_nothing_doubled()
        link.up()
        ring.wait_links(4)
        ring.wait_quiet()
        watch.flow()
        watch.expect_nothing_doubled()
    # A daemon that dies as trees move to where they were loses their links.
    wait_until(lambda: ring.topology()["at_rest"], 30, "trees are at rest")
    watch.flow()
    watch.look()

    ring.daemon.kill()
    watch.flow()
    ring.daemon.start()
    ring.daemon.wait_synced(*ring.switches)
    ring.wait_links()
    ring.wait_members(other)
    watch.flow()
    watch.expect_nothing_lost()
    assert [int(ring.rest.switch(s)["counters"]["group_mods"], 0)
            for s in ring.switches] == [0] * 4


def test_a_host_behind_another_switch(line):
    source, *_, host, bystander = line.hosts
    put(line, {"match": {"group": FROM, "udp_dst": PORT},
               "to": [{"unicast": host.ip, "udp_dst": 6000}]})
    wait_until(lambda: all(
        s["state"] == "applied"
        for s in line.rest.get("/v1/routes/far")["status"]), 10, "it is found")
    beside = bystander.tap()
    frames, payloads = datagrams(group=FROM, port=PORT, size=100, number=200)
    with listen(host) as s:
        source.send_frames(*frames)
        expect_each_once(s, payloads, source=SOURCE)
    expect_nothing(beside.stop())


def test_what_is_not_there_is_said(line):
    source, *_, target, _ = line.hosts
    put(line, {"match": {"dpid": "1", "group": FROM},
               "to": [at(target), {"dpid": "7", "port": "eth0"}]})
    status = line.rest.get("/v1/routes/far")["status"]
    assert [(s["state"], s.get("error")) for s in status
            if s["dpid"][-1] == "1"] == [
        ("pending", "switch 0000000000000007 of a target is not connected")]
    put(line, {"match": {"dpid": "1", "group": FROM}, "to": [at(target)]})
    assert {s["state"]
            for s in line.rest.get("/v1/routes/far")["status"]} == {"applied"}
    line.link(2, 3).down()
    wait_until(lambda: "no links lead to switch 0000000000000003 of a target"
               in str(line.rest.get("/v1/routes/far")), 10, "it is said")


def test_vlans_joined_ports_and_pools(line):
    """All that a port can be as a target, at another switch; and who filters
    gets the source that the route gives."""
    source, near, a, b, filters, access = line.hosts
    put(line, {"match": {"dpid": "1", "port": "s1-eth?", "vlan": 0,
                         "source": "192.168.154.2", "group": "226.5.5.0/24"},
               "set": {"group": "239.5.5.0/24",
                       "source_pool": "10.154.0.0/25"},
               "to": [{"members": True}, at(a, when="joined"), at(b),
                      {"dpid": "3", "port": "s3-eth2"}]})
    [status] = [s for s in line.rest.get("/v1/routes/far")["status"]
                if s["dpid"][-1] == "1"]
    given = {p["port"]: p["source"] for p in status["pool"]}
    assert len(set(given.values())) == 2
    joined = a.receive("239.5.5.7", PORT)
    line.wait_members(a, group="239.5.5.7")
    only = filters.receive("239.5.5.7", PORT, source=given["s1-eth1"])
    line.wait_members(a, filters, group="239.5.5.7", filters=True)
    taps = {h: h.tap() for h in (a, b, filters, access)}
    for host in source, near:
        for last, stream in (7, 1), (8, 2):
            host.send(f"226.5.5.{last}", PORT, rate=2000, count=500, ttl=4,
                      source="192.168.154.2",
                      stream=10 * host.port + stream).wait()
    for host, n in (a, 2), (b, 4), (filters, 1), (access, 4):
        result = taps[host].wait_for(n * 500).stop()
        assert (result["unique"], result["duplicated"]) == (n * 500, 0)
        assert len(result["paths"]) == n
    assert joined.stop()["unique"] == 1000
    assert [p["arrived"]["source"] for p in only.stop()["paths"]] \
        == [given["s1-eth1"]]


def test_a_prefix_of_ipv6(line):
    """A port elsewhere gets each group by its own Ethernet address: as they
    are, and as another prefix."""
    source, _, _, _, target, bystander = line.hosts
    for prefix, change in (("ff15::", {}),
                           ("ff15::77:", {"group": "ff15::77:0/112"})):
        put(line, {"match": {"dpid": "1", "group": "ff15::/112"},
                   "set": change, "to": [at(target)]})
        wire, quiet = target.tap(), bystander.tap()
        for last in 1, 9:
            source.send(f"ff15::{last}", PORT, rate=1000, count=200, ttl=4,
                        source="2001:db8::55", stream=last).wait()
        result = wire.wait_for(400).stop()
        assert (result["unique"], result["duplicated"], result["damaged"],
                result["bad_checksum"]) == (400, 0, 0, 0)
        assert {p["arrived"]["group"] for p in result["paths"]} \
            == {f"{prefix}{last}" for last in (1, 9)}
        expect_nothing(quiet.stop())
    assert "IP_DST" not in str(line.switches[2].groups()).replace(
        "IPV6_DST", "")
