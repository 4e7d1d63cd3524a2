# SPDX-License-Identifier: Apache-2.0
"""Replies to the source that a route gives a stream reach the device."""

import contextlib
import socket

import pytest

from procs import in_netns, wait_until
from scene import GROUP, LONG, PORT, check_restart, expect_all, expect_nothing
from test_fragments import nothing_else, received
from test_unicast import neighbour, status, wait_applied

DEVICE = "192.168.168.55"
SOURCE = "10.1.0.200"  # That nobody has.
REPLIES = 5005
N = 50


FABRIC = "l2: fabric\n" + LONG


@pytest.fixture
def config(request):
    return getattr(request, "param", LONG)


def become_device(host, address=DEVICE):
    """Its address is of no use to the others, to whom it has a route."""
    host.run("ip", "addr", "flush", "dev", host.iface)
    host.run("ip", "addr", "add", f"{address}/24", "dev", host.iface)
    host.run("ip", "route", "add", "10.1.0.0/24", "dev", host.iface)


def route(reply_to, **more):
    return {"match": {"source": DEVICE, "group": GROUP, **more},
            "set": {"source": SOURCE, "reply_to": reply_to}}


@contextlib.contextmanager
def udp(host, port=REPLIES):
    with in_netns(host.netns):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with s:
        s.bind(("", port))
        s.settimeout(10)
        yield s


def settle(host, source=SOURCE):
    """Its kernel knows the Ethernet address of 'source': the switch's."""
    with udp(host, 0) as s:
        wait_until(lambda: (s.sendto(b"x", (source, 9)),
                            "00:00:00:00:00:01" in neighbour(host, source))[1],
                   15, "ARP is answered")


def reply(host, text, to=SOURCE):
    payloads = [b"%s %d" % (text, i) for i in range(N)]
    with udp(host, 0) as s:
        for payload in payloads:
            s.sendto(payload, (to, REPLIES))
    return payloads


def arrives(sender, s, to=SOURCE):
    """For some ms after a group has changed the switch sends by what it was
    before."""
    s.settimeout(1)
    with udp(sender, 0) as out, contextlib.suppress(TimeoutError):
        out.sendto(b"?", (to, REPLIES))
        s.recv(1)
        s.settimeout(10)
        return True
    return False


def passed(sender, to, s):
    """What was sent before this has come through the switch; 's' of 'to' got
    nothing of it."""
    [payload, *_] = reply(sender, b"end", to.ip)
    [first, *_] = received(s, N)
    assert first == (sender.ip, payload)
    nothing_else(s)


def flows(net):
    return sorted(line[line.index("table="):] for line in (
        ", ".join(w for w in f.split(", ") if not w.startswith(
            ("cookie", "duration", "n_packets", "n_bytes", "idle_age")))
        for f in net.s1.flows()) if "table=" in line)


def test_a_reply_reaches_the_device_alone_and_once(net):
    h2, h3, *_ = net.hosts
    become_device(net.extender)
    before = flows(net)
    with udp(net.extender) as device, udp(h3) as other:
        # As it is without: nobody answers, nothing arrives.
        net.put_route({**route(True), "set": {"source": SOURCE}})
        receiver = h2.receive(GROUP, PORT)
        net.wait_members(h2)
        net.extender.send(GROUP, PORT, 1000, 100, source=DEVICE).wait()
        expect_all(receiver.wait_for(100).stop(), 100, source=SOURCE)
        reply(h2, b"lost")
        wait_until(lambda: "FAILED" in neighbour(h2, SOURCE), 10, "no answer")
        nothing_else(device)

        net.put_route(route(True))
        wait_applied(net)
        settle(h2)
        wire = h3.tap()
        payloads = reply(h2, b"heard")
        assert received(device, N) == [(h2.ip, p) for p in payloads]
        expect_nothing(wire.stop())
        passed(h2, h3, other)
        nothing_else(device)

        check_restart(net)
        payloads = reply(h2, b"again")
        assert received(device, N) == [(h2.ip, p) for p in payloads]

        # Another stream of the device: what they share stays for the other.
        net.put_route(route(True, group="226.3.3.3"), "other")
        net.rest.delete("/v1/routes/hdmi")
        payloads = reply(h2, b"shared")
        assert received(device, N) == [(h2.ip, p) for p in payloads]

        net.rest.delete("/v1/routes/other")
        wait_until(lambda: flows(net) == before, 10, "no flow is left")
        reply(h2, b"late")
        passed(h2, h3, other)
        nothing_else(device)


def answers(host, to):
    """Who answers three pings to 'to'."""
    text = host.run("sh", "-c", f"ping -c 3 -i 0.2 -W 1 {to} || true")
    return [w.split(":")[0] for w in text.split("bytes from ")[1:]]


@pytest.mark.parametrize("config", [LONG, FABRIC], indirect=True,
                         ids=["normal", "fabric"])
def test_the_device_answers_those_whom_the_route_names(net):
    h2, h3, *_ = net.hosts
    become_device(net.extender)
    h3.run("ip", "addr", "add", "192.168.168.3/24", "dev", h3.iface)
    net.put_route(route(True))
    wait_applied(net)
    settle(h2)
    assert SOURCE not in answers(h2, SOURCE)
    net.put_route(route("10.1.0.0/24"))
    wait_applied(net)
    assert answers(h2, SOURCE) == [SOURCE] * 3
    # Its neighbours know it by its own address, and still do.
    assert answers(h3, DEVICE) == [DEVICE] * 3


def test_replies_follow_a_device_to_another_port(net):
    h2, h3, h4, _ = net.hosts
    h2.run("ip", "addr", "add", f"{DEVICE}/24", "dev", h2.iface)
    net.put_route(route(True))
    wait_applied(net)
    settle(h4)
    h2.run("ip", "addr", "del", f"{DEVICE}/24", "dev", h2.iface)
    h3.run("ip", "addr", "add", f"{DEVICE}/24", "dev", h3.iface)
    h2.die()
    wait_until(lambda: any(f"{DEVICE}->ip_dst,output:3" in g["text"]
                           for g in net.s1.groups().values()), 20, "it moved")
    with udp(h3) as device:
        wait_until(lambda: arrives(h4, device), 10, "a reply comes there")
        payloads = reply(h4, b"moved")
        assert received(device, N) == [(h4.ip, p) for p in payloads]
    h3.die()
    wait_until(lambda: status(net)["error"] == f"no replies: {DEVICE} does not"
               " answer ARP in vlan 0", 20, "it is told")


def test_devices_of_one_address_get_their_own_replies(net):
    h2, h3, h4, h5 = net.hosts
    for host in h2, h3:
        become_device(host, "192.168.154.2")
    net.put_route({"match": {"dpid": "1", "port": "s1-eth?",
                             "source": "192.168.154.2", "group": GROUP},
                   "set": {"source_pool": "10.1.0.192/28",
                           "reply_to": True}})
    wait_until(lambda: len(status(net).get("pool", [])) >= 2, 10, "sources")
    given = {p["port"]: p["source"] for p in status(net)["pool"]}
    sources = [given[h.port_name] for h in (h2, h3)]
    for source in sources:
        settle(h4, source)
    with udp(h2) as second, udp(h3) as third, udp(h5) as other:
        for _ in range(2):
            to2, to3 = (reply(h4, b"to " + s.encode(), s) for s in sources)
            assert received(second, N) == [(h4.ip, p) for p in to2]
            assert received(third, N) == [(h4.ip, p) for p in to3]
            for s in second, third, other:
                nothing_else(s)
            net.daemon.kill()
            net.daemon.start().wait_synced(net.s1)
        counters = net.rest.switch(net.s1)["counters"]
        assert [int(counters[k], 0)
                for k in ("flow_mods", "group_mods")] == [0, 0]
