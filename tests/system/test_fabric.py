# SPDX-License-Identifier: Apache-2.0
"""Switches with links between them are one network, cycles and all."""

import contextlib

import pytest
from fabric_scene import FABRIC, GROUP, PORT, Scene, arp_request, ping_all
from procs import LabError, wait_until
from scene import expect_all
from wire import Wire

SHAPES = [("ring", {"n": 4, "hosts": 2}),
          ("leaf_spine", {"leaves": 4, "spines": 2, "hosts": 4}),
          ("fat_tree", {"k": 4})]
N = 4000


@pytest.fixture
def config():
    return FABRIC


@pytest.fixture(params=[
    pytest.param(shape, id=shape[0],
                 marks=[pytest.mark.plain] if shape[0] == "fat_tree" else [])
    for shape in SHAPES])
def scene(ofmcast, request):
    shape, options = request.param
    return Scene(ofmcast).build(shape, **options)


def test_all_hosts_ping_all(scene):
    assert ping_all(scene.hosts) == []


def test_a_stream_reaches_each_member_once_and_nobody_else(scene):
    """From its first packet on, at 2,000 a second, in order; and it is on no
    link that is not on its tree."""
    source, *others = scene.hosts
    members = others[::3]
    receivers = [h.receive(GROUP, PORT) for h in members]
    scene.wait_members(*members)
    bystanders = [h.tap() for h in scene.hosts if h not in members]
    ends = {e.iface: e.tap() for k in scene.links for e in k.ends}

    source.send(GROUP, PORT, rate=2000, count=N, source=source.ip,
                ttl=4).wait()

    for receiver in receivers:
        receiver.wait_for(N)
    used = scene.tree_links()  # Before anybody leaves.
    spines = {s.dpid_text for s in scene.spines}
    assert len(spines & {s["dpid"] for s in scene.tree()["switches"]}) <= 1
    for receiver in receivers:
        expect_all(receiver.stop(), N, source=source.ip, group=GROUP)
    assert [t.stop()["received"] for t in bystanders] == [0] * len(bystanders)
    for link in scene.links:
        got = [ends[e.iface].stop()["received"] for e in link.ends]
        on_tree = frozenset(e.iface for e in link.ends) in used
        # One way, each packet once (what the controller has carried itself
        # until the source was on the tree comes by no link).
        assert min(got) == 0 and max(got) <= N, link.name
        assert (max(got) > N - 100) == on_tree, (link.name, got)


def test_a_broadcast_reaches_each_host_once(scene):
    """100 ARP requests, in a network full of cycles."""
    sender, *others = scene.hosts
    wires = [Wire(h, what="arp and arp[6:2] = 1 and"
                          " dst host 10.1.0.250") for h in others]
    back = Wire(sender, what="arp and dst host 10.1.0.250")
    # A few at a time, for tcpdump drops what comes too fast; the last one
    # only to know that what comes late has come.
    for n in [*range(10, 101, 10), 101]:
        sender.send_frames(*[arp_request(sender, "10.1.0.250")]
                           * (n - (n - 1) // 10 * 10))
        for wire in wires:
            wait_until(lambda w=wire: len(w.frames()) >= n, 10,
                       f"{n} requests")
    assert {len(w.frames()) for w in wires} == {101}
    assert not back.frames()


def test_unicast_takes_a_shortest_path_and_no_other(scene):
    """A frame to a host is on no wire but those of the way."""
    a, b = scene.hosts[0], scene.hosts[-1]
    assert ping_all([a, b]) == []
    wires = {h.name: Wire(h, what="icmp") for h in scene.hosts
             if h not in (a, b)}
    links = {e.iface: Wire(e, what="icmp") for k in scene.links
             for e in k.ends}
    a.run("ping", "-n", "-q", "-c", "20", "-i", "0.02", b.ip)
    # To and fro, 20 frames on each link of the two ways, and nothing else.
    distance = {4: 1, 6: 2}.get(len(scene.switches), 4)

    def counts():
        return sorted(n for n in (len(w.frames()) for w in links.values())
                      if n)
    with contextlib.suppress(LabError):
        wait_until(lambda: counts() == [20] * 2 * distance, 10, "")
    assert counts() == [20] * 2 * distance
    assert not any(w.frames() for w in wires.values())


def test_hosts_that_ping_are_listed(ofmcast):
    """With their addresses, and where they are; one that joins stays one."""
    scene = Scene(ofmcast).build("line", 2)
    pair = scene.hosts
    assert ping_all(pair) == []

    def listed():
        return {h["mac"]: h for h in scene.rest.list("hosts")}

    def there():
        found = listed()
        return all(h.mac in found and h.ip in found[h.mac]["ips"]
                   for h in pair)
    wait_until(there, 5, "both hosts are listed with their addresses")
    found = listed()
    for host in pair:
        h = found[host.mac]
        assert (h["dpid"], h["port"], h["vlan"]) \
            == (host.switch.dpid_text, host.port, 0)
        assert h["last_seen_s"] < 30
    assert scene.topology()["n_hosts"] == len(pair)
    assert [s["n_hosts"] for s in scene.topology()["switches"]] == [1, 1]
    pair[0].receive(GROUP, PORT)
    scene.wait_members(pair[0])
    rows = [h for h in scene.rest.list("hosts") if h["mac"] == pair[0].mac]
    assert len(rows) == 1 and rows[0]["igmp_version"] == 3
    assert pair[0].ip in rows[0]["ips"]
