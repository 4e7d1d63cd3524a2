# SPDX-License-Identifier: Apache-2.0
"""What is passed on must not come back to be passed on again."""

import pytest
from events import Events
from frames import TO_EX, ethernet, ipv4, old_message, record, tagged, \
    v3_report
from procs import wait_until
from scene import LONG, Net
from wire import Wire

FOREIGN = "10.1.0.1"


@pytest.fixture
def config():
    return LONG


@pytest.fixture
def nets(ofmcast):
    """Two switches of ours, with a cable between them."""
    one = Net(ofmcast, ["a2", "a3"], name="s1", dpid=1)
    two = Net(ofmcast, ["b2", "b3"], name="s2", dpid=2)
    argv = []
    for bridge, name, peer in ("s1", "p12", "p21"), ("s2", "p21", "p12"):
        argv += ["--", "add-port", bridge, name, "--", "set", "interface",
                 name, "type=patch", f"options:peer={peer}"]
    ofmcast.lab.vsctl(*argv)
    for net in one, two:
        wait_until(lambda n=net: len(n.rest.switch(n.s1)["ports"]) >= 4, 5,
                   "the cable")
    return one, two


def query(group):
    return old_message(0x11, FOREIGN, "224.0.0.1" if group == "0.0.0.0"
                       else group, group, response=100)


def test_a_foreign_query_goes_to_everybody_once(nets):
    one, two = nets
    wires = [Wire(h) for h in (one.hosts[1], *two.hosts)]
    for group in "0.0.0.0", "239.1.1.1", "239.1.1.2":
        one.hosts[0].send_frames(query(group))

    for wire in wires:
        wait_until(lambda w=wire: [q for q in w.queries("239.1.1.2")
                                   if q.source == FOREIGN], 5, "the last one")
    for wire in wires:
        heard = [q.group for q in wire.queries() if q.source == FOREIGN]
        assert sorted(heard) == ["", "239.1.1.1", "239.1.1.2"]
    assert one.rest.counter(two.s1, "packet_ins") < 100


def test_our_own_frames_make_no_members(nets):
    """With a router port on each side of the cable, what we say upstream for
    one arrives at the other."""
    one, two = nets
    events = Events(one.daemon)
    for net in nets:
        net.hosts[0].send_frames(query("0.0.0.0"))
    member = one.hosts[1].receive("239.1.1.1", 5004)
    wait_until(lambda: one.rest.member_ports(one.s1, "239.1.1.1")
               == [one.hosts[1].port], 5, "it joined")
    member.stop()
    wait_until(lambda: not one.rest.list("groups"), 5, "and left")
    assert {e["port"] for kind, e in events.all("member.")
            if e["group"] == "239.1.1.1"} == {one.hosts[1].port}
    assert not one.rest.member_ports(two.s1, "239.1.1.1")


def test_what_no_snooper_knows_is_flooded(ofmcast):
    """DVMRP goes to everybody else; IGMP to one host is not ours at all."""
    net = Net(ofmcast, ["h2", "h3", "h4"])
    sender, *others = net.hosts
    dumps = [h.spawn("tcpdump", "tcpdump", "-lnni", h.iface, "-v", "-Q", "in",
                     "igmp") for h in others]
    for dump in dumps:
        wait_until(lambda d=dump: "listening" in d.log(), 5, "tcpdump")
    dvmrp = ethernet("224.0.0.4", b"\x02\0\0\0\0\x42", ipv4(
        sender.ip, "224.0.0.4", b"\x13\x01\xe9\xfb\0\0\x03\x03"))
    mtrace = old_message(0x1e, sender.ip, others[0].ip, "0.0.0.0", ttl=64)
    target = bytes.fromhex(others[0].mac.replace(":", ""))
    sender.send_frames(dvmrp, target + mtrace[6:])
    for dump in dumps:
        wait_until(lambda d=dump: "dvmrp" in d.output(), 5, "DVMRP")
    wait_until(lambda: f"{sender.ip} > {others[0].ip}"
               in dumps[0].output(), 5, "mtrace")
    assert dumps[0].output().count("dvmrp") == 1


def test_tags_do_not_make_vlans_without_end(ofmcast):
    net = Net(ofmcast, ["h2"])
    [host] = net.hosts
    report = v3_report(host.ip, [record(TO_EX, "239.1.1.1")])
    host.send_frames(*[tagged(vlan, report) for vlan in range(1, 400)])
    wait_until(lambda: len({q["vlan"] for q in net.rest.list("queriers")})
               == 257, 10, "256, and the untagged")
    host.send_frames(report)
    wait_until(lambda: net.rest.member_ports(net.s1, "239.1.1.1")
               == [host.port], 5, "the untagged one")
