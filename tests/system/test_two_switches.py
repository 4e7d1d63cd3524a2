# SPDX-License-Identifier: Apache-2.0
"""Several independent switches, one daemon."""

from procs import wait_until
from scene import GROUP, PORT, Net, expect_all, expect_nothing


def test_each_switch_is_its_own(ofmcast):
    one = Net(ofmcast, ["a2", "a3"], name="s1", dpid=1)
    two = Net(ofmcast, ["b2", "b3"], name="s2", dpid=0xabcdef0123456789)
    one.put_route({"match": {"dpid": "1", "group": GROUP},
                   "set": {"source": "10.1.0.10"}}, name="one")
    two.put_route({"match": {"dpid": two.s1.dpid_text, "group": GROUP},
                   "set": {"source": "10.1.0.20"}}, name="two")
    members = [n.hosts[0].receive(GROUP, PORT) for n in (one, two)]
    wires = [n.hosts[1].tap() for n in (one, two)]
    one.wait_members(one.hosts[0])
    two.wait_members(two.hosts[0])

    streams = [one.stream(rate=2000, count=4000, stream=1),
               two.stream(rate=2000, count=4000, stream=2)]
    for stream in streams:
        stream.wait()

    # Before they leave.
    group = ofmcast.rest.get(f"/v1/groups/0/{GROUP}")
    assert [m["dpid"] for m in group["members"]] \
        == [one.s1.dpid_text, two.s1.dpid_text]
    for number, receiver in enumerate(members, 1):
        result = receiver.wait_for(4000).stop()
        expect_all(result, 4000, source=f"10.1.0.{number}0")
        assert [s["id"] for s in result["streams"]] == [number]
    for wire in wires:
        expect_nothing(wire.stop())


def test_one_switch_goes_and_the_other_does_not_notice(ofmcast):
    one = Net(ofmcast, ["a2"], name="s1", dpid=1)
    two = Net(ofmcast, ["b2"], name="s2", dpid=2)
    receiver = two.hosts[0].receive(GROUP, PORT)
    two.wait_members(two.hosts[0])
    stream = two.stream(rate=2000, count=6000)
    receiver.wait_for(500)

    ofmcast.lab.vsctl("del-controller", "s1")
    wait_until(lambda: not ofmcast.rest.switch(one.s1)["connected"], 10,
               "s1 is away")
    assert ofmcast.rest.switch(two.s1)["connected"]

    stream.wait()
    expect_all(receiver.wait_for(6000).stop(), 6000, source="192.168.168.55")
