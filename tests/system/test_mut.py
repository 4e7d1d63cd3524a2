# SPDX-License-Identifier: Apache-2.0
"""Multicast to unicast: set-top boxes behind an access point get copies of
their own, a bystander there gets none."""

import re
import signal

import pytest
from procs import LabError, wait_until
from scene import (LONG, MEMBERSHIP, PORT, SHORT, V4, V6, Net, expect_nothing,
                   streams_of)

AP, AP2 = 2, 3  # The ports of the access points.
RATE = 2000


def deliver(text, mode="unicast", **more):
    keys = "".join(f", {k}: {v}" for k, v in more.items())
    return text + "ports:\n" + "".join(
        f"  - {{dpid: 1, port: s1-eth{port}, delivery: {mode}{keys}}}\n"
        for port in (AP, AP2))


@pytest.fixture
def config():
    return deliver(LONG)


@pytest.fixture(params=[V4, V6], ids=lambda f: f.name)
def family(request):
    return request.param


class Scene(Net):
    """Two boxes and a bystander behind an access point, one host with a port
    of its own."""

    def __init__(self, daemon):
        super().__init__(daemon, [], ipv6=True)
        self.ap = self.lab.add_segment(self.s1, "ap")
        assert self.ap.port == AP
        self.boxes = self.ap.add("box1", "box2", ipv6=True)
        [self.bystander] = self.ap.add("bystander", ipv6=True)

    def copies(self, group):
        """[(port, MAC or ""), ...] of the channel's (*,G) entry."""
        flows = [f for f in self.s1.flows("table=40")
                 if re.search(rf"_dst={re.escape(group)} ", f)
                 and "_src=" not in f and "in_port" not in f]
        if not flows:
            return []
        i = int(flows[0].rpartition("group:")[2])
        text = self.s1.groups().get(i, {}).get("text", "")
        return [(int(port), mac) for mac, port in re.findall(
            r"actions=(?:set_field:([0-9a-f:]+)->eth_dst,)?output:(\d+)",
            text)]

    def wait_copies(self, group, *wanted, seconds=10):
        """Each wanted is a host (its own copy) or a port (one for all)."""
        pairs = sorted((w, "") if isinstance(w, int) else (w.port, w.mac)
                       for w in wanted)
        try:
            wait_until(lambda: sorted(self.copies(group)) == pairs, seconds,
                       "")
        except LabError:
            raise LabError(f"copies {pairs} are expected, there are"
                           f" {self.copies(group)}") from None

    def reconfigure(self, config):
        self.daemon.configure(config)
        self.daemon.process.signal(signal.SIGHUP)

    def join(self, family):
        """Both boxes; their receivers."""
        receivers = [b.receive(family.group, PORT) for b in self.boxes]
        self.wait_copies(family.group, *self.boxes)
        return receivers

    def send(self, family, count, rate=RATE, **options):
        return self.stream(rate, count, family.group, **options)


@pytest.fixture
def net(ofmcast):
    return Scene(ofmcast)


def expect_each(receiver, n):
    """Each of the 'n' packets once."""
    result = receiver.wait_for(n).stop()
    assert (result["unique"], result["duplicated"], result["damaged"]) \
        == (n, 0, 0)
    return result


def test_each_box_gets_copies_with_its_own_address(net, family):
    """On its wire by its MAC address, in its socket by the group; nobody
    behind the same access point sees more than that."""
    other = net.lab.add_host(net.s1, "other", ipv6=True, first_port=5)
    receivers = [*net.join(family), other.receive(family.group, PORT)]
    net.wait_copies(family.group, *net.boxes, other.port)
    wires = [h.tap(group=family.group) for h in (*net.boxes, other)]
    quiet = net.bystander.tap()
    n = 10000

    net.send(family, n).wait()

    for receiver in receivers:
        [path] = expect_each(receiver, n)["paths"]
        assert path["arrived"]["group"] == family.group
    macs = [expect_each(w, n)["macs"] for w in wires]
    assert macs[:2] == [{b.mac: n} for b in net.boxes]
    [mac] = macs[2]
    assert mac.startswith(("01:00:5e", "33:33"))
    expect_nothing(quiet.stop())


@pytest.mark.parametrize("config", [deliver(SHORT)], ids=[""])
@pytest.mark.parametrize("how", ["hangs", "dies"])
def test_a_silent_box_is_noticed(net, family, how):
    """Its copies stop within a membership interval; the other one's do
    not."""
    gone, stays = net.boxes
    for box in *net.boxes, net.bystander:
        # An access point knows its stations: it does not flood.
        net.ap.run("ip", "link", "set", "dev", f"to-{box.name}", "type",
                   "bridge_slave", "flood", "off")
    _, receiver = net.join(family)
    quiet = net.bystander.tap(group=family.group)
    n = int((MEMBERSHIP + 4) * 1000)
    stream = net.send(family, n, 1000)
    receiver.wait_for(500)

    if how == "hangs":
        gone.mute()
    else:
        gone.die()
    net.wait_copies(family.group, stays, seconds=2 * MEMBERSHIP)

    stream.wait()
    expect_each(receiver, n)
    expect_nothing(quiet.stop())


@pytest.mark.parametrize("config", [deliver(SHORT)], ids=[""])
@pytest.mark.parametrize("older", [True, False], ids=["older", "newer"])
def test_boxes_that_hear_each_other_stay(net, family, older):
    """Hosts of an older version keep silent when somebody else has reported
    already: so each is asked alone, and stays beyond three intervals."""
    for box in net.boxes:
        family.force(box, family.versions[not older])
    receivers = net.join(family)
    n = int(3.2 * MEMBERSHIP * 2000)

    net.send(family, n, 2000).wait()

    for receiver in receivers:
        expect_each(receiver, n)
    net.wait_copies(family.group, seconds=3 * MEMBERSHIP)


@pytest.mark.parametrize("config", [deliver(SHORT)], ids=[""])
@pytest.mark.parametrize("older", [True, False], ids=["older", "newer"])
def test_one_leaves_and_the_other_loses_nothing(net, family, older):
    for box in net.boxes:
        family.force(box, family.versions[not older])
    leaving, staying = net.join(family)
    quiet = net.bystander.tap(group=family.group)
    n = 3 * RATE
    stream = net.send(family, n)
    staying.wait_for(RATE // 2)

    leaving.leave()
    # A host of an older version only says so if it was the last to report (RFC
    # 2236 3): else its silence tells.
    net.wait_copies(family.group, net.boxes[1],
                    seconds=2 * MEMBERSHIP if older else 2)

    stream.wait()
    expect_each(staying, n)
    expect_nothing(quiet.stop())


@pytest.mark.parametrize("older", [True, False], ids=["older", "newer"])
def test_the_mode_changes_under_a_stream(net, family, older):
    """To multicast and back, by SIGHUP: nothing lost, nothing double."""
    for box in net.boxes:
        family.force(box, family.versions[not older])
    receivers = net.join(family)
    stream = net.send(family, 0)

    for _ in range(3):
        net.reconfigure(deliver(LONG, "multicast"))
        net.wait_copies(family.group, AP)
        net.reconfigure(deliver(LONG, "unicast"))
        net.wait_copies(family.group, *net.boxes)

    n = stream.stop()["sent"]
    for receiver in receivers:
        expect_each(receiver, n)


@pytest.mark.parametrize("config", [deliver(LONG, "auto", unicast_max=1)],
                         ids=[""])
def test_auto_goes_by_the_number_of_hosts(net, family):
    first, second = net.boxes
    receiver = first.receive(family.group, PORT)
    net.wait_copies(family.group, first)
    stream = net.send(family, 0)
    receiver.wait_for(RATE // 2)

    joined = second.receive(family.group, PORT)
    net.wait_copies(family.group, AP)
    joined.stop()
    net.wait_copies(family.group, first)

    n = stream.stop()["sent"]
    expect_each(receiver, n)


@pytest.mark.parametrize("config", [deliver(SHORT)], ids=[""])
def test_a_box_that_moves_takes_its_copies_along(net, family):
    roaming, staying = net.boxes
    ap2 = net.lab.add_segment(net.s1, "ap2")
    assert ap2.port == AP2
    receivers = net.join(family)
    stream = net.send(family, 0, 2000)
    for receiver in receivers:
        receiver.wait_for(1000)

    ap2.move_in(roaming)

    # The next query finds it there.
    net.wait_copies(family.group, roaming, staying)
    wire = roaming.tap(group=family.group).wait_for(1000)
    old_wire = net.bystander.tap(group=family.group)
    receivers[0].wait_for(receivers[0].received + 1000)
    assert set(wire.stop()["macs"]) == {roaming.mac}
    expect_nothing(old_wire.stop())
    stream.stop()
    assert receivers[1].stop()["missing"] == 0
    assert receivers[0].stop()["duplicated"] == 0


def test_each_box_has_its_own_filter(net, family):
    """Behind one port, and over a restart of the daemon."""
    one, two, _ = family.sources
    receivers = [net.boxes[0].receive(family.group, PORT, source=one),
                 net.boxes[1].receive(family.group, PORT, exclude=one)]
    net.wait_copies(family.group, net.boxes[1])
    wires = [b.tap(group=family.group) for b in net.boxes]
    quiet = net.bystander.tap(group=family.group)
    n = 4 * RATE
    streams = [net.extender.send(family.group, PORT, RATE, n, source=s,
                                 stream=i)
               for i, s in enumerate((one, two))]
    wires[0].wait_for(RATE)

    net.daemon.kill()
    net.daemon.start().wait_synced(net.s1)
    # Beyond the answers to its query.
    wires[0].wait_for(int(0.8 * n))
    assert net.rest.counter(net.s1, "group_mods") == 0

    for stream in streams:
        stream.wait()
    for found in receivers, wires:
        for i, r in enumerate(found):
            got = streams_of(expect_each(r, n))
            assert {k: s["unique"] for k, s in got.items()} == {i: n}
    expect_nothing(quiet.stop())


def test_a_restart_changes_nothing(net, family):
    receivers = net.join(family)
    quiet = net.bystander.tap(group=family.group)
    before = net.copies(family.group)
    n = 5 * RATE
    stream = net.send(family, n)
    receivers[0].wait_for(RATE)

    net.daemon.kill()
    net.daemon.start().wait_synced(net.s1)

    receivers[0].wait_for(int(0.8 * n))
    assert net.rest.counter(net.s1, "group_mods") == 0
    assert net.copies(family.group) == before
    stream.wait()
    for receiver in receivers:
        expect_each(receiver, n)
    expect_nothing(quiet.stop())


def test_a_box_that_sends_does_not_hear_itself(net, family):
    """Nor does the access point get back what came from there."""
    sender, other = net.boxes
    far = net.lab.add_host(net.s1, "far", ipv6=True, first_port=5)
    net.join(family)
    receiver = far.receive(family.group, PORT)
    net.wait_copies(family.group, sender, other, far.port)
    own = sender.tap(group=family.group)
    beside = other.tap(group=family.group)
    source = sender.ip6 if ":" in family.group else sender.ip

    sender.send(family.group, PORT, 1000, 1000, source=source).wait()

    expect_each(receiver, 1000)
    expect_each(beside, 1000)  # From its neighbour, not from the switch.
    expect_nothing(own.stop())


def test_rewritten_streams_keep_the_host_s_address(net):
    """A route that leads to the boxes' group, and one with a group of its
    own."""
    net.put_route({"match": {"group": "226.9.9.9"},
                   "set": {"group": V4.group, "source": "10.1.0.10"},
                   "to": [{"members": True},
                          {"dpid": "1", "port": "s1-eth5",
                           "set": {"ttl": 9}}]})
    net.put_route({"match": {"group": "226.8.8.8"},
                   "set": {"group": V4.group, "source": "10.1.0.11"}},
                  "plain")
    net.join(V4)
    quiet = net.bystander.tap()
    for group, source in (("226.9.9.9", "10.1.0.10"),
                          ("226.8.8.8", "10.1.0.11")):
        wires = [b.tap(group=V4.group) for b in net.boxes]
        net.stream(1000, 1000, group).wait()
        for box, wire in zip(net.boxes, wires):
            result = expect_each(wire, 1000)
            assert result["bad_checksum"] == 0
            assert result["macs"] == {box.mac: 1000}
            [path] = result["paths"]
            assert path["arrived"]["source"] == source
            assert path["arrived"]["group"] == V4.group
    expect_nothing(quiet.stop())
