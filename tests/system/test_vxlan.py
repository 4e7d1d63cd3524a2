# SPDX-License-Identifier: Apache-2.0
"""Ingress replication over VXLAN (T18): a copy for each tunnel end with
members and for no other, counted on the wire."""

import contextlib
import re
import socket
import struct

import pytest
from procs import LabError, wait_until
from scene import (GROUP, LONG, MEMBERSHIP, PORT, SHORT, Net, expect_all,
                   expect_nothing, expect_unmodified)
from vxlan_scene import Outer, Underlay, peers_of, tunnel, vteps
from wire import Wire, address

N = 500


class TunnelNet(Net):
    """s1 with an extender, h2, h3 and the tunnel port vx0."""

    def __init__(self, daemon, peers=("p1", "p2", "p3"), vnis=(100,)):
        super().__init__(daemon, ["h2", "h3"])
        self.underlay = Underlay(self.lab)
        self.peers = self.underlay.add_peers(*peers, vnis=vnis)
        self.underlay.add_port(self.s1)
        wait_until(lambda: any(
            p["kind"] == "tunnel"
            for p in self.rest.switch(self.s1)["ports"]), 5, "vx0")

    def wait_vteps(self, *peers, group=GROUP, vlan=0, seconds=5):
        wanted = sorted(p.ip for p in peers)
        wait_until(lambda: vteps(self.rest, self.s1, group, vlan) == wanted,
                   seconds, f"members over the tunnel are {wanted}")

    def wait_buckets(self, *peers, seconds=5):
        """Waits until some group sends to exactly these ends."""
        wanted = sorted(p.ip for p in peers)

        def ends():
            return [sorted(b.split("->tun_dst")[0].rpartition("field:")[2]
                           for b in g["text"].split("bucket=")
                           if "tun_dst" in b)
                    for g in self.s1.groups().values()]
        wait_until(lambda: wanted in ends(), seconds,
                   f"a group sends to {wanted}")


@pytest.fixture
def net(ofmcast):
    return TunnelNet(ofmcast)


def join(inner, *more, **options):
    return inner.receive(GROUP, PORT, *more, **options)


def expect_counts(wires, *counts, group=GROUP):
    """So many tunnel packets of the group have come to each, and no more."""
    def seen():
        return [len(w.packets(group)) for w in wires]
    with contextlib.suppress(LabError):
        wait_until(lambda: sum(seen()) >= sum(counts), 5, "")
    assert seen() == list(counts)


@pytest.mark.parametrize("config", [tunnel(LONG)], ids=[""])
def test_only_ends_with_members_get_copies(net):
    """Three ends, members behind two and behind one port: each gets all, once;
    the third not one tunnel packet of the stream."""
    p1, p2, p3 = net.peers
    wires = [Outer(p) for p in net.peers]
    receivers = [join(p.inner[100]) for p in (p1, p2)]
    receivers.append(join(net.hosts[0]))
    net.wait_vteps(p1, p2)
    net.wait_buckets(p1, p2)

    net.stream(rate=1000, count=N).wait()

    for receiver in receivers:
        expect_all(receiver.wait_for(N).stop(), N, source="192.168.168.55")
    expect_counts(wires, N, N, 0)
    assert {vni for vni, _ in wires[0].packets()} == {100}
    assert peers_of(net.rest, net.s1) == {p1.ip: "learned", p2.ip: "learned"}


@pytest.mark.parametrize("config", [tunnel(LONG)], ids=[""])
def test_what_comes_by_the_tunnel_does_not_leave_by_it(net):
    """A stream from one end reaches the switch's own members, who are in the
    same group as two ends; neither of those gets an echo."""
    p1, p2, p3 = net.peers
    wires = [Outer(p) for p in net.peers]
    ends = [join(p.inner[100]) for p in (p1, p2)]
    h2 = join(net.hosts[0])
    net.wait_buckets(p1, p2)

    p1.inner[100].send(GROUP, PORT, 1000, N, source="10.1.0.101").wait()
    h2.wait_for(N)
    [stream] = [s for s in net.rest.list("streams")
                if s["source"] == "10.1.0.101"]
    assert (stream["port_name"], stream["receivers"]) == ("vx0", 3)
    expect_all(h2.stop(), N, source="10.1.0.101")
    # In the other direction meanwhile, to see that the ends would be served.
    net.stream(rate=1000, count=10, stream=7).wait()

    ends[1].wait_for(10)
    expect_counts(wires, 10, 10, 0)
    assert {w.packets()[0][1][26:30] for w in wires[:2]} \
        == {bytes([192, 168, 168, 55])}


@pytest.mark.parametrize("config", [tunnel(LONG)], ids=[""])
def test_unregistered_groups_and_broadcast_do_not_enter_the_core(net):
    """Nor does anything else that the switch floods: the tunnel port gets no
    packets without an end to go to."""
    wires = [Outer(p) for p in net.peers]
    arp = Outer(net.peers[0])
    h2, h3 = net.hosts
    net.stream(rate=500, count=50, group="239.9.9.9").wait()
    h2.run("ping", "-c", "2", "-i", "0.2", "-W", "1", h3.ip)
    h3.send_frames(b"\xff" * 6 + b"\x02\0\0\0\0\x07" + b"\x88\xb6"
                   + bytes(50))

    r = join(net.peers[0].inner[100])
    net.wait_vteps(net.peers[0])
    net.stream(rate=500, count=50).wait()
    r.wait_for(50)
    expect_counts(wires, 50, 0, 0)
    expect_counts(wires, 0, 0, 0, group="239.9.9.9")
    assert not [f for _, f in arp.frames() if f[50:56] == b"\xff" * 6]


@pytest.mark.parametrize("config", [tunnel(LONG)], ids=[""])
def test_vnis_are_vlans_and_others_are_nothing(ofmcast):
    """VNI 200 is vlan 10, with a tag in the switch and without in the tunnel;
    VNI 300 is not known: what comes in it is dropped, a report too."""
    net = TunnelNet(ofmcast, ["p1", "p2"], vnis=(100, 200, 300))
    p1, p2 = net.peers
    wires = [Outer(p) for p in net.peers]
    r100, r300 = join(p1.inner[100]), join(p2.inner[300])
    r200 = join(p2.inner[200])
    net.wait_vteps(p1, vlan=0)
    net.wait_vteps(p2, vlan=10)
    net.wait_buckets(p1)
    net.wait_buckets(p2)

    net.stream(rate=1000, count=N, vlan=10).wait()
    r200.wait_for(N)
    expect_counts(wires, 0, N)
    assert {vni for vni, _ in wires[1].packets()} == {200}
    assert not wires[1].tagged()
    net.stream(rate=1000, count=N, stream=1).wait()
    r100.wait_for(N)
    expect_counts(wires, N, N)
    assert {vni for vni, _ in wires[0].packets()} == {100}

    # In the other direction, seen with its tag.
    tap = net.hosts[0].tap(group=GROUP)
    net.rest.put("/v1/members/h2", {
        "vlan": 10, "dpid": "1", "port": net.hosts[0].port_name,
        "group": GROUP})
    p1.inner[300].send(GROUP, PORT, 1000, 50, source="10.3.0.1").wait()
    p1.inner[200].send(GROUP, PORT, 1000, N, source="10.2.0.101").wait()
    arrived = tap.wait_for(N).stop()
    assert (arrived["received"], arrived["duplicated"]) == (N, 0)
    assert arrived["paths"][0]["arrived"]["vlan"] == 10
    expect_nothing(r300.stop())


@pytest.mark.parametrize("config", [tunnel(SHORT)], ids=[""])
def test_an_end_is_learned_by_its_report_and_forgotten_when_silent(net):
    """It is asked over the tunnel while it answers; when it hangs, its
    membership ends and so does the end.  Others lose nothing meanwhile."""
    p1, p2, p3 = net.peers
    receivers = [join(p.inner[100]) for p in (p1, p2)]
    net.wait_vteps(p1, p2)
    stream = net.stream(rate=500, count=0)
    wait_until(lambda: all(r.received > 3 * MEMBERSHIP * 500
                           for r in receivers), 20, "asked, and answered")
    assert vteps(net.rest, net.s1, GROUP) == sorted([p1.ip, p2.ip])

    p1.mute()
    net.wait_vteps(p2, seconds=3 * MEMBERSHIP)
    wait_until(lambda: peers_of(net.rest, net.s1) == {p2.ip: "learned"}, 5,
               "the end is forgotten")
    wire = Outer(p1)
    at = receivers[1].received
    receivers[1].wait_for(at + 500)
    expect_counts([wire], 0)
    # A leave takes an end off at once.
    receivers[1].leave()
    net.wait_vteps()
    wait_until(lambda: peers_of(net.rest, net.s1) == {}, 5, "nobody is left")
    stream.stop()
    result = receivers[1].stop()
    assert (result["missing"], result["duplicated"]) == (0, 0)


@pytest.mark.parametrize("config", [tunnel(LONG)], ids=[""])
def test_an_end_that_is_down_costs_the_others_nothing(net):
    p1, p2, p3 = net.peers
    receivers = [join(p.inner[100]) for p in (p1, p2)]
    net.wait_vteps(p1, p2)
    net.wait_buckets(p1, p2)
    stream = net.stream(rate=1000, count=0)
    receivers[1].wait_for(500)

    p1.die()
    receivers[1].wait_for(2000)

    stream.stop()
    result = receivers[1].stop()
    assert (result["missing"], result["duplicated"]) == (0, 0)


@pytest.mark.parametrize("config", [tunnel(LONG)], ids=[""])
@pytest.mark.parametrize("size, arrive", [(1422, 20), (1423, 0)])
def test_what_fits_in_an_underlay_of_1500(net, size, arrive):
    """A copy that does not fit vanishes without a counter."""
    p1, *_ = net.peers
    receiver, local = join(p1.inner[100]), join(net.hosts[0])
    net.wait_vteps(p1)
    net.wait_buckets(p1)

    net.stream(rate=100, count=20, size=size).wait()

    local.wait_for(20)
    result = receiver.wait_for(arrive).stop()
    assert (result["received"], result["damaged"]) == (arrive, 0)
    [port] = [p for p in net.rest.switch(net.s1)["ports"]
              if p["name"] == "vx0"]
    assert port["tunnel"]["overhead"] == 50


def to_vtep(peer, **more):
    return {"match": {"group": GROUP, "vlan": 0}, "set": {"ttl": 9},
            "to": [{"vtep": peer.ip, **more}]}


@pytest.mark.parametrize("config", [tunnel(LONG)], ids=[""])
def test_the_first_packet_to_a_routes_end_arrives(net):
    """The way to it has been found ahead.  Control: where the switch has
    forgotten it, the first packet is lost to ARP."""
    p1, *_ = net.peers
    wire = Outer(p1)
    net.put_route(to_vtep(p1, vni=100))
    wait_until(lambda: net.underlay.knows(p1), 5, "the way is known")

    net.stream(rate=100, count=20).wait()
    expect_counts([wire], 20)
    assert {(vni, f[22]) for vni, f in wire.packets()} == {(100, 9)}

    net.rest.delete("/v1/routes/hdmi")
    wait_until(lambda: not net.s1.groups(), 5, "the route is gone")
    group = "group_id=7,type=all,bucket=actions=set_field:100->tun_id," \
            f"set_field:{p1.ip}->tun_dst,output:100"
    net.s1.ofctl("add-group", group)
    net.s1.ofctl("add-flow", f"table=40,priority=999,ip,nw_dst={GROUP},"
                 "actions=group:7")
    for n in range(1, 6):
        # Unless a neighbour asks, and so tells, in the very moment.
        net.underlay.forget()
        net.stream(rate=100, count=20, stream=n).wait()
        wait_until(lambda: len(wire.packets()) > 20 * n + 10, 5,
                   "the rest comes")
        if len(wire.packets()) < 20 * n + 20:
            return
    raise AssertionError("no packet was ever lost")


@pytest.mark.parametrize(
    "config", [tunnel(LONG, learn="false",
                     peers="[10.255.0.4, 10.255.0.5]")], ids=[""])
def test_declared_ends_are_asked_and_reached_at_once(net):
    """Hosts that had joined before there was a tunnel answer the queries that
    a declared end gets; the first packet arrives at each."""
    p1, p2, p3 = net.peers
    assert peers_of(net.rest, net.s1) == {p1.ip: "declared",
                                          p2.ip: "declared"}
    wait_until(lambda: net.underlay.knows(p1) and net.underlay.knows(p2), 5,
               "the ways are known")
    net.lab.vsctl("del-port", "s1", "vx0")
    receivers = [join(p.inner[100]) for p in net.peers]
    net.underlay.forget()
    net.underlay.add_port(net.s1)
    net.wait_vteps(p1, p2)
    net.wait_buckets(p1, p2)

    net.stream(rate=100, count=20).wait()

    for receiver in receivers[:2]:
        expect_all(receiver.wait_for(20).stop(), 20, source="192.168.168.55")
    expect_nothing(receivers[2].stop())


def test_routes_to_ends(ofmcast):
    """Without any configuration a port and a VNI are enough; what is missing
    is told."""
    net = Net(ofmcast, ["h2"])
    underlay = Underlay(net.lab)
    p1, p2 = underlay.add_peers("p1", "p2", vnis=(100, 200))
    underlay.add_port(net.s1)
    wires = [Outer(p) for p in (p1, p2)]
    answer = net.put_route({
        "match": {"group": GROUP}, "to": [
            {"vtep": p1.ip, "vni": 100, "dpid": "1", "port": "vx0",
             "set": {"group": "239.1.1.2"}},
            {"vtep": p2.ip, "vni": 200, "port": "vx0"}]})
    assert [s["state"] for s in answer["status"]] == ["applied"]
    wait_until(lambda: underlay.knows(p1) and underlay.knows(p2), 5, "ways")

    net.stream(rate=1000, count=N).wait()

    expect_counts(wires[:1], N, group="239.1.1.2")
    expect_counts(wires[1:], N)
    assert [{vni for vni, _ in w.packets(g)} for w, g in
            zip(wires, ("239.1.1.2", GROUP))] == [{100}, {200}]
    answer = net.put_route({"match": {"group": GROUP}, "to": [
        {"vtep": p1.ip, "dpid": "1"}]})
    [status] = answer["status"]
    assert (status["state"], "name one" in status["error"]) \
        == ("pending", True)


@pytest.mark.parametrize("config", [tunnel(LONG)], ids=[""])
def test_an_end_may_be_a_static_member(net):
    """One that does not report, as its switch keeps reports to itself."""
    p1, *_ = net.peers
    wire = Outer(p1)
    net.rest.put("/v1/members/site-b", {
        "dpid": "1", "port": "vx0", "vtep": p1.ip, "group": GROUP})
    net.wait_vteps(p1)
    wait_until(lambda: net.underlay.knows(p1), 5, "the way is known")

    net.stream(rate=1000, count=N).wait()
    expect_counts([wire], N)
    net.rest.delete("/v1/members/site-b")
    wait_until(lambda: peers_of(net.rest, net.s1) == {}, 5, "nobody is left")


@pytest.mark.parametrize("config", [tunnel(SHORT)], ids=[""])
def test_an_end_that_queries_does_not_get_everything(net):
    """It is a host's port: no router port, not the querier."""
    p1, *_ = net.peers
    wire = Outer(p1)
    p1.inner[100].receive("239.1.1.3", PORT)
    net.wait_vteps(p1, group="239.1.1.3")
    p1.inner[100].send_frames(general_query("10.1.0.1"))
    wait_until(lambda: refused(net) > 0, 5, "it is refused")
    net.stream(rate=500, count=50, group="239.9.9.9").wait()
    [querier] = [q for q in net.rest.list("queriers") if q["family"] == 4]
    assert querier["ours"] and not querier["routers"]
    expect_counts([wire], 0, group="239.9.9.9")


def refused(net):
    a = net.rest.request("GET", "/metrics").body
    return sum(int(line.split()[-1]) for line in a.splitlines()
               if line.startswith('ofmcast_refused_total{guard="role"}'))


def general_query(source):
    ip = socket.inet_aton(source)
    igmp = with_checksum(struct.pack("!BBH4sBBH", 0x11, 100, 0, bytes(4), 2,
                                     125, 0), 2)
    header = with_checksum(struct.pack(
        "!BBHHHBBH4s4s4s", 0x46, 0xc0, 24 + len(igmp), 0, 0, 1, 2, 0, ip,
        bytes([224, 0, 0, 1]), b"\x94\x04\0\0"), 10)
    return b"\x01\0\x5e\0\0\x01" + b"\x02\0\0\0\0\x77" + b"\x08\0" \
        + header + igmp


def with_checksum(data, at):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    return data[:at] + struct.pack("!H", total ^ 0xffff) + data[at + 2:]


@pytest.mark.parametrize("config", [tunnel(LONG)], ids=[""])
def test_ipv6_goes_the_same_way(net):
    p1, p2, p3 = net.peers
    wires = [Outer(p) for p in net.peers]
    inner = p1.inner[100]
    inner.sysctl(**{"net.ipv6.conf.all.disable_ipv6": 0,
                    f"net.ipv6.conf.{inner.iface}.accept_dad": 0})
    inner.run("ip", "addr", "add", "fd00:1::9/64", "dev", inner.iface,
              "nodad")
    receiver = inner.receive("ff15::2:2", PORT)
    net.wait_vteps(p1, group="ff15::2:2")
    net.wait_buckets(p1)

    net.stream(rate=1000, count=N, group="ff15::2:2",
               source="fd00:1::70").wait()
    expect_all(receiver.wait_for(N).stop(), N, source="fd00:1::70",
               group="ff15::2:2")
    assert not [f for w in wires[1:] for _, f in w.frames()
                if f[62:64] == b"\x86\xdd"]


@pytest.mark.parametrize("config", [tunnel(LONG)], ids=[""])
def test_what_is_shown(net):
    p1, *_ = net.peers
    join(p1.inner[100])
    net.wait_vteps(p1)
    [member] = net.rest.get(f"/v1/groups/0/{GROUP}")["members"]
    assert (member["port"], member["port_name"], member["vtep"],
            member["vni"]) == (100, "vx0", p1.ip, 100)
    [host] = [h for h in net.rest.list("hosts") if h.get("vtep")]
    assert (host["vtep"], host["port"]) == (p1.ip, 100)
    assert f"vx0>{p1.ip}#100" in net.daemon.ctl("show", "groups")
    assert "tunnel" in net.daemon.ctl("show", "switches", "1")
    text = net.rest.request("GET", "/metrics").body
    assert 'ofmcast_tunnel_peers{origin="learned"} 1' in text


@pytest.mark.parametrize("config", [tunnel(LONG)], ids=[""])
def test_tunnels_are_reconfigured_while_streams_run(net):
    """A VNI, an end and learning go and come; the stream to another end loses
    nothing."""
    p1, p2, p3 = net.peers
    receivers = [join(p.inner[100]) for p in (p1, p2)]
    net.wait_vteps(p1, p2)
    net.wait_buckets(p1, p2)
    stream = net.stream(rate=500, count=0)
    receivers[0].wait_for(200)

    net.daemon.reload(tunnel(LONG, peers=f"[{p1.ip}]", learn="false"))
    net.wait_vteps(p1)
    net.wait_buckets(p1)
    wait_until(lambda: peers_of(net.rest, net.s1) == {p1.ip: "declared"}, 5,
               "the other end is known no more")
    receivers[0].wait_for(receivers[0].received + 300)
    net.daemon.reload(tunnel(LONG))
    assert peers_of(net.rest, net.s1) == {p1.ip: "learned"}
    receivers[1].leave()
    receivers[1].rejoin()
    net.wait_vteps(p1, p2)
    receivers[0].wait_for(receivers[0].received + 300)
    stream.stop()
    result = receivers[0].stop()
    assert (result["missing"], result["duplicated"]) == (0, 0)

    net.daemon.reload(LONG)
    wait_until(lambda: not net.s1.groups(), 5, "nothing is sent to it")
    assert not [f for f in net.s1.flows() if "tun_id" in f]


class Hub:
    """One host that is many tunnel ends: it has their addresses, says what
    they would say, and counts what comes to each."""

    def __init__(self, net, n):
        self.net = net
        [self.host] = net.underlay.add_peers("hub", vnis=())
        self.ends = [f"10.255.0.{100 + i}" for i in range(n)]
        self.host.run("ip", "-batch", "-", stdin="".join(
            f"addr add {a}/24 dev {self.host.iface}\n" for a in self.ends))
        # So that the kernel takes what comes.
        self.host.run("sh", "-c", "ip link add vx9 type vxlan id 9 dstport"
                      " 4789 local 10.255.0.100 && ip link set dev vx9 up")
        self.wire = Wire(self.host, "in", "udp dst port 4789", size=256)

    def join(self, group=GROUP):
        """Each end sends a report of one host behind it, in VNI 100."""
        shown = self.net.lab.home.run("ip", "link", "show", "dev", "u1")
        to = bytes.fromhex(re.search("link/ether ([0-9a-f:]+)", shown)[1]
                           .replace(":", ""))
        self.host.send_frames(*(report_in_tunnel(
            a, to, f"10.1.0.{i + 100}", group)
            for i, a in enumerate(self.ends)))

    def counts(self, group=GROUP):
        """{end: packets}, and how many of them are not the first of their
        kind."""
        seen, doubles = {}, 0
        for _, f in self.wire.frames():
            inner = f[50:]
            if inner[12:14] == b"\x08\0" and inner[23] == 17 \
                    and address(inner[30:34]) == group:
                ids = seen.setdefault(address(f[30:34]), set())
                mark = inner[42:82]
                doubles += mark in ids
                ids.add(mark)
        return {end: len(ids) for end, ids in seen.items()}, doubles


def report_in_tunnel(end, to, source, group):
    igmp = with_checksum(struct.pack(
        "!BBHHHBBH4s", 0x22, 0, 0, 0, 1, 4, 0, 0, socket.inet_aton(group)), 2)
    mac = b"\x02\0\0\0\1" + socket.inet_aton(source)[3:]
    inner = b"\x01\0\x5e\0\0\x16" + mac + b"\x08\0" + ip_header(
        source, "224.0.0.22", 2, 1, igmp, b"\x94\x04\0\0")
    udp = struct.pack("!HHHHII", 50000, 4789, 16 + len(inner), 0, 0x08000000,
                      100 << 8) + inner
    return to + b"\x02\0\0\0\2" + socket.inet_aton(end)[3:] + b"\x08\0" \
        + ip_header(end, "10.255.0.1", 17, 64, udp)


def ip_header(source, destination, proto, ttl, body, options=b""):
    size = 20 + len(options)
    return with_checksum(struct.pack(
        "!BBHHHBBH4s4s", 0x40 | size // 4, 0, size + len(body), 0, 0, ttl,
        proto, 0, socket.inet_aton(source), socket.inet_aton(destination))
        + options, 10) + body


@pytest.mark.parametrize("config", [tunnel(LONG)], ids=[""])
def test_forty_five_ends_in_one_channel_and_a_killed_daemon(ofmcast):
    """More than a kernel router has interfaces (T10).  The daemon is killed
    and comes back: nothing is lost, doubled or modified."""
    net = TunnelNet(ofmcast, ["p1"])
    hub = Hub(net, 45)
    net.peers[0].run("ping", "-c1", "-W2", "10.255.0.1")
    hub.join()
    with contextlib.suppress(LabError):  # A report may be lost, as on any LAN.
        wait_until(lambda: len(vteps(net.rest, net.s1, GROUP)) == 45, 2, "")
    hub.join()
    wait_until(lambda: len(vteps(net.rest, net.s1, GROUP)) == 45, 10,
               "all are members")
    wait_until(lambda: all(a in net.lab.appctl("tnl/neigh/show").split()
                           for a in hub.ends), 10, "all ways are known")
    [group] = [g for g in net.s1.groups().values() if g["ports"]]
    assert group["text"].count("->tun_dst") == 45

    stream = net.stream(rate=200, count=1200)
    wait_until(lambda: sum(hub.counts()[0].values()) > 45 * 100, 20, "it runs")
    net.daemon.kill()
    at = sum(hub.counts()[0].values())
    wait_until(lambda: sum(hub.counts()[0].values()) > at + 45 * 50, 20,
               "it goes on")
    net.daemon.start().wait_synced(net.s1)
    assert sorted(peers_of(net.rest, net.s1)) == sorted(hub.ends)
    stream.wait()
    wait_until(lambda: sum(hub.counts()[0].values()) == 45 * 1200, 20,
               "all are there")

    assert hub.counts() == ({end: 1200 for end in hub.ends}, 0)
    expect_unmodified(net.daemon, net.s1)


SHARED = LONG + """\
tunnels:
  - {dpid: 1, port: vx0, vnis: {"100": 0}, local: 10.255.0.1}
  - {dpid: 2, port: vx1, vnis: {"100": 0}, local: 10.255.1.1}
"""


@pytest.mark.parametrize("config", [SHARED], ids=[""])
def test_two_switches_of_one_daemon_know_each_others_members(ofmcast):
    """No report and no query crosses the core, and a copy goes to the other
    switch only while somebody there wants the stream."""
    net = Net(ofmcast, ["h2"])
    s2 = net.lab.add_switch("s2", 2)
    [h3] = net.lab.add_hosts(s2, "h3")
    ofmcast.wait_synced(s2)
    underlay = Underlay(net.lab)
    underlay.add_port(net.s1)
    net.lab.vsctl("add-port", "s2", "vx1", "--", "set", "interface", "vx1",
                  "type=vxlan", "options:remote_ip=flow", "options:key=flow",
                  # One datapath does not take two such ports on one UDP port.
                  "options:dst_port=4790", "ofport_request=200")
    wait_until(lambda: peers_of(net.rest, s2, "vx1")
               == {"10.255.0.1": "shared"}
               and peers_of(net.rest, net.s1) == {"10.255.1.1": "shared"}, 5,
               "they know each other")
    assert not [g for g in net.s1.groups().values() if g["ports"]]
    receiver = h3.receive(GROUP, PORT)
    wait_until(lambda: any("10.255.1.1->tun_dst" in g["text"]
                           for g in net.s1.groups().values()), 5, "a copy")
    assert vteps(net.rest, net.s1, GROUP) == []
    receiver.stop()
    wait_until(lambda: not [g for g in net.s1.groups().values()
                            if g["ports"]], 10, "no copy")
