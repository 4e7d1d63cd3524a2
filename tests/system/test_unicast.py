# SPDX-License-Identifier: Apache-2.0
"""Streams from groups to hosts, from hosts to groups, and on to hosts."""

import contextlib
import socket

import pytest

from procs import in_netns, wait_until
from scene import (GROUP, LONG, PORT, expect_all, expect_nothing,
                   expect_unmodified)
from test_fragments import datagrams, nothing_else, received

N = 200
HOST = "10.1.0.50"  # That nobody has.
GROUP_OUT = "239.1.1.1"


@pytest.fixture
def config():
    return LONG


@contextlib.contextmanager
def listen(host, port=6000, group=None):
    """A socket that counts what comes for the host itself."""
    with in_netns(host.netns):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        s.bind(("", port))
        s.settimeout(10)
        yield s


def status(net, name="hdmi"):
    return net.rest.get(f"/v1/routes/{name}")["status"][0]


def wait_applied(net, name="hdmi"):
    wait_until(lambda: status(net, name)["state"] == "applied", 20,
               "the route is applied")


def to_host(host, **more):
    return {"match": {"group": GROUP, "udp_dst": PORT},
            "set": {"source": "10.1.0.60"},
            "to": [{"unicast": host.ip, "udp_dst": 6000, **more}]}


def send_some(net, host=None, first=0, **options):
    frames, payloads = datagrams(size=100 + first % 50, number=N, **options)
    (host or net.extender).send_frames(*frames)
    return payloads


def expect_each_once(s, payloads, source="10.1.0.60"):
    assert received(s, len(payloads)) == [(source, p) for p in payloads]
    nothing_else(s)


def test_a_group_reaches_a_host_that_never_joined(net):
    h2, h3, *_ = net.hosts
    net.put_route(to_host(h2))
    other = h3.tap()
    with listen(h2) as s:
        wait_applied(net)
        expect_each_once(s, send_some(net))
    expect_nothing(other.stop())


def send_by_kernel(host, to, payloads, port=PORT):
    """As a program does: its kernel asks for the address by ARP."""
    with in_netns(host.netns):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with s:
        for payload in payloads:
            s.sendto(payload, (to, port))


def neighbour(host, ip):
    return host.run("ip", "neigh", "show", ip)


def test_a_host_s_stream_becomes_a_group(net):
    """The sender's kernel learns the switch's Ethernet address."""
    h2, h3, h4, _ = net.hosts
    net.put_route({"match": {"unicast": HOST, "udp_dst": PORT},
                   "set": {"group": GROUP_OUT}})
    receivers = [h.receive(GROUP_OUT, PORT) for h in (h2, h3)]
    wire = h4.tap()
    net.wait_members(h2, h3)
    # The first waits for the answer.
    wait_until(lambda: (send_by_kernel(net.extender, HOST, [b"x"]),
                        "00:00:00:00:00:01" in neighbour(net.extender, HOST)
                        )[1], 15, "ARP is answered")
    net.extender.send(GROUP, PORT, 1, 1, source="10.1.0.1").wait()
    for r in receivers:
        wait_until(lambda r=r: r.progress()[0]["foreign"] >= 1, 10,
                   "what the kernel sent")
        r.stop()
    expect_nothing({**wire.stop(), "foreign": 0})


def test_from_host_to_host_and_nothing_goes_astray(net):
    h2, h3, *_ = net.hosts
    net.put_route({"match": {"unicast": HOST, "udp_dst": PORT},
                   "to": [{"unicast": h2.ip, "udp_dst": 6000}]})
    with listen(h2) as s, listen(h3, PORT) as unheard:
        wait_applied(net)
        payloads = [bytes([i]) * 100 for i in range(N)]
        wait_until(lambda: (send_by_kernel(net.extender, HOST, [b"x"]),
                            "lladdr" in neighbour(net.extender, HOST))[1],
                   15, "ARP is answered")
        s.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while s.recv(100) == b"x":
                pass
        s.settimeout(10)
        send_by_kernel(net.extender, HOST, payloads)
        expect_each_once(s, payloads, source=net.extender.ip)
        # Of another port: no route's, nobody's.
        send_by_kernel(net.extender, HOST, payloads, PORT + 1)
        send_by_kernel(net.extender, h3.ip, [b"end"])
        assert [p for _, p in received(unheard, 1)] == [b"end"]
        nothing_else(s)
        nothing_else(unheard)


def test_an_address_that_a_host_has_stays_its_own(net):
    h2, h3, *_ = net.hosts
    net.put_route({"match": {"unicast": h3.ip, "udp_dst": PORT},
                   "to": [{"unicast": h2.ip}]})
    wait_applied(net)
    with listen(h2, PORT) as s, listen(h3, PORT + 1) as own:
        payloads = [b"%d" % i for i in range(N)]
        # While ARP is under way the sender's kernel keeps only a few.
        net.extender.run("ping", "-c", "1", "-W", "5", h3.ip)
        send_by_kernel(net.extender, h3.ip, payloads, PORT + 1)
        assert [p for _, p in received(own, N)] == payloads
        assert h3.mac in neighbour(net.extender, h3.ip)
        # What the route is for, it takes; the rest of the host's is its own.
        send_by_kernel(net.extender, h3.ip, payloads)
        assert [p for _, p in received(s, N)] == payloads


def test_members_a_port_and_a_host_in_one_route(net):
    h2, h3, h4, h5 = net.hosts
    net.put_route({"match": {"group": GROUP, "udp_dst": PORT},
                   "set": {"source": "10.1.0.60"},
                   "to": [{"members": True},
                          {"dpid": "1", "port": h3.port_name},
                          {"unicast": h4.ip, "udp_dst": 6000}]})
    member = h2.receive(GROUP, PORT)
    port = h3.tap()
    bystander = h5.tap()
    with listen(h4) as s:
        wait_applied(net)
        wait_until(lambda: [2, 3, 4] in net.group_ports().values(), 10,
                   "three copies")
        net.stream(rate=1000, count=500).wait()
        for r in member, port:
            expect_all(r.wait_for(500).stop(), 500, source="10.1.0.60")
        got = received(s, 500)
        assert {where for where, _ in got} == {"10.1.0.60"}
        nothing_else(s)
    expect_nothing(bystander.stop())


def test_a_host_that_comes_late_and_goes(net):
    """Pending, with the reason, until it answers; and again when it is
    gone."""
    late = "10.1.0.77"
    h2 = net.hosts[0]
    body = to_host(h2)
    body["to"][0]["unicast"] = late
    net.put_route(body)
    assert status(net)["state"] == "pending"
    assert status(net)["error"] == f"{late} does not answer ARP in vlan 0"
    h2.run("ip", "addr", "add", f"{late}/24", "dev", h2.iface)
    with listen(h2) as s:
        wait_applied(net)
        expect_each_once(s, send_some(net))
    h2.die()
    wait_until(lambda: "does not answer ARP" in status(net)["error"], 20,
               "it is told")
    assert status(net)["state"] == "pending"


def test_a_host_that_moves_to_another_port(net):
    """Its address is seen at another port: the copies follow."""
    h2, h3, *_ = net.hosts
    moving = "10.1.0.77"
    body = to_host(h2)
    body["to"][0]["unicast"] = moving
    h2.run("ip", "addr", "add", f"{moving}/24", "dev", h2.iface)
    net.put_route(body)
    wait_applied(net)
    with listen(h2) as s, listen(h3) as t:
        expect_each_once(s, send_some(net))
        h2.run("ip", "addr", "del", f"{moving}/24", "dev", h2.iface)
        h3.run("ip", "addr", "add", f"{moving}/24", "dev", h3.iface)
        h2.die()
        wait_until(lambda: [3] in net.group_ports().values(), 20, "it moved")
        net.lab.appctl("revalidator/wait")
        expect_each_once(t, send_some(net))
        nothing_else(s)


def test_a_restart_changes_nothing_and_loses_nothing(net):
    h2 = net.hosts[0]
    net.put_route(to_host(h2))
    wait_applied(net)
    before = net.s1.group_ages()
    with listen(h2) as s:
        stream = net.stream(rate=1000, count=6000)
        wait_until(lambda: not any("controller" in flow for flow in
                                   net.s1.flows("table=30")), 10,
                   "the source is known")
        net.daemon.kill()
        net.daemon.start()
        net.daemon.wait_synced(net.s1)
        stream.wait()
        got = received(s, 6000)
        assert {where for where, _ in got} == {"10.1.0.60"}
        nothing_else(s)
    wait_applied(net)
    assert net.s1.group_ages().keys() == before.keys()
    expect_unmodified(net.daemon, net.s1)


def test_large_datagrams_to_a_host_are_whole_or_not_at_all(net):
    """Another destination is seldom neutral: they are dropped and counted."""
    h2 = net.hosts[0]
    net.put_route(to_host(h2))
    with listen(h2) as s:
        wait_applied(net)
        frames, _ = datagrams(number=10)
        net.extender.send_frames(*frames)
        expect_each_once(s, send_some(net))
    wait_until(lambda: int(status(net)["fragments_dropped"], 16)
               == len(frames), 10, "counted")
