# SPDX-License-Identifier: Apache-2.0
"""What real networks add: VLANs, routers, fragments, and constant change."""

import pytest
from frames import TO_EX, record, tagged, v3_query, v3_report
from lab import send_frames
from procs import wait_until
from scene import GROUP, LONG, PORT, SHORT, Net, expect_all, expect_nothing


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_each_vlan_is_a_world_of_its_own(net):
    """A tagged stream reaches the members of that VLAN, tagged."""
    inside, outside, other, _ = net.hosts
    join = [record(TO_EX, GROUP)]
    inside.send_frames(tagged(10, v3_report("10.10.0.2", join)))
    outside.send_frames(v3_report("10.1.0.3", join))
    other.send_frames(tagged(20, v3_report("10.20.0.4", join)))
    net.wait_groups([inside], [outside], [other])
    assert [net.rest.member_ports(net.s1, GROUP, vlan) for vlan in (10, 20)] \
        == [[inside.port], [other.port]]
    wires = [h.tap() for h in net.hosts]

    ten = net.stream(rate=1000, count=1000, stream=1, vlan=10)
    untagged = net.stream(rate=1000, count=1000, stream=2)
    ten.wait()
    untagged.wait()

    for stream, vlan in (1, 10), (2, 0):
        result = wires.pop(0).wait_for(1000).stop()
        expect_all(result, 1000, source="192.168.168.55")
        assert [s["id"] for s in result["streams"]] == [stream]
        assert result["paths"][0]["arrived"]["vlan"] == vlan
    for wire in wires:
        expect_nothing(wire.stop())


def kind(net, host):
    ports = net.rest.switch(net.s1)["ports"]
    return [p["kind"] for p in ports if p["port"] == host.port][0]


def test_a_router_hears_the_members_and_gets_the_streams(net):
    """Its queries make its port a router port; ours cease (election)."""
    router, member, other, _ = net.hosts
    def querier():
        [igmp] = [q for q in net.rest.list("queriers") if q["family"] == 4]
        return igmp

    assert querier()["ours"]
    router.send_frames(v3_query("10.1.0.1"))
    wait_until(lambda: kind(net, router) == "mrouter", 5, "a router port")
    wait_until(lambda: not querier()["ours"], 5, "elected")
    heard = router.spawn("tcpdump", "tcpdump", "-lnni", router.iface, "-v",
                         "igmp")
    bystander = other.spawn("tcpdump", "tcpdump", "-lnni", other.iface, "-v",
                            "igmp")
    for tcpdump in heard, bystander:
        wait_until(lambda t=tcpdump: "listening" in t.log(), 5, "tcpdump")
    wire = router.tap()

    receiver = member.receive(GROUP, PORT)
    wait_until(lambda: f"gaddr {GROUP}" in heard.output(), 5,
               "the router hears the report")
    net.stream(rate=1000, count=1000).wait()

    expect_all(wire.wait_for(1000).stop(), 1000, source="192.168.168.55")
    expect_all(receiver.wait_for(1000).stop(), 1000,
               source="192.168.168.55")
    assert GROUP not in bystander.output(), "hosts hear no reports"


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_a_member_loses_nothing_while_others_come_and_go(ofmcast):
    """Forty ports join and leave, some of them all the time."""
    net = Net(ofmcast, ["stays"])
    [stays] = net.hosts
    crowd = net.lab.add_host(net.s1, "crowd", ports=40)
    net.put_route()
    receiver = stays.receive(GROUP, PORT)
    net.wait_members(stays)
    stream = net.stream(rate=1000, count=0)
    joins = crowd.receive(GROUP, PORT)
    for _ in range(4):
        net.wait_members(stays, *crowd.ports)
        joins.leave()
        net.wait_members(stays)
        joins.rejoin()
    n = stream.stop()["sent"]

    expect_all(receiver.wait_for(n).stop(), n)
    assert joins.stop()[0]["duplicated"] == 0


# Memberships of 12.5 s: long enough to read the list, page by page.
@pytest.mark.parametrize("config", [
    SHORT.replace("query_interval: 1,", "query_interval: 6,")
    + "port_defaults: {max_groups: 0, max_reports: 0}\n"], ids=[""])
def test_thousands_of_groups(net):
    """One host joins them, gets them all, and leaves."""
    host = net.hosts[0]
    groups = [f"239.20.{i // 250}.{i % 250 + 1}" for i in range(3000)]
    for i in range(0, len(groups), 150):
        host.send_frames(v3_report(host.ip, [
            record(TO_EX, g) for g in groups[i:i + 150]]))
    wait_until(lambda: len(net.group_ports()) == len(groups), 10,
               "a group for each")
    assert len(net.rest.list("groups")) == len(groups)
    # Nobody confirms them, so that they go as they came.
    wait_until(lambda: not net.group_ports(), 30, "all are gone")


def test_two_daemons_do_not_share_a_state(net):
    """The second says so and ends."""
    first = net.daemon
    second = net.lab.home.spawn(
        "second", *first.argv, "--openflow", "tcp:127.0.0.1:0", "--api",
        "127.0.0.1:0")
    assert second.wait() == 1
    assert first.state in second.log()
    assert first.rest.ready()


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_what_others_delete_is_installed_again(net):
    """Long before the next audit: flows of ours tell when they go."""
    host = net.hosts[0]
    net.put_route()
    receiver = host.receive(GROUP, PORT)
    net.wait_members(host)
    flows = len(net.s1.flows())

    net.s1.ofctl("del-flows")
    net.s1.ofctl("del-groups")

    wait_until(lambda: len(net.s1.flows()) == flows, 10, "the flows are back")
    net.wait_members(host)
    net.stream(rate=1000, count=1000).wait()
    expect_all(receiver.wait_for(1000).stop(), 1000)


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_the_machine_of_the_switch_joins_too(net):
    """By the bridge's own interface; and it stays a member over a restart."""
    local = 0xfffffffe
    home = net.lab.home
    home.run("ip", "link", "set", "s1", "up")
    send_frames(home.netns, "s1", [v3_report("10.1.0.99",
                                             [record(TO_EX, GROUP)])])
    wait_until(lambda: net.rest.member_ports(net.s1, GROUP) == [local], 5,
               "it is a member")
    wait_until(lambda: "actions=LOCAL" in str(net.s1.groups()), 5, "a copy")
    net.daemon.kill()
    net.daemon.start().wait_synced(net.s1)
    assert net.rest.member_ports(net.s1, GROUP) == [local]
    assert net.rest.counter(net.s1, "group_mods") == 0
