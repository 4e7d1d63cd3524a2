# SPDX-License-Identifier: Apache-2.0
"""What a person sees in the switch, and how little the controller sees."""

import re

import pytest
from procs import wait_until
from scene import GROUP, PORT


def test_one_all_group_per_channel_whose_ports_are_the_members(net):
    h2, h3, h4, h5 = net.hosts
    a = [h.receive(GROUP, PORT) for h in (h2, h3, h4)]
    first = net.wait_members(h2, h3, h4)
    b = h5.receive("226.2.2.3", PORT)
    assert first == net.wait_groups([h2, h3, h4], [h5])[0]
    assert {g["type"] for g in net.s1.groups().values()} == {"all"}

    b.stop()
    a[0].stop()
    # The same group, changed in place.
    assert net.wait_members(h3, h4) == first
    for receiver in a[1:]:
        receiver.stop()
    net.wait_members()


def test_rest_and_switch_tell_the_same(net):
    h2, h3, *_ = net.hosts
    receivers = [h.receive(GROUP, PORT) for h in (h2, h3)]
    group_id = net.wait_members(h2, h3)

    group = net.rest.get(f"/v1/groups/0/{GROUP}")

    assert sorted(m["port_name"] for m in group["members"]) \
        == [h2.port_name, h3.port_name]
    assert sorted(h["ip"] for m in group["members"] for h in m["hosts"]) \
        == sorted([h2.ip, h3.ip])
    [entry] = group["switches"]
    assert int(entry["group_id"], 0) == group_id
    assert entry["state"] == "applied"
    [switch] = net.rest.list("switches")
    assert switch["dpid"] == net.s1.dpid_text
    for r in receivers:
        r.stop()


def punted(switch):
    """Packets of the flows that send to the controller, IGMP apart."""
    return sum(int(re.search(r"n_packets=(\d+)", f)[1])
               for f in switch.flows() if "nw_proto=2" not in f
               and "CONTROLLER" in f.partition("actions=")[2])


def trace(lab, packet):
    """The datapath actions for a packet."""
    text = lab.appctl("ofproto/trace", "s1", packet)
    return text.rpartition("Datapath actions:")[2].strip()


@pytest.mark.parametrize("known", [False, True])
def test_the_controller_hardly_sees_a_fast_stream(net, known):
    """Neither one that nobody wants, nor one with members and a route."""
    h2 = net.hosts[0]
    receivers = []
    if known:
        net.put_route()
        receivers = [h2.receive(GROUP, PORT)]
        net.wait_members(h2)
    before = net.rest.counter(net.s1, "packet_ins")

    net.stream(rate=50000, count=100000).wait()

    for receiver in receivers:
        # That it flows; what a busy machine loses at this rate is not the
        # matter here.
        receiver.wait_for(20000).stop()
    # Those that come before the daemon has answered the first.
    assert net.rest.counter(net.s1, "packet_ins") - before <= 100
    assert punted(net.s1) <= 100


def test_no_flow_sends_a_known_stream_to_the_controller(net):
    h2, h3, *_ = net.hosts
    packet = (f"in_port={net.extender.port},udp,nw_src=192.168.168.55,"
              f"nw_dst={GROUP},udp_dst={PORT},nw_ttl=1,"
              "dl_dst=01:00:5e:02:02:02")
    receivers = [h.receive(GROUP, PORT) for h in (h2, h3)]
    net.wait_members(h2, h3)
    net.stream(rate=1000, count=1000).wait()
    receivers[0].wait_for(1000)
    actions = trace(net.lab, packet)
    assert "userspace" not in actions and "controller" not in actions
    assert actions != "drop"

    for r in receivers:
        r.stop()
    net.wait_members()
    # Nobody wants it any more; after one look nobody is bothered with it.
    net.stream(rate=1000, count=100).wait()
    wait_until(lambda: trace(net.lab, packet) == "drop", 5, "dropped")


def test_streams_are_listed_with_their_route(net):
    h2 = net.hosts[0]
    net.put_route()
    receiver = h2.receive(GROUP, PORT)
    net.wait_members(h2)
    stream = net.stream(rate=1000, count=0)

    def listed():
        return [s for s in net.rest.list("streams")
                if s["group"] == GROUP and int(s["packets"], 0) > 500]
    [found] = wait_until(listed, 10, "the stream is listed and counted")

    assert found["source"] == "192.168.168.55"
    assert found["port_name"] == net.extender.port_name
    assert found["route"] == "hdmi"
    assert found["receivers"] == 1
    stream.stop()
    receiver.stop()
