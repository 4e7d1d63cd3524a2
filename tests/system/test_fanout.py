# SPDX-License-Identifier: Apache-2.0
"""One stream to many ports: as many as a kernel router's 32 interfaces never
reach."""

import pytest
from scene import GROUP, LONG, PORT, Net, expect_all

pytestmark = pytest.mark.parametrize("config", [LONG], ids=[""])


def test_one_input_to_fifty_ports_each_with_its_own_group(ofmcast):
    """By one route; each receiver gets exactly its own."""
    net = Net(ofmcast, [])
    wall = net.lab.add_host(net.s1, "wall", ports=50)
    taps = wall.tap()
    net.put_route({
        "match": {"source": "192.168.168.55", "group": GROUP},
        "set": {"source": "10.1.0.10"},
        "to": [{"dpid": "1", "port": f"s1-eth{port}",
                "set": {"group": f"239.10.10.{i}", "udp_dst": 5000 + i}}
               for i, port in enumerate(wall.ports, 1)]})
    net.wait_groups(wall.ports)
    n = 6000

    net.stream(rate=2000, count=n).wait()

    results = taps.wait_for(n).stop()
    assert len(results) == 50
    for i, result in enumerate(results, 1):
        expect_all(result, n, group=f"239.10.10.{i}")
        assert result["paths"][0]["arrived"]["port"] == 5000 + i


def test_a_target_that_also_joined_gets_one_copy(net):
    h2, h3, *_ = net.hosts
    net.put_route({
        "match": {"group": GROUP}, "set": {"source": "10.1.0.10"},
        "to": [{"members": True}, {"dpid": "1", "port": h2.port_name}]})
    receivers = [h.receive(GROUP, PORT) for h in (h2, h3)]
    # Those of the channel, and the copies of the route's stream.
    net.wait_groups([h2, h3], [h2, h3])

    net.stream(rate=1000, count=1000).wait()

    for receiver in receivers:
        expect_all(receiver.wait_for(1000).stop(), 1000)


def test_targets_and_members_with_rewrites_of_their_own(net):
    """Members get the group as it is, one port a translated copy."""
    h2, h3, *_ = net.hosts
    net.put_route({
        "match": {"group": GROUP}, "set": {"source": "10.1.0.10"},
        "to": [{"members": True},
               {"dpid": "1", "port": h3.port_name,
                "set": {"group": "239.1.1.2", "udp_dst": 7000}}]})
    receiver = h2.receive(GROUP, PORT)
    wire = h3.tap()
    net.wait_groups([h2], [h2, h3])

    net.stream(rate=1000, count=1000).wait()

    expect_all(receiver.wait_for(1000).stop(), 1000)
    expect_all(wire.wait_for(1000).stop(), 1000, group="239.1.1.2")


@pytest.mark.parametrize("ports, rate", [
    (64, 500), pytest.param(200, 150, marks=pytest.mark.plain)])
def test_one_channel_to_many_ports(ofmcast, ports, rate):
    """Each of them joined by IGMP, and receives through its own socket."""
    net = Net(ofmcast, [])
    many = net.lab.add_host(net.s1, "many", ports=ports)
    net.put_route()
    receiver = many.receive(GROUP, PORT)
    net.wait_members(*many.ports, seconds=20)
    n = 3 * rate

    net.stream(rate=rate, count=n).wait()

    results = receiver.wait_for(n).stop()
    assert len(results) == ports
    for result in results:
        expect_all(result, n)
