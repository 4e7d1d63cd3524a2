# SPDX-License-Identifier: Apache-2.0
"""What routes match, how they rewrite, and where their copies go: who gets
which packets, once, and what they look like on the wire."""

import socket
import struct

import pytest
from frames import checksum
from procs import wait_until
from scene import (GROUP, LONG, PORT, Net, check_restart, expect_all,
                   expect_nothing, streams_of)
from wire import Wire


@pytest.fixture
def config():
    return LONG


SOURCE = "192.168.168.55"
N = 500


def status(net, name="hdmi"):
    return net.rest.get(f"/v1/routes/{name}")["status"][0]


def wait_state(net, state, name="hdmi"):
    wait_until(lambda: status(net, name)["state"] == state, 10, state)


def arrived(result):
    """{(source, group, port, ttl, vlan): packets} of what came."""
    found = {}
    for p in result["paths"]:
        a = p["arrived"]
        key = (a["source"], a["group"], a["port"], a["ttl"],
               a.get("vlan", 0))
        found[key] = found.get(key, 0) + p["packets"]
    return found


def route_flows(net):
    return [f for f in net.s1.flows("table=30") if "priority=65" not in f
            and "priority=0" not in f and "0x4f464d430e" not in f]


# Prefix to prefix.


def test_a_prefix_of_sources_becomes_another(net):
    """Each host keeps its number; it is one flow, however many they are."""
    h2, h3, *_ = net.hosts
    net.put_route({"match": {"source": "192.168.168.0/24", "group": GROUP},
                   "set": {"source": "10.1.0.0/24"}})
    receiver = h2.receive(GROUP, PORT)
    # A source filter is about what arrives.
    picky = h3.receive(GROUP, PORT, source="10.1.0.57")
    net.wait_groups([h2], [h2, h3])
    flows = len(route_flows(net))

    net.stream(rate=1000, count=N, sources=20).wait()

    result = receiver.wait_for(20 * N).stop()
    assert (result["missing"], result["duplicated"],
            result["bad_checksum"]) == (0, 0, 0)
    assert {(p["sent"]["source"], p["arrived"]["source"], p["packets"])
            for p in result["paths"]} == {
        (f"192.168.168.{55 + i}", f"10.1.0.{55 + i}", N) for i in range(20)}
    expect_all(picky.wait_for(N).stop(), N, source="10.1.0.57")
    assert len(route_flows(net)) == flows == 1
    check_restart(net)


def test_a_prefix_of_groups_becomes_another(net):
    """Members of what comes out get it, at the right Ethernet address: which
    follows the group also if the sender's did not."""
    h2, h3, h4, _ = net.hosts
    net.put_route({"match": {"group": "226.2.2.0/24"},
                   "set": {"source": "10.1.0.10", "group": "239.129.1.0/24"},
                   "to": [{"members": True},
                          {"dpid": "1", "port": h4.port_name}]})
    receivers = [h2.receive("239.129.1.2", PORT),
                 h3.receive("239.129.1.3", PORT)]
    wires = [h2.tap(), h4.tap()]
    net.wait_groups([h2], [h3], [h4], [h2, h4], [h3, h4])

    net.stream(rate=1000, count=N).wait()

    expect_all(receivers[0].wait_for(N).stop(), N, group="239.129.1.2")
    for wire in wires:
        result = wire.wait_for(N).stop()
        expect_all(result, N, group="239.129.1.2")
        assert result["macs"] == {"01:00:5e:01:01:02": N}
    expect_nothing(receivers[1].stop())
    check_restart(net)


def test_the_ethernet_address_comes_from_the_group_not_from_the_frame(net):
    """An upstream that delivers by unicast sends to our own MAC address."""
    [h2, *_] = net.hosts
    net.put_route({"match": {"group": "226.0.0.0/8"},
                   "set": {"group": "239.0.0.0/8"},
                   "to": [{"dpid": "1", "port": h2.port_name}]})
    wire = Wire(h2, what="udp")
    net.extender.send_frames(udp_frame(b"\x02\0\0\0\0\x99", SOURCE,
                                       "226.130.2.3"))
    wait_until(wire.frames, 5, "it arrives")
    [(_, frame)] = wire.frames()
    assert frame[:6] == bytes.fromhex("01005e020203")
    assert frame[30:34] == bytes([239, 130, 2, 3])


def udp_frame(mac, source, group, tos=0):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 28 + 8, 0, 0, 5, 17, 0,
                         socket.inet_aton(source), socket.inet_aton(group))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return mac + b"\x02\0\0\0\0\x44\x08\x00" + header \
        + struct.pack("!HHHH", PORT, PORT, 16, 0) + bytes(8)


def test_a_target_s_prefix_on_top_of_the_route_s(net):
    h2, h3, *_ = net.hosts
    net.put_route({
        "match": {"source": "192.168.168.0/24", "group": "226.2.2.0/24"},
        "set": {"source": "10.1.0.0/24", "group": "239.1.1.0/24"},
        "to": [{"dpid": "1", "port": h2.port_name},
               {"dpid": "1", "port": h3.port_name,
                "set": {"source": "10.9.9.0/24", "group": "239.2.2.0/24"}}]})
    wires = [h2.tap(), h3.tap()]

    net.stream(rate=1000, count=N).wait()

    for wire, source, group in (wires[0], "10.1.0.55", "239.1.1.2"), \
            (wires[1], "10.9.9.55", "239.2.2.2"):
        expect_all(wire.wait_for(N).stop(), N, source, group)
    check_restart(net)


# Where a stream enters.


def test_a_glob_matches_ports_that_come_later(ofmcast):
    """It is pending while it fits none; a port by name stands above it."""
    net = Net(ofmcast, ["h2"])
    [h2] = net.hosts
    net.put_route({"match": {"dpid": "1", "port": "s1-eth1?", "group": GROUP},
                   "set": {"source": "10.1.0.10"}})
    net.put_route({"match": {"dpid": "1", "port": "s1-eth12", "group": GROUP},
                   "set": {"source": "10.1.0.12"}}, name="named")
    assert status(net)["state"] == "pending"
    assert "no port" in status(net)["error"]
    receiver = h2.receive(GROUP, PORT)
    net.wait_members(h2)

    senders = net.lab.add_hosts(net.s1, "late1", "late2", first_port=11)
    wait_state(net, "applied")
    wait_state(net, "applied", "named")
    for i, sender in enumerate(senders, 1):
        sender.send(GROUP, PORT, 1000, N, stream=i).wait()
    # Not by the glob: it comes in elsewhere.
    net.stream(rate=1000, count=N, stream=3).wait()

    result = receiver.wait_for(3 * N).stop()
    assert result["duplicated"] == 0
    assert {k[0]: n for k, n in arrived(result).items()} == {
        "10.1.0.10": N, "10.1.0.12": N, SOURCE: N}
    check_restart(net)


def test_globs_that_could_mean_the_same_port_are_refused(net):
    net.put_route({"match": {"dpid": "1", "port": "s1-*", "group": GROUP}})
    answer = net.rest.request("PUT", "/v1/routes/other", {
        "match": {"dpid": "1", "port": "*eth9", "group": GROUP}})
    assert answer.status == 422 and answer.json["pointer"] == "/match"
    net.put_route({"match": {"dpid": "1", "port": "wan*", "group": GROUP}},
                  name="other")


def test_a_late_port_gets_its_copies(ofmcast):
    """T24: a route on an absent port is pending, and takes effect when the
    port comes; when it goes, it waits again."""
    net = Net(ofmcast, ["h2"])
    net.put_route({"match": {"group": GROUP}, "set": {"source": "10.1.0.10"},
                   "to": [{"dpid": "1", "port": "s1-eth9"}]})
    assert status(net)["state"] == "pending"
    late = net.lab.add_host(net.s1, "late", first_port=9)
    wait_state(net, "applied")
    wire = late.tap()
    net.stream(rate=1000, count=N).wait()
    expect_all(wire.wait_for(N).stop(), N)
    net.lab.vsctl("del-port", "s1", "s1-eth9")
    wait_state(net, "pending")


def test_copies_to_each_port_that_a_glob_fits(ofmcast):
    net = Net(ofmcast, ["h2", "h3"])
    h2, h3 = net.hosts
    net.put_route({"match": {"group": GROUP}, "set": {"source": "10.1.0.10"},
                   "to": [{"dpid": "1", "port": "*-eth[9]"},
                          {"dpid": "1", "port": "s1-eth?"}]})
    # The extender's own port is one; nothing goes back there.
    assert status(net)["state"] == "pending"
    late = net.lab.add_host(net.s1, "late", first_port=9)
    net.wait_groups([net.extender, h2, h3, late])
    wires = [h.tap() for h in (net.extender, h2, h3, late)]

    net.stream(rate=1000, count=N).wait()

    for wire in wires[1:]:
        expect_all(wire.wait_for(N).stop(), N)
    expect_nothing(wires[0].stop())


# Precedence.


def test_a_stop_filter_above_a_broader_route(net):
    h2, h3, *_ = net.hosts
    net.put_route({"match": {"group": "226.2.0.0/16"},
                   "set": {"source": "10.1.0.10"}})
    net.put_route({"match": {"source": SOURCE, "group": "226.2.0.0/16"},
                   "to": []}, name="stop")
    receivers = [h2.receive(GROUP, PORT), h3.receive("226.2.2.3", PORT)]
    net.wait_groups([h2], [h3])

    net.stream(rate=1000, count=N, stream=1).wait()
    net.stream(rate=1000, count=N, stream=2, source="192.168.168.66").wait()
    net.stream(rate=1000, count=N, stream=3, group="226.2.2.3",
               source="192.168.168.66").wait()

    result = receivers[0].wait_for(N).stop()
    assert set(streams_of(result)) == {2}
    expect_all(result, N)
    expect_all(receivers[1].wait_for(N).stop(), N, group="226.2.2.3")


def test_the_narrower_route_wins(net):
    """Group, source, port (a name above a glob), vlan, UDP port, protocol: in
    this order."""
    [h2, *_] = net.hosts
    eth1 = {"dpid": "1", "port": "s1-eth1"}
    matches = [
        {"group": "226.0.0.0/8", "source": SOURCE, **eth1, "vlan": 0,
         "udp_dst": PORT},
        {"group": "226.2.2.0/24"},
        {"group": "226.2.2.0/24", "proto": "udp"},
        {"group": "226.2.2.0/24", "udp_dst": PORT},
        {"group": "226.2.2.0/24", "vlan": 0},
        {"group": "226.2.2.0/24", "dpid": "1", "port": "s1-eth?", "vlan": 0},
        {"group": "226.2.2.0/24", **eth1},
        {"group": "226.2.2.0/24", "source": "192.168.0.0/16"},
        {"group": "226.2.2.0/24", "source": "192.168.168.0/24"},
        {"group": GROUP},
    ]
    receiver = h2.receive(GROUP, PORT)
    net.wait_members(h2)
    for i, match in enumerate(matches):
        net.put_route({"match": match,
                       "set": {"source": f"10.1.0.{100 + i}"}}, name=f"r{i}")
    expected = {}
    # From the last one on, each is what is left when those above are gone.
    for i in reversed(range(len(matches))):
        net.stream(rate=1000, count=20, stream=i).wait()
        expected[f"10.1.0.{100 + i}"] = 20
        receiver.wait_for(20 * len(expected))
        net.rest.delete(f"/v1/routes/r{i}")

    result = receiver.stop()
    assert {k[0]: n for k, n in arrived(result).items()} == expected
    assert [(s["id"], s["unique"]) for s in result["streams"]] \
        == [(i, 20) for i in range(len(matches))]


# How copies differ.


def test_rewriting_of_each_target(net):
    """All of a packet, differently for each, in one group."""
    h2, h3, h4, h5 = net.hosts
    net.put_route({
        "match": {"source": SOURCE, "group": GROUP, "vlan": 0},
        "set": {"source": "10.1.0.10", "ttl": 16},
        "to": [{"members": True},
               {"dpid": "1", "port": h3.port_name,
                "set": {"ttl": 7, "dscp": 46, "vlan": 10}},
               {"dpid": "1", "port": h4.port_name,
                "set": {"group": "239.1.1.2", "udp_dst": 7000, "dscp": 10,
                        "source": "10.4.0.4"}},
               {"dpid": "1", "port": h5.port_name,
                "set": {"eth_dst": "02:00:00:00:00:55",
                        "eth_src": "02:00:00:00:00:66"}}]})
    receiver = h2.receive(GROUP, PORT)
    net.wait_groups([h2], net.hosts)
    wires = [h.tap() for h in (h3, h4, h5)]
    frames = [Wire(h, what="udp or vlan") for h in (h3, h4, h5)]

    net.stream(rate=1000, count=N).wait()

    result = receiver.wait_for(N).stop()
    expect_all(result, N)
    assert arrived(result) == {("10.1.0.10", GROUP, PORT, 16, 0): N}
    results = [w.wait_for(N).stop() for w in wires]
    assert [arrived(r) for r in results] == [
        {("10.1.0.10", GROUP, PORT, 7, 10): N},
        {("10.4.0.4", "239.1.1.2", 7000, 16, 0): N},
        {("10.1.0.10", GROUP, PORT, 16, 0): N}]
    assert all(r["bad_checksum"] == 0 for r in results)
    assert list(results[2]["macs"]) == ["02:00:00:00:00:55"]
    seen = [{f[14 + 4 * (f[12:14] == b"\x81\x00") + 1] >> 2
             for _, f in w.frames()} for w in frames]
    assert seen == [{46}, {10}, {0}]
    assert all(f[6:12] == b"\x02\0\0\0\0\x66" for _, f in frames[2].frames())
    check_restart(net)


def test_an_ethernet_address_of_one_s_own_wins_over_the_group_s(net):
    """For members too, who are reached by the channel's group."""
    h2, h3, *_ = net.hosts
    net.put_route({"match": {"group": GROUP},
                   "set": {"group": "239.1.1.1",
                           "eth_dst": "02:00:00:00:00:55"},
                   "to": [{"members": True},
                          {"dpid": "1", "port": h3.port_name,
                           "set": {"group": "239.1.1.3"}}]})
    receiver = h2.receive("239.1.1.1", PORT)
    net.wait_groups([h2], [h2, h3])
    wires = [h2.tap(), h3.tap()]

    net.stream(rate=1000, count=N).wait()

    for wire, group in (wires[0], "239.1.1.1"), (wires[1], "239.1.1.3"):
        result = wire.wait_for(N).stop()
        expect_all(result, N, source=SOURCE, group=group)
        assert result["macs"] == {"02:00:00:00:00:55": N}
    receiver.stop()


def test_more_vlans_on_one_port_than_a_kernel_has_interfaces(net):
    """T10: one trunk, forty-five vlans, a copy in each."""
    [h2, *_] = net.hosts
    vlans = range(100, 145)
    net.put_route({
        "match": {"source": SOURCE, "group": GROUP, "vlan": 0},
        "set": {"source": "10.1.0.10"},
        "to": [{"dpid": "1", "port": h2.port_name, "set": {"vlan": v}}
               for v in vlans]})
    wire = h2.tap()

    net.stream(rate=200, count=N).wait()

    result = wire.wait_for(len(vlans) * N).stop()
    assert arrived(result) == {("10.1.0.10", GROUP, PORT, 1, v): N
                               for v in vlans}
    assert result["bad_checksum"] == 0
    check_restart(net)


# While joined.


def test_a_port_that_gets_a_copy_while_it_has_joined_what_comes_out(net):
    """Trap J: eth1/G1 to port/G2, for as long as somebody there wants G2."""
    h2, h3, *_ = net.hosts
    net.put_route({
        "match": {"group": GROUP}, "set": {"source": "10.1.0.10"},
        "to": [{"dpid": "1", "port": h.port_name, "when": "joined",
                "set": {"group": "239.1.1.2", "udp_dst": 6001}}
               for h in (h2, h3)]})
    net.wait_groups()
    assert status(net)["state"] == "applied"
    wires = [h.tap() for h in net.hosts[:2]]
    net.stream(rate=1000, count=N, stream=1).wait()

    receiver = h2.receive("239.1.1.2", 6001)
    # Somebody else who wants the group itself is not a reason.
    other = h3.receive(GROUP, PORT)
    net.wait_groups([h2], [h2], [h3])
    net.stream(rate=1000, count=N, stream=2).wait()
    receiver.wait_for(N)
    check_restart(net)
    receiver.leave()
    net.wait_groups([h3])
    net.stream(rate=1000, count=N, stream=3).wait()

    result = receiver.stop()
    expect_all(result, N, group="239.1.1.2")
    assert set(streams_of(result)) == {2}
    assert set(streams_of(wires[0].stop())) == {2}
    expect_nothing(wires[1].stop())
    expect_nothing(other.stop())


# Vlans.


VLANS = LONG + """\
ports:
  - {dpid: 1, port: s1-eth2, access_vlan: 10}
  - {dpid: 1, port: s1-eth3, trunk_vlans: [10, 20]}
  - {dpid: 1, port: s1-eth4, access_vlan: 20}
  - {dpid: 1, port: s1-eth5, trunk_vlans: [0, 20]}
"""


@pytest.mark.parametrize("config", ["l2: fabric\n" + VLANS], ids=[""])
def test_all_ports_of_a_vlan(ofmcast):
    """Untagged out of its access ports, tagged out of its trunks; a port that
    comes later too."""
    net = Net(ofmcast, ["h2", "h3", "h4", "h5"])
    late = net.lab.add_host(net.s1, "late")
    net.put_route({
        "match": {"source": SOURCE, "group": GROUP, "vlan": 0},
        "set": {"source": "10.1.0.10"}, "to": [{"vlan": 10}]})
    h2, h3, h4, h5 = net.hosts
    # Ports without rules are in all vlans, as trunks are.
    net.wait_groups([h2, h3, late, net.extender])
    wires = [h.tap() for h in (h2, h3, late, h4, h5, net.extender)]

    net.stream(rate=1000, count=N).wait()

    results = [w.wait_for(N).stop() for w in wires[:3]]
    assert [arrived(r) for r in results] == [
        {("10.1.0.10", GROUP, PORT, 1, vlan): N} for vlan in (0, 10, 10)]
    for wire in wires[3:]:
        expect_nothing(wire.stop())
    answer = net.rest.request("PUT", "/v1/routes/open", {
        "match": {"group": "226.2.2.9"}, "to": [{"vlan": 10}]})
    assert answer.status == 422 and answer.json["pointer"] == "/to/0/vlan"
