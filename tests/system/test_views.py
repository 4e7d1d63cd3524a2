# SPDX-License-Identifier: Apache-2.0
"""What a person is told: events, guards, other queriers, filters."""

import json
import re
import struct

import pytest
from frames import (TO_EX, checksum, ethernet, ipv4, record, tagged, v3_query,
                    v3_report)
from procs import JsonTool, wait_until
from rest import API_PORT, program
from scene import GROUP, LONG, PORT, Net

MOVING_GROUP = "226.5.6.7"
HOST_PORT = LONG + """\
ports:
  - {dpid: 1, port: s1-eth2, role: host}
  - {dpid: 1, port: s1-eth3, max_groups: 2}
"""


@pytest.fixture
def config():
    return LONG


class Events:
    """What ofmcastctl shows of /v1/events."""

    def __init__(self, net):
        self.process = net.lab.home.spawn(
            "events", program("ofmcastctl"), "--api",
            f"http://127.0.0.1:{API_PORT}", "--json", "show", "events",
            kind=JsonTool)
        wait_until(lambda: self.provoke(net), 10, "the stream is up")

    def provoke(self, net):
        """It is, when something comes through it."""
        net.rest.put("/v1/members/probe", {"dpid": "1", "port": "s1-eth1",
                                           "group": "226.99.99.99"})
        net.rest.delete("/v1/members/probe")
        return self.all()

    def all(self, name=None):
        return [e["data"] for e in self.process.lines(name)]

    def wait(self, name, **wanted):
        def found():
            return next((d for d in self.all(name)
                         if wanted.items() <= d.items()), None)
        wait_until(found, 10, f"{name} with {wanted}: {self.process.lines()}")
        return found()


def metric(net, line):
    text = net.rest.request("GET", "/metrics").body
    found = re.search(rf"^ofmcast_{re.escape(line)} (\d+)$", text, re.M)
    return int(found[1]) if found else None


def report(host, group, mac=b"\x02\0\0\0\0\x42"):
    host.send_frames(v3_report("10.1.0.42", [record(TO_EX, group)], mac=mac))


def test_events(net):
    """Who joined, moved and left."""
    h2, h3, *_ = net.hosts
    events = Events(net)

    receiver = h2.receive(GROUP, PORT)
    events.wait("member.changed", group=GROUP, port=h2.port, vlan=0,
                dpid=net.s1.dpid_text)
    receiver.stop()
    events.wait("member.left", group=GROUP, port=h2.port)

    # A group of its own, or the event that is waited for is the receiver's
    # of before, and which of the two ports the switch reads first is luck.
    report(h2, MOVING_GROUP)
    events.wait("member.changed", group=MOVING_GROUP, port=h2.port)
    report(h3, MOVING_GROUP)
    moved = events.wait("host.moved", mac="02:00:00:00:00:42", vlan=0)
    assert (moved["from"]["port"], moved["to"]["port"]) == (h2.port, h3.port)
    assert moved["groups"] == 1


@pytest.mark.parametrize("config", [HOST_PORT], ids=["guards"])
def test_what_guards_refuse(net):
    """In events, of the port, and in metrics."""
    h2, h3, *_ = net.hosts
    events = Events(net)

    h2.send_frames(v3_query("10.1.0.2"))
    denied = events.wait("guard.denied", guard="role", port=h2.port)
    assert denied["dpid"] == net.s1.dpid_text
    for i in range(3):
        report(h3, f"226.5.5.{i}")
    events.wait("guard.limit", guard="port-groups", port=h3.port, limit=2)

    ports = {p["port"]: p for p in net.rest.switch(net.s1)["ports"]}
    assert int(ports[h2.port]["refused"]["role"], 0) >= 1
    assert int(ports[h3.port]["refused"]["port-groups"], 0) >= 1
    assert "refused" not in ports[net.extender.port]
    assert metric(net, 'refused_total{guard="role"}') >= 1
    assert metric(net, f'port_refused_total{{dpid="{net.s1.dpid_text}",'
                  f'port="{h3.port}",port_name="{h3.port_name}",'
                  'guard="port-groups"}') >= 1
    assert metric(net, 'igmp_messages_total{result="guarded"}') >= 1
    querier = next(q for q in net.rest.list("queriers") if q["family"] == 4)
    assert querier["ours"] and querier["routers"] == []


def v2_query(source):
    body = struct.pack("!BBH4s", 0x11, 10, 0, b"\0" * 4)
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    return ethernet("224.0.0.1", b"\x02\0\0\0\0\x43",
                    ipv4(source, "224.0.0.1", body))


def test_another_querier_of_an_older_version(net):
    """Its version is a warning: hosts follow it, and filter no sources."""
    router = net.hosts[0]
    router.send_frames(v2_query("10.1.0.0"))

    def querier():
        return next(q for q in net.rest.list("queriers") if q["family"] == 4)

    router.send_frames(v2_query("1.1.1.1"))
    wait_until(lambda: not querier()["ours"], 5, "it is the querier")
    found = querier()
    assert found["address"] in ("10.1.0.0", "1.1.1.1")
    assert (found["version"], found["falls_back"]) == (2, True)
    assert (found["port"], found["next_query_s"]) == (router.port, None)
    assert [(r["port"], r["sign"], r["fixed"]) for r in found["routers"]] \
        == [(router.port, "query", False)]
    shown = net.daemon.ctl("show", "queriers")
    assert "v2 (hosts fall back)" in shown
    assert f"{router.port_name} query " in shown
    assert metric(net, 'queriers{who="other"}') == 1


def test_hosts_page_by_page(ofmcast):
    """Each once, whether it speaks one protocol or both, on whichever vlan."""
    net = Net(ofmcast, ["h2", "h3", "h4"], ipv6=True)
    h2, h3, h4 = net.hosts
    receivers = [h.receive(g, PORT) for h in (h2, h3, h4)
                 for g in (GROUP, "ff15::7:7")]
    # The same host address twice, on two ports; and a vlan more.
    twice = b"\x02\0\0\0\0\x77"
    for host in (h2, h3):
        host.send_frames(v3_report("10.1.0.77", [record(TO_EX, "226.7.7.7")],
                                   mac=twice))
    h4.send_frames(tagged(30, v3_report(
        "10.30.0.9", [record(TO_EX, "226.7.7.7")], mac=b"\2\0\0\0\0\x30")))
    wait_until(lambda: len({h["mac"] for h in net.rest.list("hosts")
                            if h["igmp_version"]}) == 5, 10, "all are known")
    wait_until(lambda: {h.mac for h in (h2, h3, h4)} <=
               {h["mac"] for h in net.rest.list("hosts") if h["mld_version"]},
               10, "their MLD too")
    whole = net.rest.list("hosts")

    found, cursor = [], ""
    while cursor is not None:
        page = net.rest.get(f"/v1/hosts?limit=1{cursor}")
        found += page["hosts"]
        cursor = f"&cursor={page['next']}" if "next" in page else None

    def key(host):
        return host["vlan"], host["mac"], host["port"]

    assert [key(h) for h in found] == [key(h) for h in whole]
    assert len(set(map(key, whole))) == len(whole)
    assert [h["vlan"] for h in whole] == sorted(h["vlan"] for h in whole)
    for host in (h2, h3, h4):
        [shown] = [h for h in whole if h["mac"] == host.mac]
        assert (shown["igmp_version"], shown["mld_version"]) == (3, 2)
        assert {host.ip, host.link_local} <= set(shown["ips"])
    for receiver in receivers:
        receiver.signal(9)


def test_filters_of_hosts_behind_one_port(net):
    """The port's filter is theirs together; each one's own is shown."""
    one, all_ = net.lab.add_shared(net.s1, "one", "all")
    receivers = [one.receive(GROUP, PORT, source="10.1.0.77"),
                 all_.receive(GROUP, PORT, exclude="10.1.0.78")]

    net.wait_members(one)

    def member():
        found = net.rest.get(f"/v1/groups/0/{GROUP}")["members"]
        return next(m for m in found if m["port"] == one.port)

    wait_until(lambda: len(member()["hosts"]) == 2, 10, "both are known")
    shown = member()
    assert (shown["mode"], shown["sources"]) == ("exclude", ["10.1.0.78"])
    hosts = {h["ip"]: (h["mode"], h["sources"]) for h in shown["hosts"]}
    assert hosts == {one.ip: ("include", ["10.1.0.77"]),
                     all_.ip: ("exclude", ["10.1.0.78"])}
    text = net.daemon.ctl("show", "groups")
    assert f"{one.ip} only 10.1.0.77" in text
    assert f"{all_.ip} not 10.1.0.78" in text
    assert metric(net, 'hosts{family="4"}') == 2
    listed = json.loads(net.daemon.ctl("show", "hosts", "-j"))["hosts"]
    assert {h["ips"][0] for h in listed} == {one.ip, all_.ip}
    for receiver in receivers:
        receiver.stop()
