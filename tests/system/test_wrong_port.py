# SPDX-License-Identifier: Apache-2.0
"""What a route counts: its packets and bytes, by output, and those of its
stream that came in by another port (T3: what the kernel's multicast routing
does with an iif and counts as WRONGVIF)."""

import pytest
from procs import wait_until
from scene import (LONG, PORT, expect_all, expect_nothing,
                   expect_unmodified)

SOURCE, GROUP = "192.168.1.1", "224.1.1.1"
N = 400


@pytest.fixture
def config():
    return LONG


def put(net, name="mfc", source=SOURCE, group=GROUP, iif=None, oif=None):
    net.rest.put(f"/v1/routes/{name}", {
        "match": {"dpid": "1", "port": (iif or net.extender).port_name,
                  "source": source, "group": group},
        "to": [{"dpid": "1", "port": (oif or net.hosts[0]).port_name}]})


def status(net, name="mfc"):
    return net.rest.get(f"/v1/routes/{name}")["status"][0]


def number(net, member, name="mfc"):
    return int(status(net, name)[member], 0)


def wait_count(net, member, n, name="mfc"):
    wait_until(lambda: number(net, member, name) >= n, 10, member)
    assert number(net, member, name) == n


def send(host, source=SOURCE, group=GROUP, count=N, **options):
    host.send(group, PORT, 1000, count, source=source, **options).wait()


def wrong_flows(net):
    return [f for f in net.s1.flows("table=30") if "0x4f464d430e" in f]


def ctl(net, *args):
    return net.daemon.ctl(*args)


def test_only_the_route_s_source_by_its_port_goes_on_the_rest_is_counted(net):
    h2, h3, _, _ = net.hosts
    put(net)
    wire = h2.tap()

    send(net.extender)
    send(net.extender, source="192.168.1.2")  # Not its source.
    wait_count(net, "packets", N)
    assert number(net, "wrong_port_packets") == 0

    send(h3, stream=2)  # Its source, by another port.
    wait_count(net, "wrong_port_packets", N)
    assert number(net, "packets") == N
    assert number(net, "bytes") > N * 40
    expect_all(wire.wait_for(N).stop(), N, source=SOURCE, group=GROUP)


def test_what_comes_in_wrong_is_forwarded_as_it_would_be_without_a_route(net):
    """It counts and changes nothing: members get it, the route's port not."""
    h2, h3, h4, _ = net.hosts
    put(net)
    member = h4.receive(GROUP, PORT)
    wire = h2.tap()
    net.wait_groups([h4], [h2])

    send(h3)

    expect_all(member.wait_for(N).stop(), N, source=SOURCE, group=GROUP)
    wait_count(net, "wrong_port_packets", N)
    expect_nothing(wire.stop())


def test_routes_that_differ_only_in_their_port_share_the_count(net):
    """Both are right for what comes in by their own port."""
    h2, h3, h4, h5 = net.hosts
    put(net, "one", iif=net.extender)
    put(net, "two", iif=h3, oif=h4)
    assert len(wrong_flows(net)) == 1

    send(net.extender)
    send(h3, stream=2)
    send(h5, stream=3)

    for name in ("one", "two"):
        wait_count(net, "packets", N, name)
        wait_count(net, "wrong_port_packets", N, name)
    net.rest.delete("/v1/routes/one")
    assert len(wrong_flows(net)) == 1
    assert number(net, "wrong_port_packets", "two") == N
    net.rest.delete("/v1/routes/two")
    assert wrong_flows(net) == []


def test_the_narrower_route_counts_what_both_would(net):
    put(net, "wide", group="224.1.0.0/16")
    put(net, "narrow", group=GROUP)
    send(net.hosts[1])
    wait_count(net, "wrong_port_packets", N, "narrow")
    assert number(net, "wrong_port_packets", "wide") == 0
    assert (status(net, "narrow")["priority"]
            > status(net, "wide")["priority"])
    names = [line.split()[0] for line
             in ctl(net, "show", "routes").splitlines()[1:]]
    assert names == ["narrow", "wide"]


def test_counts_outlive_the_daemon(net):
    put(net)
    send(net.extender)
    send(net.hosts[1], stream=2)
    wait_count(net, "wrong_port_packets", N)
    net.daemon.kill()
    net.daemon.start().wait_synced(net.s1)
    wait_count(net, "packets", N)
    wait_count(net, "wrong_port_packets", N)
    expect_unmodified(net.daemon, net.s1)


def outputs(net, name="mfc"):
    return {o["port_name"]: o for o in status(net, name)["outputs"]}


def test_each_output_tells_why_it_is_there_and_what_it_got(net):
    """A copy counts from when it came."""
    h2, h3, h4, h5 = net.hosts
    net.rest.put("/v1/routes/mfc", {
        "match": {"source": SOURCE, "group": GROUP},
        "set": {"source": "10.1.0.10"},
        "to": [{"members": True},
               {"dpid": "1", "port": h2.port_name, "set": {"ttl": 9}}]})
    send(net.extender)
    wait_count(net, "packets", N)
    assert {n: (o["origins"], int(o["packets"], 0), o["rewrite"])
            for n, o in outputs(net).items()} == {
        h2.port_name: (["route"], N, "source=10.1.0.10 ttl=9")}

    net.rest.put("/v1/members/fixed", {
        "dpid": "1", "port": h4.port_name, "group": GROUP})
    h3.receive(GROUP, PORT)
    net.wait_groups([h3, h4], [h2, h3, h4])
    send(net.extender, stream=2)
    wait_count(net, "packets", 2 * N)
    found = {n: (o["origins"], int(o["packets"], 0), o["rewrite"])
             for n, o in outputs(net).items()}
    assert found == {
        h2.port_name: (["route"], 2 * N, "source=10.1.0.10 ttl=9"),
        h3.port_name: (["igmp"], N, "source=10.1.0.10"),
        h4.port_name: (["static"], N, "source=10.1.0.10")}


def test_outputs_of_a_plain_route_are_its_members(net):
    h2, h3, *_ = net.hosts
    net.rest.put("/v1/routes/mfc", {
        "match": {"source": SOURCE, "group": GROUP},
        "set": {"source": "10.1.0.10"}})
    h2.receive(GROUP, PORT)
    net.wait_members(h2)
    send(net.extender)
    wait_count(net, "packets", N)
    h3.receive(GROUP, PORT)
    net.wait_members(h2, h3)
    wait_until(lambda: len(outputs(net)) == 2, 5, "two outputs")
    send(net.extender, stream=2)
    wait_count(net, "packets", 2 * N)
    assert {n: (o["origins"], int(o["packets"], 0))
            for n, o in outputs(net).items()} == {
        h2.port_name: (["igmp"], 2 * N), h3.port_name: (["igmp"], N)}


def test_the_text_of_ip_mroute_show(net):
    """Byte for byte what iproute2 6.1 prints for the same entries, which was
    tried with the kernel: see doc/counters.md."""
    h2, h3, h4, _ = net.hosts
    put(net)
    net.rest.put("/v1/routes/stop", {
        "match": {"dpid": "1", "port": h4.port_name, "group": "239.9.9.9"},
        "to": []})
    send(net.extender)
    send(h3, stream=2)
    wait_count(net, "wrong_port_packets", N)
    iif, oif = net.extender.port_name, h2.port_name
    size = number(net, "bytes")
    h4.receive("239.1.2.3", PORT)
    net.wait_groups([h4], [h2])
    lines = ctl(net, "show", "routes", "-f", "iproute").splitlines()
    assert lines == [
        f"(192.168.1.1,224.1.1.1)          Iif: {iif:<10} Oifs: {oif} "
        " State: resolved",
        f"(0.0.0.0,239.9.9.9)              Iif: {h4.port_name:<10} Oifs: "
        " State: resolved",
        f"(192.168.1.1,224.1.1.1)          Iif: {h3.port_name:<10} Oifs: "
        " State: resolved",
        f"(0.0.0.0,239.1.2.3)              Iif: any        Oifs: "
        f"{h4.port_name}  State: resolved"]
    stats = ctl(net, "show", "routes", "-f", "iproute-stats").splitlines()
    assert stats[:2] == [lines[0], f"  {N} packets, {size} bytes, "
                                   f"{N} arrived on wrong iif."]
    head, row, *_ = ctl(net, "show", "routes", "-f", "mr_cache").splitlines()
    assert head.split() == ["Group", "Origin", "Iif", "Pkts", "Bytes",
                            "Wrong", "Oifs"]
    assert row.split() == [GROUP, SOURCE, iif, str(N), str(size), str(N), oif]
