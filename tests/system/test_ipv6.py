# SPDX-License-Identifier: Apache-2.0
"""MLDv1 and MLDv2 hosts, and the IPv6 that must go on around them."""

import time

import pytest
from frames import TO_EX, mld2_report, mld_record, tagged
from procs import LabError, wait_until
from scapy.all import (ICMPv6ND_RA, ICMPv6NDOptPrefixInfo, Ether, IPv6,
                       ICMPv6NDOptSrcLLAddr)
from scene import (LAST_MEMBER, LONG, MEMBERSHIP, PORT, V6, Net, expect_all,
                   expect_nothing, wait_silence)
from wire import Wire

GROUP = V6.group
VERSIONS = pytest.mark.parametrize("version", V6.versions, ids=["v1", "v2"])


@pytest.fixture
def net(ofmcast):
    return Net(ofmcast, ["h2", "h3", "h4", "h5"], ipv6=True)


def expect_once(result, n, source, group=GROUP):
    expect_all(result, n, source=source, group=group)


def stream(net, n=2000, rate=1000, group=GROUP, **options):
    return net.extender.send(group, PORT, rate, n, **options)


# Membership.


@VERSIONS
def test_a_host_joins_and_stays(net, version):
    """Beyond two membership intervals; it alone gets the packets, once."""
    host, *others = net.hosts
    host.force_mld(version)
    receiver = host.receive(GROUP, PORT)
    net.wait_members(host)
    found = net.rest.members(net.s1, GROUP)[host.port]
    assert found["version"] == version
    assert [h["ip"] for h in found["hosts"]] == [host.link_local]
    wires = [h.tap(group=GROUP) for h in others]
    n = int(2.2 * MEMBERSHIP * 1000)

    stream(net, n).wait()

    expect_once(receiver.wait_for(n).stop(), n, net.extender.link_local)
    for wire in wires:
        expect_nothing(wire.stop())


@pytest.mark.parametrize("config", [LONG], ids=[""])
@VERSIONS
def test_a_leave_ends_the_stream_after_the_last_member_time(net, version):
    leaver, other, *_ = net.hosts
    leaver.force_mld(version)
    leaving = leaver.receive(GROUP, PORT)
    staying = other.receive(GROUP, PORT)
    net.wait_members(leaver, other)
    sending = stream(net, n=0)
    tap = leaver.tap(group=GROUP).wait_for(100)

    left = leaving.leave()["t_ns"] / 1e9
    stopped = wait_silence(tap)

    assert LAST_MEMBER - 0.2 < stopped - left < LAST_MEMBER + 3
    net.wait_members(other)
    sending.stop()
    assert staying.stop()["missing"] == 0


@VERSIONS
def test_a_killed_host_is_gone_after_one_interval(net, version):
    host, other, *_ = net.hosts
    host.force_mld(version)
    receivers = [h.receive(GROUP, PORT) for h in (host, other)]
    net.wait_members(host, other)
    sending = stream(net, n=0)
    tap = host.tap(group=GROUP).wait_for(100)

    host.mute()
    muted = time.monotonic()
    stopped = wait_silence(tap)

    assert MEMBERSHIP - 2 < stopped - muted < 2 * MEMBERSHIP - 0.5
    net.wait_members(other)
    sending.stop()
    assert receivers[1].stop()["missing"] == 0


@pytest.mark.parametrize("group", ["ff05::1:3", "ff08::5", "ff0e::2:2",
                                   "ff1e:30:2001:db8::7", "ff3e::8000:1"])
def test_groups_of_every_scope(net, group):
    """From site to global; the last one is source-specific."""
    host, other, *_ = net.hosts
    source = net.extender.ip6
    ssm = {"source": source} if group.startswith("ff3") else {}
    receiver = host.receive(group, PORT, **ssm)
    net.wait_members(host)
    wire = other.tap(group=group)

    stream(net, group=group, source=source, ttl=16).wait()
    if ssm:
        stream(net, group=group, source="fd00:1::bad", stream=2).wait()

    expect_once(receiver.wait_for(2000).stop(), 2000, source, group)
    expect_nothing(wire.stop())


def test_what_nobody_wants_reaches_nobody(net):
    wires = [h.tap(group=GROUP) for h in net.hosts]

    stream(net).wait()

    for wire in wires:
        expect_nothing(wire.stop())


def test_queries_are_as_hosts_want_them(net):
    """RFC 3810 5.1: from a link-local address, hop limit 1, Router Alert."""
    host = net.hosts[0]
    wire = Wire(host)
    wait_until(lambda: [q for q in wire.queries("") if q.version == 2
                        and ":" in q.source], 5, "a query of MLDv2")
    query = [q for q in wire.queries("") if ":" in q.source][0]
    frame = [f for _, f in wire.frames() if f[12:14] == b"\x86\xdd"
             and f[20] == 0][0]

    assert query.source.startswith("fe80:")
    assert query.mac_dst == "33:33:00:00:00:01"
    assert frame[21] == 1, "hop limit"
    assert b"\x05\x02\x00\x00" in frame[54:62], "Router Alert"


def test_reports_do_not_reach_other_hosts(net):
    """Nobody's report is suppressed by somebody else's."""
    host, other, *_ = net.hosts
    wire = Wire(other)
    receiver = host.receive(GROUP, PORT)
    net.wait_members(host)
    wait_until(lambda: len(wire.queries("")) >= 3, 10, "queries")

    assert wire.reports() == []
    receiver.stop()


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_each_vlan_is_a_world_of_its_own(net):
    """A tagged stream reaches the members of that VLAN, tagged."""
    inside, outside, other, _ = net.hosts
    join = [mld_record(TO_EX, GROUP)]
    for host, vlan in (inside, 10), (other, 20):
        host.send_frames(tagged(vlan, mld2_report(host.link_local, join)))
    outside.send_frames(mld2_report(outside.link_local, join))
    net.wait_groups([inside], [outside], [other])
    wires = [h.tap(group=GROUP) for h in net.hosts]

    ten = stream(net, stream=1, vlan=10)
    untagged = stream(net, stream=2)
    ten.wait()
    untagged.wait()

    for stream_id, vlan in (1, 10), (2, 0):
        result = wires.pop(0).wait_for(2000).stop()
        expect_once(result, 2000, net.extender.link_local)
        assert [s["id"] for s in result["streams"]] == [stream_id]
        assert result["paths"][0]["arrived"]["vlan"] == vlan
    for wire in wires:
        expect_nothing(wire.stop())


# IPv6 itself.


def ping(host, address):
    host.run("ping", "-6", "-nc", "1", "-W", "2", address)


def flush(*hosts):
    for host in hosts:
        host.run("ip", "-6", "neigh", "flush", "dev", host.iface)


def test_neighbour_discovery_works_throughout(net):
    """Before, in the middle of, and long after all that MLD does."""
    a, b, c, _ = net.hosts
    ping(a, b.ip6)
    receiver = a.receive(GROUP, PORT)
    net.wait_members(a)
    sending = stream(net, n=0)
    deadline = time.monotonic() + 2 * MEMBERSHIP
    rounds = 0
    while time.monotonic() < deadline or rounds < 6:
        flush(a, b, c)
        ping(a, b.ip6)
        ping(b, f"{c.link_local}%{b.iface}")
        ping(c, a.ip6)
        rounds += 1
    sending.stop()
    assert receiver.stop()["missing"] == 0


def address_state(host, address):
    shown = host.run("ip", "-6", "addr", "show", "dev", host.iface)
    return [line for line in shown.splitlines() if f" {address}/" in line][0]


def test_an_address_in_use_is_detected(net):
    owner, other, *_ = net.hosts
    other.sysctl(**{f"net.ipv6.conf.{other.iface}.accept_dad": 1})
    for address, good in (owner.ip6, False), ("fd00:1::ffff", True):
        other.run("ip", "addr", "add", f"{address}/64", "dev", other.iface)
        wait_until(lambda a=address: "tentative" not in
                   address_state(other, a)
                   or "dadfailed" in address_state(other, a), 10, "DAD")
        assert ("dadfailed" not in address_state(other, address)) == good


def test_link_scope_reaches_all(net):
    """mDNS, DHCPv6, all routers, solicited-node: nobody has joined them."""
    groups = ["ff02::1", "ff02::2", "ff02::fb", "ff02::1:2",
              "ff02::1:ff00:77", "ff02::1:3", "224.0.0.1", "224.0.0.251",
              "224.0.0.252", "224.0.0.5"]
    for group in groups:
        wires = [h.tap(group=group) for h in net.hosts]
        options = {} if ":" in group else {"source": net.extender.ip}
        stream(net, n=50, group=group, ttl=255, **options).wait()
        for wire in wires:
            result = wire.wait_for(50).stop()
            assert (result["unique"], result["duplicated"]) == (50, 0), group


def test_a_router_is_heard_and_found(net):
    """An advertisement configures a host; its solicitation arrives."""
    router, host, *_ = net.hosts
    wire = Wire(router)
    host.sysctl(**{f"net.ipv6.conf.{host.iface}.accept_ra": 2,
                   f"net.ipv6.conf.{host.iface}.autoconf": 1,
                   f"net.ipv6.conf.{host.iface}.router_solicitations": 3})
    router.send_frames(
        Ether(src=router.mac, dst="33:33:00:00:00:01")
        / IPv6(src=router.link_local, dst="ff02::1", hlim=255)
        / ICMPv6ND_RA(routerlifetime=600)
        / ICMPv6NDOptSrcLLAddr(lladdr=router.mac)
        / ICMPv6NDOptPrefixInfo(prefix="fd00:2::", prefixlen=64))
    wait_until(lambda: " fd00:2::" in host.run("ip", "-6", "addr"), 5,
               "the host has an address of the router's prefix")

    # A link that comes up solicits.
    host.run("ip", "link", "set", "dev", host.iface, "down")
    host.run("ip", "link", "set", "dev", host.iface, "up")
    try:
        wait_until(lambda: wire.icmp6(133), 10, "")
    except LabError:
        raise LabError(f"no solicitation: {wire.messages()}") from None
