# SPDX-License-Identifier: Apache-2.0
"""What must come out as it went in: T13 and T14 of doc/scenarios.md."""

import hashlib
import random
import socket
import struct

import pytest
from frames import checksum, tagged
from kernel import Router
from plain import Ear, Frames, datagram, packet, talker
from procs import run, wait_until
from scene import GROUP, LONG, PORT, expect_nothing

SOURCE = "192.168.168.55"
ROUTE = {"match": {"source": SOURCE, "group": GROUP},
         "set": {"source": "10.1.0.10", "ttl": 16}}


@pytest.fixture
def config():
    return LONG


@pytest.fixture
def member(net):
    host = net.hosts[0]
    net.put_route(ROUTE)
    host.ear = Ear(host, GROUP, PORT)
    net.wait_members(host)
    return host


def pattern(size, seed=12345):
    return random.Random(seed).randbytes(size)


SIZES = 0, 1, 18, 46, 64, 1472


@pytest.mark.plain
def test_t13_sizes_from_nothing_to_a_whole_frame(net, member):
    """Short ones are padded by whoever sends them, and delivered without."""
    with talker(net.extender, SOURCE) as s:
        for size in SIZES:
            s.sendto(pattern(size), (GROUP, PORT))
            assert member.ear.hear()[:2] == (pattern(size), "10.1.0.10")
    for size in SIZES[:3]:
        frame = datagram(SOURCE, GROUP, PORT, pattern(size))
        net.extender.send_frames(frame.ljust(60, b"\xee"))
        assert member.ear.hear()[:2] == (pattern(size), "10.1.0.10")
    assert member.ear.is_silent()


@pytest.mark.plain
def test_t13_jumbo_frames(net, member):
    """With an MTU of 9000 on both sides."""
    for host in net.extender, member:
        host.run("ip", "link", "set", "dev", host.iface, "mtu", "9000")
        run("ip", "-n", net.lab.home.netns, "link", "set", "dev",
            host.port_name, "mtu", "9000")
        net.lab.vsctl("set", "interface", host.port_name, "mtu_request=9000")
    data = pattern(8972)
    with talker(net.extender, SOURCE) as s:
        s.sendto(data, (GROUP, PORT))
    assert member.ear.hear()[:2] == (data, "10.1.0.10")


@pytest.mark.plain
def test_t13_no_udp_checksum_stays_none(net, member):
    wire = Frames(member)
    data = pattern(100)
    net.extender.send_frames(datagram(SOURCE, GROUP, PORT, data,
                                      no_checksum=True))
    assert member.ear.hear()[:2] == (data, "10.1.0.10")
    _, ip = wire.next(GROUP)
    assert ip[26:28] == b"\0\0"


@pytest.mark.plain
def test_t13_a_wrong_checksum_is_not_made_right(net, member):
    """A relay that reads the payload and sends it anew hides that it was
    damaged."""
    data = pattern(100)
    damaged = bytearray(datagram(SOURCE, GROUP, PORT, data))
    damaged[-1] ^= 1
    net.extender.send_frames(bytes(damaged),
                             datagram(SOURCE, GROUP, PORT, b"good"))
    assert member.ear.hear()[0] == b"good"


NOP, RECORD_ROUTE = b"\x01", b"\x07\x07\x04\0\0\0\0"


@pytest.mark.plain
@pytest.mark.parametrize("options", [NOP * 4, RECORD_ROUTE + b"\0",
                                     NOP * 40], ids=["nop", "record", "full"])
def test_t13_options_of_ip_are_kept(net, member, options):
    wire = Frames(member)
    data = pattern(100)
    net.extender.send_frames(datagram(SOURCE, GROUP, PORT, data,
                                      options=options))
    assert member.ear.hear()[:2] == (data, "10.1.0.10")
    _, ip = wire.next(GROUP)
    size = (ip[0] & 15) * 4
    assert ip[20:size] == options
    assert checksum(ip[:size]) == 0


@pytest.mark.plain
@pytest.mark.parametrize("tos", [0xb8, 0x8b, 0x01])
def test_t13_dscp_and_ecn_are_kept(net, member, tos):
    net.extender.send_frames(datagram(SOURCE, GROUP, PORT, b"x", tos=tos))
    assert member.ear.hear() == (b"x", "10.1.0.10", tos)


@pytest.mark.control
def test_t13_control_socat_forgets_dscp_and_the_source_port(lab):
    """And damage: it passes on what its kernel made of a datagram."""
    router = Router(lab)
    router.socat(GROUP, PORT, "239.1.1.1", 6001)
    wire = Frames(router.sinks)
    router.sender.send_frames(datagram("192.168.1.1", GROUP, PORT, b"x",
                                       tos=0xb8, ttl=8))
    _, ip = wire.next("239.1.1.1")
    assert ip[1] == 0
    assert struct.unpack_from("!H", ip, 20)[0] != 4000


def test_t13_a_vlan_is_a_world_of_its_own(net):
    """A route of vlan 10 leaves the untagged stream alone, and the other way
    round; what is tagged otherwise enters neither.  (A relay on AF_PACKET
    takes them all for the same.)"""
    tens, plains, *_ = net.hosts
    for name, vlan, host in ("ten", 10, tens), ("plain", 0, plains):
        net.put_route({"match": {"group": GROUP, "vlan": vlan},
                       "set": {"source": f"10.1.{vlan}.10"},
                       "to": [{"dpid": "1", "port": host.port_name}]}, name)
    wires = [h.tap() for h in net.hosts]
    n = 500
    streams = [net.stream(500, n, stream=v, **({"vlan": v} if v else {}))
               for v in (0, 10, 20)]
    for stream in streams:
        stream.wait()

    for wire, vlan in zip(wires, (10, 0)):
        result = wire.wait_for(n).stop()
        assert [(s["id"], s["unique"]) for s in result["streams"]] \
            == [(vlan, n)]
        [path] = result["paths"]
        assert (path["arrived"]["source"], path["arrived"]["vlan"]) \
            == (f"10.1.{vlan}.10", vlan)
    for wire in wires[2:]:
        expect_nothing(wire.stop())


@pytest.mark.plain
def test_t13_a_tag_keeps_its_priority(net):
    host = net.hosts[0]
    net.put_route({"match": {"group": GROUP, "vlan": 10},
                   "set": {"ttl": 9},
                   "to": [{"dpid": "1", "port": host.port_name}]})
    wire = Frames(host)
    net.extender.send_frames(tagged(
        10 | 5 << 13, datagram(SOURCE, GROUP, PORT, b"x")))
    vlan, ip = wire.next(GROUP)
    assert (vlan, ip[8]) == (10, 9)


def test_t13_esp(net):
    """Protocol 50, by a route of that protocol; UDP to the same group is not
    meant."""
    host, *_ = net.hosts
    net.put_route({"match": {"source": SOURCE, "group": GROUP, "proto": 50},
                   "set": {"source": "10.1.0.10", "group": "239.1.1.1"},
                   "to": [{"dpid": "1", "port": host.port_name}]})
    wire = Frames(host)
    body = struct.pack("!II", 0x1234, 7) + pattern(200)
    net.extender.send_frames(
        datagram(SOURCE, GROUP, PORT, b"udp"),
        packet(SOURCE, GROUP, body, proto=50))
    _, ip = wire.next("239.1.1.1")
    assert (ip[9], ip[20:]) == (50, body)
    assert ip[12:16] == socket.inet_aton("10.1.0.10")
    assert checksum(ip[:20]) == 0


def test_t13_two_sources_of_one_group(net):
    """Each by its own route, to the same port."""
    host, *_ = net.hosts
    n = 1000
    for i in 1, 2:
        net.put_route({"match": {"source": f"192.168.168.{i}", "group": GROUP,
                                 "udp_dst": PORT},
                       "set": {"source": f"10.1.0.1{i}"}}, f"from-{i}")
    receiver = host.receive(GROUP, PORT)
    net.wait_members(host)
    streams = [net.stream(500, n, source=f"192.168.168.{i}", stream=i)
               for i in (1, 2)]
    for stream in streams:
        stream.wait()
    result = receiver.wait_for(2 * n).stop()
    assert {s["id"]: s["unique"] for s in result["streams"]} == {1: n, 2: n}
    assert {p["arrived"]["source"]: p["packets"] for p in result["paths"]} \
        == {"10.1.0.11": n, "10.1.0.12": n}
    assert result["duplicated"] == 0


@pytest.mark.plain
def test_t14_integrity(net, member):
    """75,000 datagrams of 1400 bytes: the same bytes in the same order.  Each
    window of them has arrived before the next is sent, so that nothing can be
    lost in a buffer."""
    noise = random.Random(12345)
    sent, got = hashlib.sha256(), hashlib.sha256()
    window, n = 50, 75000
    with talker(net.extender, SOURCE) as s:
        for _ in range(n // window):
            block = noise.randbytes(window * 1400)
            sent.update(block)
            for at in range(0, len(block), 1400):
                s.sendto(block[at:at + 1400], (GROUP, PORT))
            for _ in range(window):
                got.update(member.ear.sock.recv(2048))
    assert got.hexdigest() == sent.hexdigest()
    assert member.ear.is_silent()
    wait_until(lambda: int(net.rest.get("/v1/routes/hdmi")["status"][0]
                           ["packets"], 0) == n, 5, "it has counted them")
