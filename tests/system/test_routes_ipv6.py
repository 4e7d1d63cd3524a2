# SPDX-License-Identifier: Apache-2.0
"""Routes of IPv6: who gets which packets, once, and what they look like."""

import contextlib
import json
import os
import socket
import struct

import pytest
from frames import checksum
from peers import SnoopingBridge
from procs import in_netns, wait_until
from scene import (LONG, PORT, SHORT, Net, check_restart, expect_all,
                   expect_nothing)
from vxlan_scene import Outer, Underlay

SOURCE = "2001:db8::1"
GROUP = "ff2e::42"
OTHER = "ff1e::5:6"
N = 500


@pytest.fixture
def config():
    return LONG


@pytest.fixture
def net(ofmcast):
    return Net(ofmcast, ["h2", "h3", "h4", "h5"], ipv6=True)


def put(net, match=None, to=None, name="hdmi", **settings):
    body = {"match": {"source": SOURCE, "group": GROUP, **(match or {})}}
    if to is not None:
        body["to"] = to
    if settings:
        body["set"] = settings
    return net.rest.put(f"/v1/routes/{name}", body)


def port(host, when=None, **settings):
    return {"dpid": "1", "port": host.port_name,
            **({"when": when} if when else {}),
            **({"set": settings} if settings else {})}


def status(net, name="hdmi"):
    return net.rest.get(f"/v1/routes/{name}")["status"][0]


def send(host, group=GROUP, source=SOURCE, **options):
    host.send(group, PORT, 2000, N, source=source, **options).wait()


def arrived(result):
    """{(source, group, port, hop limit, vlan): packets} of what came, with
    right checksums."""
    assert [result[k] for k in ("missing", "duplicated", "damaged",
                                "bad_checksum")] == [0] * 4
    found = {}
    for p in result["paths"]:
        a = p["arrived"]
        key = (a["source"], a["group"], a["port"], a["ttl"],
               a.get("vlan", 0))
        found[key] = found.get(key, 0) + p["packets"]
    return found


def test_a_line_of_smcroute_does_here_what_it_did_there(net):
    """mroute from eth0 source 2001:db8::1 group ff2e::42 to eth1 eth2: two
    receivers, one bystander; shown as the kernel would, and exported."""
    h2, h3, h4, _ = net.hosts
    conf = os.path.join(net.lab.dir, "smcroute.conf")
    with open(conf, "w") as f:
        f.write(f"mroute from s1-eth1 source {SOURCE} group {GROUP} to"
                f" {h2.port_name} {h3.port_name}\n")
    net.daemon.ctl("import", "--format", "smcroute", conf)
    [name] = [r["name"] for r in net.rest.list("routes")]
    # Receivers' joins are no condition; the bystander has joined nothing.
    receivers = [h.receive(GROUP, PORT) for h in (h2, h3)]
    bystander = h4.tap()
    net.wait_groups([h2, h3], [h2, h3])

    send(net.extender)
    send(net.extender, source="2001:db8::2", stream=2)  # Not its source.
    for receiver in receivers:
        receiver.wait_for(2 * N)
    send(h4, stream=3)  # Its source, by another port: members' alone.

    for receiver in receivers:
        result = receiver.wait_for(3 * N).stop()
        assert {s["id"]: s["unique"] for s in result["streams"]} \
            == {0: N, 2: N, 3: N}
        assert (result["duplicated"], result["bad_checksum"]) == (0, 0)
    expect_nothing(bystander.stop())
    wait_until(lambda: int(status(net, name)["wrong_port_packets"], 0) == N,
               10, "counted")
    assert int(status(net, name)["packets"], 0) == N
    line, *_ = net.daemon.ctl("show", "routes", "-f", "iproute").splitlines()
    assert line == (f"({SOURCE},{GROUP})           Iif: s1-eth1    "
                    f"Oifs: {h2.port_name} {h3.port_name}  State: resolved")
    exported = json.loads(net.daemon.ctl("export"))["routes"]
    assert [(r["match"]["source"], r["match"]["group"],
             [t["port"] for t in r["to"]]) for r in exported] \
        == [(SOURCE, GROUP, [h2.port_name, h3.port_name])]
    check_restart(net)


def test_members_and_ports_get_what_was_rewritten_for_them(net):
    """By MLD, by name, by name while it has joined: each its own copy, with a
    right checksum and the Ethernet address of its group."""
    h2, h3, h4, h5 = net.hosts
    put(net, {"vlan": 0}, [
        {"members": True},
        port(h3, group="ff1e::3:3", source="2001:db8:3::3", udp_dst=7000,
             ttl=7, dscp=46, vlan=10),
        port(h4, when="joined", group="ff1e::4:4"),
        port(h5, when="joined", group="ff1e::5:5")],
        source="2001:db8:9::9", group=OTHER, ttl=16)
    receivers = [h2.receive(OTHER, PORT), h4.receive("ff1e::4:4", PORT)]
    # The last twice: fragments have a flow of their own.
    net.wait_groups([h2], [h4], [h2, h3, h4], [h2, h3, h4])
    wires = [h.tap() for h in net.hosts]

    send(net.extender)

    for receiver in receivers:
        receiver.wait_for(N)
    results = [w.wait_for(N).stop() for w in wires[:3]]
    assert [arrived(r) for r in results] == [
        {("2001:db8:9::9", OTHER, PORT, 16, 0): N},
        {("2001:db8:3::3", "ff1e::3:3", 7000, 7, 10): N},
        {("2001:db8:9::9", "ff1e::4:4", PORT, 16, 0): N}]
    assert [r["macs"] for r in results] == [
        {"33:33:00:05:00:06": N}, {"33:33:00:03:00:03": N},
        {"33:33:00:04:00:04": N}]
    expect_nothing(wires[3].stop())
    expect_all(receivers[0].stop(), N, "2001:db8:9::9", OTHER)
    expect_all(receivers[1].stop(), N, "2001:db8:9::9", "ff1e::4:4")
    check_restart(net)


def test_static_and_learned_members_are_a_union(net):
    """With the reasons for each output; and who goes leaves the other."""
    h2, h3, h4, _ = net.hosts
    net.rest.put("/v1/members/fixed", {
        "dpid": "1", "port": h2.port_name, "group": GROUP})
    put(net, None, [{"members": True}, port(h4)], source="2001:db8:9::9")
    learned = [h.receive(GROUP, PORT) for h in (h2, h3)]
    wires = [h.tap(group=GROUP) for h in (h2, h3, h4)]

    def origins():
        return {o["port_name"]: sorted(o["origins"])
                for o in status(net)["outputs"]}
    wait_until(lambda: origins() == {
        h2.port_name: ["mld", "static"], h3.port_name: ["mld"],
        h4.port_name: ["route"]}, 10, "all three")
    send(net.extender)
    for wire in wires:
        expect_all(wire.wait_for(N).stop(), N, "2001:db8:9::9", GROUP)

    for receiver in learned:
        receiver.leave()
    wait_until(lambda: origins() == {
        h2.port_name: ["static"], h4.port_name: ["route"]}, 10, "they left")
    wires = [h.tap(group=GROUP) for h in (h2, h3, h4)]
    send(net.extender)
    for i in (0, 2):
        expect_all(wires[i].wait_for(N).stop(), N, "2001:db8:9::9", GROUP)
    expect_nothing(wires[1].stop())


def test_prefixes_and_a_stop_filter(net):
    """Each sender and each group keeps its number, in one flow; what is
    narrower takes something out."""
    h2, h3, *_ = net.hosts
    put(net, {"source": "2001:db8::/32", "group": "ff1e:30::/96"},
        source="2001:dead::/32", group="ff2e:40::/96")
    put(net, {"source": "2001:db8::66", "group": "ff1e:30::/96"}, [],
        name="stop")
    receivers = [h2.receive("ff2e:40::1:2", PORT),
                 h3.receive("ff2e:40::1:3", PORT, source="2001:dead:7::5")]
    wire = h2.tap()
    net.wait_groups([h2], [h3])

    send(net.extender, "ff1e:30::1:2", "2001:db8:7::5", stream=1)
    send(net.extender, "ff1e:30::1:2", "2001:db8::66", stream=2)
    send(net.extender, "ff1e:30::1:3", "2001:db8:7::5", stream=3)
    send(net.extender, "ff1e:30::1:3", "2001:db8:7::6", stream=4)

    expect_all(receivers[0].wait_for(N).stop(), N, "2001:dead:7::5",
               "ff2e:40::1:2")
    expect_all(receivers[1].wait_for(N).stop(), N, "2001:dead:7::5",
               "ff2e:40::1:3")
    assert wire.stop()["macs"] == {"33:33:00:01:00:02": N}
    wait_until(lambda: int(status(net, "stop")["packets"], 0) == N, 10,
               "what was stopped is counted")
    check_restart(net)


def test_a_pool_gives_each_port_a_source_of_its_own(net):
    """Devices with the same address are told apart."""
    h2, *senders = net.hosts
    put(net, {"dpid": "1", "port": "s1-eth?"}, source_pool="2001:db8:9::/64")
    receiver = h2.receive(GROUP, PORT)
    net.wait_members(h2)
    for i, sender in enumerate(senders, 1):
        send(sender, stream=i)
    result = receiver.wait_for(3 * N).stop()
    given = {p["port"]: p["source"] for p in status(net)["pool"]}
    assert {k[0]: n for k, n in arrived(result).items()} == {
        given[s.port_name]: N for s in senders}
    check_restart(net)
    assert {p["port"]: p["source"] for p in status(net)["pool"]} == given


# Fragments.


def datagrams(size=4000, number=20, source=SOURCE, fill=None, mtu=1448):
    """Frames of UDP datagrams in fragments, and their payloads."""
    ends = [socket.inet_pton(socket.AF_INET6, a) for a in (source, GROUP)]
    ends = b"".join(ends)
    frames, payloads = [], []
    for i in range(number):
        body = bytes([fill]) * size if fill is not None else \
            bytes((i * 7 + k * k) & 0xff for k in range(size))
        body = struct.pack("!I", i) + body[4:]
        payloads.append(body)
        udp = struct.pack("!HHHH", PORT, PORT, size + 8, 0)
        right = checksum(ends + struct.pack("!II", size + 8, 17) + udp
                         + body) or 0xffff
        data = udp[:6] + struct.pack("!H", right) + body
        for at in range(0, len(data), mtu):
            part = data[at:at + mtu]
            more = at + mtu < len(data)
            whole = not at and not more
            extra = b"" if whole else struct.pack(
                "!BBHI", 17, 0, at | more, next_id())
            frames.append(
                b"\x33\x33" + ends[28:] + b"\x02\0\0\0\0\x44\x86\xdd"
                + struct.pack("!IHBB", 6 << 28, len(extra) + len(part),
                              17 if whole else 44, 5)
                + ends + extra + part)
            if not more:
                next_id.at += 1
    return frames, payloads


def next_id():
    """Of a datagram; a receiver keeps those that it has seen in part."""
    return next_id.at


next_id.at = 1


@contextlib.contextmanager
def socket_of(host, group, port_no=PORT):
    """Datagrams with a wrong checksum do not come out of it."""
    with in_netns(host.netns):
        s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        index = socket.if_nametoindex(host.iface)
    with s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        s.bind(("", port_no))
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                     socket.inet_pton(socket.AF_INET6, group)
                     + struct.pack("@I", index))
        s.settimeout(10)
        yield s


def received(s, n):
    return [(where[0], data) for data, where in
            (s.recvfrom(65536) for _ in range(n))]


@pytest.mark.parametrize("match", [{}, {"udp_dst": PORT}],
                         ids=["any", "port"])
def test_large_datagrams_come_whole_with_their_addresses_rewritten(net,
                                                                   match):
    """The switch mends the checksum of the first fragment, and none else.
    All zeros and all ones are the same to a checksum: nothing else would
    notice."""
    h2, h3, *_ = net.hosts
    put(net, match, [{"members": True},
                     port(h3, source="2001:db8:3::3", group=GROUP,
                          **({"udp_dst": 6001} if match else {}))],
        source="2001:db8:9::10", group=OTHER)
    with socket_of(h2, OTHER) as s, \
            socket_of(h3, GROUP, 6001 if match else PORT) as t:
        wait_until(lambda: [h2.port, h3.port] in net.group_ports().values(),
                   10, "both")
        for fill in (None, 0, 0xff):
            frames, payloads = datagrams(fill=fill)
            net.extender.send_frames(*frames)
            assert received(s, 20) == [("2001:db8:9::10", p)
                                       for p in payloads]
            assert received(t, 20) == [("2001:db8:3::3", p)
                                       for p in payloads]
    assert status(net)["fragments"] == "pass"
    check_restart(net)


def test_fragments_that_may_be_of_two_routes_are_dropped(net):
    """They show neither port nor protocol: no halves, and it is counted."""
    h2, *_ = net.hosts
    put(net, {"udp_dst": PORT}, [port(h2)], name="a")
    put(net, {"proto": 50}, [port(h2)], name="b")
    assert status(net, "a")["fragments"] == "drop"
    assert "route b's" in status(net, "a")["fragments_reason"]
    with socket_of(h2, GROUP) as s:
        frames, _ = datagrams()
        marker, [last] = datagrams(size=100, number=1)
        net.extender.send_frames(*frames, *marker)
        assert received(s, 1) == [(SOURCE, last)]
        wait_until(lambda: int(status(net, "a")["fragments_dropped"], 16)
                   == len(frames), 10, "counted")
        net.rest.delete("/v1/routes/b")
        wait_until(lambda: status(net, "a")["fragments"] == "pass", 10, "a")
        net.lab.appctl("revalidator/wait")
        frames, payloads = datagrams()
        net.extender.send_frames(*frames)
        assert received(s, 20) == [(SOURCE, p) for p in payloads]


# Beside the data.


@pytest.mark.parametrize("config", [SHORT], ids=[""])
def test_a_snooping_bridge_upstream_is_asked_by_mld(ofmcast):
    net = Net(ofmcast, ["h2"], ipv6=True)
    segment = net.lab.add_segment(net.s1, "up")
    bridge = SnoopingBridge(segment, "", "fe80::c8/64").start()
    [sender] = segment.add("sender", ipv6=True)
    net.rest.put("/v1/members/up", {"dpid": "1", "port": segment.port_name,
                                    "router": True})
    wire = net.hosts[0].tap()
    put(net, None, [port(net.hosts[0])], source="2001:db8:9::9")
    bridge.wait_joined(GROUP)
    send(sender)
    expect_all(wire.wait_for(N).stop(), N, "2001:db8:9::9", GROUP)
    net.rest.delete("/v1/routes/hdmi")
    bridge.wait_left(GROUP, 2)


def test_through_a_tunnel_over_ipv4(ofmcast):
    """Its end is IPv4; what is in it is IPv6, rewritten."""
    net = Net(ofmcast, ["h2"], ipv6=True)
    underlay = Underlay(net.lab)
    [p1] = underlay.add_peers("p1")
    underlay.add_port(net.s1)
    wire = Outer(p1)
    put(net, None, [{"vtep": p1.ip, "vni": 100, "dpid": "1", "port": "vx0",
                     "set": {"group": OTHER}}], source="2001:db8:9::9", ttl=9)
    wait_until(lambda: underlay.knows(p1), 5, "the way is known")

    send(net.extender)

    wanted = b"\x09" + b"".join(socket.inet_pton(socket.AF_INET6, a)
                                for a in ("2001:db8:9::9", OTHER))

    def inner():  # Of each its VNI, and from its hop limit on.
        return [(frame[46:49], frame[71:104]) for _, frame in wire.frames()
                if frame[62:64] == b"\x86\xdd" and frame[70] == 17]
    wait_until(lambda: len(inner()) >= N, 10, "all come")
    assert inner() == [(b"\0\0\x64", wanted)] * N


def explain(net, *options, code=0):
    """ofmcastctl explain of the extender's stream, as JSON."""
    done = net.daemon.ctl_done(
        "explain", "--switch", "1", "--in-port", net.extender.port_name,
        "--src", SOURCE, "--group", GROUP, "--json", *options)
    assert done.returncode == code, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def test_explain_follows_a_packet_and_the_switch_agrees(net):
    """By what is meant, by what Open vSwitch says, by packets that come."""
    h2, h3, h4, _ = net.hosts
    net.daemon.ctl("route", "add", "hdmi", "--source", SOURCE, "--group",
                   GROUP, "--to", f"1:{h2.port_name},ttl=9,group={OTHER}",
                   "--to", "members", "--set", "source=2001:db8:9::9")
    text = net.daemon.ctl("route", "show", "hdmi")
    assert GROUP in text and OTHER in text
    receiver = h3.receive(GROUP, PORT)
    net.wait_groups([h3], [h2, h3])

    ovs = ["--vswitchd", f"{net.lab.dir}/vswitchd.ctl"]
    wait_until(lambda: explain(net, "--to", h2.port_name, *ovs)["trace"]
               ["agrees"], 10, "it agrees")
    found = explain(net, "--to", h2.port_name, *ovs)
    assert (found["delivered"], found["trace"]["extra"]) == (True, [])
    assert f"dst={OTHER}" in found["trace"]["actions"]
    found = explain(net, "--to", h4.port_name, code=1)
    assert found["reason"] == "never-joined", found

    stream = net.extender.send(GROUP, PORT, 500, 0, source=SOURCE)
    receiver.wait_for(20)
    [packet, *_] = explain(net, "--live", "3")["live"]["packets"]
    n = stream.stop()["sent"]
    assert packet["in"]["destination"] == GROUP
    assert {(p["source"], p["destination"], p["eth_dst"], p["udp_checksum"])
            for p in packet["out"]} == {
        ("2001:db8:9::9", OTHER, "33:33:00:05:00:06", "good"),
        ("2001:db8:9::9", GROUP, "33:33:00:00:00:42", "good")}
    expect_all(receiver.wait_for(n).stop(), n, "2001:db8:9::9", GROUP)


@pytest.mark.parametrize("config", [
    "vlans: {default: {mld: false}}\n"], ids=[""])
def test_a_route_to_members_without_mld_says_that_it_waits(net):
    h2, *_ = net.hosts
    put(net)
    assert status(net)["state"] == "pending"
    assert "MLD is off in vlan 0" in status(net)["error"]
    net.daemon.reload(LONG)
    wait_until(lambda: status(net)["state"] == "applied", 10, "applied")
    receiver = h2.receive(GROUP, PORT)
    net.wait_members(h2)
    send(net.extender)
    expect_all(receiver.wait_for(N).stop(), N, SOURCE, GROUP)


def test_what_is_not_there_says_so(net):
    """422 with a pointer, also where families are mixed."""
    for body, pointer in [
            ({"match": {"group": GROUP, "source": "10.0.0.1"}},
             "/match/source"),
            ({"match": {"group": GROUP}, "set": {"group": "226.1.1.1"}},
             "/set/group"),
            ({"match": {"group": "ff02::42"}}, "/match/group"),
            ({"match": {"group": GROUP}, "to": [{"unicast": "2001:db8::7"}]},
             "/to/0/unicast")]:
        answer = net.rest.request("PUT", "/v1/routes/bad", body)
        assert (answer.status, answer.json["pointer"]) == (422, pointer)
