# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: settings change under a stream, and nobody loses a packet by it."""

import pytest
from procs import wait_until
from scene import GROUP, LONG, PORT, V6, Net, expect_all, settings
from test_guards import SOURCE, groups_of, joins, kind, refused, with_ports


@pytest.fixture
def net(ofmcast):
    return Net(ofmcast, ["h2", "h3", "h4", "h5"], ipv6=True)


@pytest.fixture
def config():
    return LONG


def ports(*entries, **defaults):
    return with_ports(*entries, **defaults)


def mods(net):
    return [net.rest.counter(net.s1, name)
            for name in ("flow_mods", "group_mods")]


def test_settings_change_under_a_stream(net):
    """Of ports, of vlans, of everything: an unaffected receiver gets each
    packet once."""
    member, other, *_ = net.hosts
    receivers = [h.receive(GROUP, PORT) for h in (member, other)]
    net.wait_members(member, other)
    n = 9000
    stream = net.stream(rate=3000, count=n)
    receivers[0].wait_for(300)
    for text in (ports({"port": "s1-eth2", "leave": "immediate"}),
                 ports({"port": 4, "delivery": "unicast"}, max_groups=7),
                 ports(max_reports=50, limit_action="replace"),
                 settings(LONG, leave="tracked"),
                 settings(LONG, upstream="relay", max_groups=100),
                 settings(LONG, mld="false"),
                 LONG):
        net.daemon.reload(text)
    stream.wait()
    for receiver in receivers:
        expect_all(receiver.wait_for(n).stop(), n, source=SOURCE)


def test_the_same_file_again_changes_nothing_in_the_switch(net):
    member = net.hosts[0]
    receiver = member.receive(GROUP, PORT)
    net.wait_members(member)
    wait_until(lambda: not flooding(net), 10, "nothing changes by itself")
    before = mods(net)
    for _ in range(3):
        net.daemon.reload(LONG)
    assert mods(net) == before
    receiver.stop()


def test_a_file_with_an_error_changes_nothing(net):
    host = net.hosts[0]
    net.daemon.reload(ports(max_groups=2))
    net.daemon.configure(ports(max_groups="many"))
    net.daemon.process.signal(1)
    wait_until(lambda: '"max_groups" must be a whole number'
               in net.daemon.process.log(), 5, "it says why")
    joins(host, "239.66.0.1", "239.66.0.2", "239.66.0.3")
    wait_until(lambda: refused(net, host), 5, "the limit holds")
    assert groups_of(net, host) == ["239.66.0.1", "239.66.0.2"]


def test_what_is_forbidden_now_is_taken_away(net):
    """A lower limit, and a group that may not be joined any more; and other
    ports keep what they have."""
    host, other, *_ = net.hosts
    groups = ["239.66.0.1", "239.66.0.2", "239.77.0.1"]
    for who in host, other:
        joins(who, *groups)
    wait_until(lambda: groups_of(net, host) == groups
               and groups_of(net, other) == groups, 5, "all joined")

    net.daemon.reload(ports({"port": "s1-eth2", "deny": "[239.77.0.0/16]"}))
    assert groups_of(net, host) == groups[:2]
    net.daemon.reload(ports({"port": "s1-eth2", "max_groups": 1}))
    assert len(groups_of(net, host)) == 1
    assert groups_of(net, other) == groups
    net.daemon.reload(LONG)
    joins(host, *groups)
    wait_until(lambda: groups_of(net, host) == groups, 5, "all again")


def test_a_port_becomes_a_router_port_and_a_host_port(net):
    port = net.hosts[0]
    assert kind(net, port) == "host"
    net.daemon.reload(ports({"port": "s1-eth2", "role": "mrouter"}))
    wait_until(lambda: kind(net, port) == "mrouter", 5, "a router port")
    tap = port.tap(group=GROUP)
    net.stream(rate=1000, count=500).wait()
    assert tap.wait_for(500).stop()["unique"] == 500
    net.daemon.reload(ports({"port": "s1-eth2", "role": "host"}))
    wait_until(lambda: kind(net, port) == "host", 5, "a host port")


def test_mld_is_switched_off_and_on_again(net):
    """Without it IPv6 multicast is flooded, with it pruned."""
    member, other, *_ = net.hosts
    source = net.extender.link_local
    receiver = member.receive(V6.group, PORT)
    net.wait_members(member)

    def reach_other(first):
        """How many of the 500 packets from 'first' on."""
        tap = other.tap(group=V6.group)
        net.stream(group=V6.group, rate=1000, count=500, first=first).wait()
        receiver.wait_for(first + 499)
        return tap.stop()["unique"]

    def asks():
        return [q["ours"] for q in net.rest.list("queriers")
                if q["family"] == 6]

    assert reach_other(1) == 0 and asks() == [True]
    net.daemon.reload(settings(LONG, mld="false"))
    net.wait_members()
    assert reach_other(501) == 500 and asks() != [True]
    net.daemon.reload(LONG)
    net.wait_members(member)
    wait_until(lambda: not flooding(net), 5, "hosts had the time to answer")
    assert reach_other(1001) == 0 and asks() == [True]
    expect_all(receiver.stop(), 1500, source=source, group=V6.group)


def flooding(net):
    """Is IPv6 multicast without members flooded?"""
    return [f for f in net.s1.flows("table=40")
            if "priority=2,ipv6" in f and "resubmit(,50)" in f
            or "priority=2,ipv6" in f and "goto_table:50" in f]


def test_nobody_loses_a_packet_when_mld_is_switched_on(net):
    member = net.hosts[0]
    net.daemon.reload(settings(LONG, mld="false"))
    receiver = member.receive(V6.group, PORT)
    n = 3000
    stream = net.stream(group=V6.group, rate=1000, count=n)
    receiver.wait_for(300)
    net.daemon.reload(LONG)
    assert flooding(net)
    stream.wait()
    expect_all(receiver.wait_for(n).stop(), n, group=V6.group,
               source=net.extender.link_local)
    wait_until(lambda: not flooding(net), 5, "it is pruned again")


def test_nobody_of_several_loses_a_packet_when_mld_is_switched_on(net):
    """Some answer the first query sooner than others."""
    net.daemon.reload(settings(LONG, mld="false"))
    *members, other = net.hosts
    receivers = [h.receive(V6.group, PORT) for h in members]
    n = 4000
    stream = net.stream(group=V6.group, rate=1000, count=n)
    for receiver in receivers:
        receiver.wait_for(300)
    net.daemon.reload(LONG)
    net.wait_members(*members)
    net.lab.appctl("revalidator/wait")  # The datapath follows the tables.
    tap = other.tap(group=V6.group)
    stream.wait()
    for receiver in receivers:
        expect_all(receiver.wait_for(n).stop(), n,
                   source=net.extender.link_local, group=V6.group)
    assert tap.stop()["unique"] == 0


def test_a_port_that_comes_has_its_settings(net):
    """By its name, under which it appears later."""
    net.daemon.reload(ports({"port": "s1-eth9", "max_groups": 1},
                            {"port": "s1-eth10", "max_groups": 2}))
    [host] = net.lab.add_hosts(net.s1, "late", first_port=9)
    wait_until(lambda: [p for p in net.rest.switch(net.s1)["ports"]
                        if p["port"] == 9], 5, "it is there")
    joins(host, "239.66.0.1", "239.66.0.2", "239.66.0.3")
    wait_until(lambda: refused(net, host), 5, "its limit holds")
    assert groups_of(net, host) == ["239.66.0.1"]
    assert [f for f in net.s1.flows("table=21") if "in_port=9 " in f]
    # Taken out, its flows go with it.
    net.lab.vsctl("del-port", "s1", host.port_name)
    wait_until(lambda: not [f for f in net.s1.flows("table=21")
                            if "in_port=9 " in f], 5, "they are gone")


def test_limits_of_the_rate_change(net):
    """The meter in the switch and the bucket in the daemon."""
    host = net.hosts[0]

    def meter():
        text = net.s1.ofctl("dump-meters").replace("\n", " ")
        _, _, found = text.partition(f"meter={0x10000 + host.port} ")
        return int(found.partition("rate=")[2].split()[0])

    wait_until(lambda: meter() == 6251, 5, "5000 and a quarter")
    net.daemon.reload(ports({"port": "s1-eth2", "max_reports": 100}))
    wait_until(lambda: meter() == 126, 5, "100 and a quarter")
    net.daemon.reload(ports({"port": "s1-eth2", "max_reports": 0}))
    wait_until(lambda: [f for f in net.s1.flows("table=21")
                        if f"in_port={host.port} " in f
                        and "CONTROLLER:65535" in f], 5, "no meter")
