# SPDX-License-Identifier: Apache-2.0
"""Filters, copies for hosts and MLD, while daemon, switch and cables go."""

import pytest
from procs import wait_until
from scene import (LONG, PORT, V4, V6, Net, expect_unmodified, streams_of)

RATE = 1000
ONE_UNICAST = LONG + "ports: [{dpid: 1, port: s1-eth5, delivery: unicast}]\n"


@pytest.fixture(params=[V4, V6], ids=lambda f: f.name)
def family(request):
    return request.param


@pytest.fixture
def net(ofmcast):
    return Net(ofmcast, ["h2", "h3", "h4", "h5"], ipv6=True)


def start(net, family):
    """Everything, one source, all but one, and copies: the receivers with
    what they want, while two sources send."""
    first = family.sources[0]
    h2, h3, h4, h5 = net.hosts
    receivers = [(h.receive(family.group, PORT, **filters), wanted)
                 for h, filters, wanted in (
                     (h2, {}, {1, 2}), (h3, {"source": first}, {1}),
                     (h4, {"exclude": first}, {2}), (h5, {}, {1, 2}))]
    wait_until(lambda: net.rest.member_ports(net.s1, family.group)
               == [h.port for h in net.hosts], 5, "all have joined")
    stream = net.extender.send(family.group, PORT, RATE, stream=1,
                               source=first, sources=2)
    for receiver, _ in receivers:
        receiver.wait_for(500)
    return receivers, stream


def wait_more(receivers, n):
    counts = [r.received for r, _ in receivers]
    for (receiver, _), before in zip(receivers, counts):
        receiver.wait_for(before + n)


@pytest.mark.parametrize("config", [ONE_UNICAST], ids=[""])
def test_a_killed_daemon_changes_nothing(net, family):
    """It finds in the switch all that it needs: no packet is lost or doubled,
    and nothing is modified, filters and copies included."""
    receivers, stream = start(net, family)
    wire = net.hosts[3].tap(group=family.group)

    net.daemon.kill()
    wait_more(receivers, 500)
    net.daemon.start().wait_synced(net.s1)
    wait_until(lambda: {m["origin"] for m in net.rest.members(
        net.s1, family.group).values()} <= {"igmp", "mld"}, 5,
        "all hosts have been heard")
    wait_more(receivers, 500)

    expect_unmodified(net.daemon, net.s1)
    stream.stop()
    for receiver, wanted in receivers:
        result = receiver.stop()
        assert (result["missing"], result["duplicated"]) == (0, 0)
        assert set(streams_of(result)) == wanted
    assert list(wire.stop()["macs"]) == [net.hosts[3].mac]


@pytest.mark.parametrize("config", [ONE_UNICAST], ids=[""])
def test_a_switch_that_forgot_all_gets_it_again(net, family):
    receivers, stream = start(net, family)

    net.lab.kill_vswitchd()
    net.lab.start_vswitchd()
    wait_more(receivers, 500)

    stream.stop()
    for receiver, wanted in receivers:
        result = receiver.stop()
        assert result["duplicated"] == 0
        assert set(streams_of(result)) == wanted


@pytest.mark.parametrize("config", [ONE_UNICAST], ids=[""])
def test_a_cable_is_pulled_and_put_into_another_port(net, family):
    """The host is asked as soon as its port is there."""
    receivers, stream = start(net, family)
    pulled, others = receivers[0], receivers[1:]
    others_ports = [h.port for h in net.hosts[1:]]

    net.lab.home.run("ip", "link", "set", "s1-eth2", "down")
    wait_until(lambda: net.rest.member_ports(net.s1, family.group)
               == others_ports, 5, "it is gone")
    net.lab.home.run("ip", "link", "set", "s1-eth2", "up")
    wait_more([pulled], 100)
    net.lab.vsctl("del-port", "s1", "s1-eth2")
    wait_until(lambda: net.rest.member_ports(net.s1, family.group)
               == others_ports, 5, "it is gone")
    net.lab.vsctl("add-port", "s1", "s1-eth2", "--", "set", "interface",
                  "s1-eth2", "ofport_request=9")
    wait_more([pulled], 100)

    assert net.rest.member_ports(net.s1, family.group) == [*others_ports, 9]
    stream.stop()
    for receiver, wanted in others:
        result = receiver.stop()
        assert (result["missing"], result["duplicated"]) == (0, 0)
        assert set(streams_of(result)) == wanted
