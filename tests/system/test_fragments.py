# SPDX-License-Identifier: Apache-2.0
"""Datagrams larger than the MTU through routes: whole, or not at all."""

import contextlib
import socket
import struct

import pytest

from frames import checksum, ethernet
from procs import in_netns, wait_until
from scene import GROUP, PORT, LONG, SHORT

SOURCE = "192.168.168.55"
# The same checksum, and so together with any group: lib/neutral.h.
NEUTRAL = "10.1.94.223"
OTHER = "10.1.0.10"
N = 20


def datagrams(group=GROUP, port=PORT, size=4000, number=N, source=SOURCE,
              with_checksum=True, mac=None, mtu=1480, fill=None):
    """Frames of UDP datagrams in fragments, and their payloads."""
    frames, payloads = [], []
    for i in range(number):
        payload = bytes((i * 7 + k * k) & 0xff for k in range(size))
        if fill is not None:
            payload = bytes([fill]) * size
        payload = struct.pack("!I", i) + payload[4:]
        payloads.append(payload)
        pseudo = socket.inet_aton(source) + socket.inet_aton(group) \
            + struct.pack("!HH", 17, size + 8)
        udp = struct.pack("!HHHH", port, port, size + 8, 0)
        right = checksum(pseudo + udp + payload) or 0xffff
        data = udp[:6] + struct.pack("!H", right * with_checksum) + payload
        for at in range(0, len(data), mtu):
            more = 0x2000 if at + mtu < len(data) else 0
            part = data[at:at + mtu]
            header = struct.pack(
                "!BBHHHBBH4s4s", 0x45, 0, 20 + len(part), 100 + i,
                more | at // 8, 5, 17, 0, socket.inet_aton(source),
                socket.inet_aton(group))
            header = header[:10] + struct.pack("!H", checksum(header)) \
                + header[12:]
            frame = ethernet(group, b"\x02\0\0\0\0\x44", header + part)
            frames.append((mac or frame[:6]) + frame[6:])
    return frames, payloads


@contextlib.contextmanager
def receiver(host, group=GROUP, port=PORT):
    """A socket that has joined; datagrams with a wrong checksum do not come
    out of it."""
    with in_netns(host.netns):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        s.bind(("", port))
        if group:
            with in_netns(host.netns):
                index = socket.if_nametoindex(host.iface)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                         struct.pack("4s4si", socket.inet_aton(group),
                                     b"\0" * 4, index))
        s.settimeout(10)
        yield s


def received(s, n):
    """'n' datagrams that come, [(source, payload), ...]"""
    return [(where[0], data) for data, where in
            (s.recvfrom(65536) for _ in range(n))]


def nothing_else(s):
    s.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        data = s.recv(65536)
        raise AssertionError(f"{len(data)} bytes came")
    s.settimeout(10)


def status(net, name="hdmi"):
    return net.rest.get(f"/v1/routes/{name}")["status"][0]


def marker(net, s, group=GROUP, port=PORT, **options):
    """A small datagram at the end: what was before it has come, or will not
    come."""
    [frame], [payload] = datagrams(group, port, 64, 1, **options)
    net.extender.send_frames(frame)
    assert [data for _, data in received(s, 1)] == [payload]
    nothing_else(s)


def route(source, **more):
    return {"match": {"source": SOURCE, "group": GROUP},
            "set": {"source": source}, **more}


@pytest.mark.parametrize("config", [LONG], ids=[""])
@pytest.mark.parametrize("with_checksum", [True, False],
                         ids=["checksum", "no-checksum"])
def test_a_neutral_source_delivers_large_datagrams_intact(net, with_checksum):
    h2 = net.hosts[0]
    net.put_route(route(NEUTRAL))
    with receiver(h2) as s:
        net.wait_members(h2)
        frames, payloads = datagrams(with_checksum=with_checksum)
        net.extender.send_frames(*frames)
        assert received(s, N) == [(NEUTRAL, p) for p in payloads]
        nothing_else(s)
    assert status(net)["fragments"] == "pass"
    assert status(net)["fragments_dropped"] == "0x0"


@pytest.mark.parametrize("config", [LONG], ids=[""])
@pytest.mark.parametrize("fill", [0x00, 0xff])
def test_not_even_zeros_and_ones_are_mixed_up(net, fill):
    """Both are the same to a checksum, so nothing else would notice."""
    h2 = net.hosts[0]
    net.put_route({"match": {"source": SOURCE, "group": GROUP},
                   "set": {"source": "10.1.0.10", "group": "239.1.1.1"},
                   "to": [{"members": True,
                           "set": {"source": "10.1.82.225"}}]})
    with receiver(h2, "239.1.1.1") as s:
        wait_until(lambda: [2] in net.group_ports().values(), 10, "a copy")
        for with_checksum in True, False:
            frames, payloads = datagrams(with_checksum=with_checksum,
                                         fill=fill)
            net.extender.send_frames(*frames)
            assert received(s, N) == [("10.1.82.225", p) for p in payloads]
        nothing_else(s)
    assert status(net)["fragments"] == "pass"


@pytest.mark.parametrize("config", [LONG], ids=[""])
@pytest.mark.parametrize("with_checksum", [True, False],
                         ids=["checksum", "no-checksum"])
def test_another_source_delivers_none_and_says_so(net, with_checksum):
    h2 = net.hosts[0]
    net.put_route(route(OTHER))
    wire = h2.tap()
    with receiver(h2) as s:
        net.wait_members(h2)
        frames, _ = datagrams(with_checksum=with_checksum)
        net.extender.send_frames(*frames)
        marker(net, s)
    assert wire.stop()["foreign"] <= 1, "not even in halves"
    wait_until(lambda: int(status(net)["fragments_dropped"], 16)
               == len(frames), 10, "they are counted")
    assert status(net)["fragments"] == "drop"
    assert "checksum" in status(net)["fragments_reason"]


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_what_leaves_addresses_alone_passes(net):
    h2 = net.hosts[0]
    net.put_route({"match": {"group": GROUP, "source": SOURCE},
                   "set": {"ttl": 16, "eth_src": "auto", "udp_dst": 6001}})
    with receiver(h2, port=6001) as s:
        net.wait_members(h2)
        frames, payloads = datagrams()
        net.extender.send_frames(*frames)
        assert received(s, N) == [(SOURCE, p) for p in payloads]
    assert status(net)["fragments"] == "pass"


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_a_udp_port_in_the_match_takes_fragments_along(net):
    """To members, and to a port in a group of the route's own."""
    h2, h3, *_ = net.hosts
    net.put_route({"match": {"group": GROUP, "source": SOURCE,
                             "udp_dst": PORT},
                   "set": {"source": NEUTRAL, "udp_dst": 6001},
                   "to": [{"members": True},
                          {"dpid": "1", "port": h3.port_name}]})
    with receiver(h2, port=6001) as s, receiver(h3, GROUP, 6001) as t:
        wait_until(lambda: [2, 3] in net.group_ports().values(), 10, "copies")
        frames, payloads = datagrams()
        net.extender.send_frames(*frames)
        for receiving in s, t:
            assert received(receiving, N) == [(NEUTRAL, p) for p in payloads]
            nothing_else(receiving)
    assert int(status(net)["packets"], 16) >= 0


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_two_routes_by_port_drop_what_may_be_of_either(net):
    """Until one of them goes."""
    h2 = net.hosts[0]
    def by_port(port):
        return {"match": {"group": GROUP, "source": SOURCE, "udp_dst": port},
                "set": {"source": NEUTRAL}}
    net.put_route(by_port(PORT), "a")
    net.put_route(by_port(5999), "b")
    assert {status(net, n)["fragments"] for n in "ab"} == {"drop"}
    assert "route a's" in status(net, "b")["fragments_reason"]
    with receiver(h2) as s:
        net.wait_members(h2)
        frames, payloads = datagrams()
        net.extender.send_frames(*frames)
        marker(net, s)
        net.rest.delete("/v1/routes/b")
        wait_until(lambda: status(net, "a")["fragments"] == "pass", 10, "a")
        net.lab.appctl("revalidator/wait")  # The old flow is gone there, too.
        net.extender.send_frames(*frames)
        assert received(s, N) == [(NEUTRAL, p) for p in payloads]


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_the_user_may_say_drop(net):
    h2 = net.hosts[0]
    net.put_route(route(NEUTRAL, fragments="drop"))
    assert net.rest.get("/v1/routes/hdmi")["fragments"] == "drop"
    with receiver(h2) as s:
        net.wait_members(h2)
        net.extender.send_frames(*datagrams()[0])
        marker(net, s)


@pytest.mark.parametrize("config", [SHORT], ids=[""])
def test_without_a_route_fragments_are_nobody_s_business(net):
    h2 = net.hosts[0]
    with receiver(h2) as s:
        net.wait_members(h2)
        frames, payloads = datagrams()
        net.extender.send_frames(*frames)
        assert received(s, N) == [(SOURCE, p) for p in payloads]
