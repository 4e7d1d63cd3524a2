# SPDX-License-Identifier: Apache-2.0
"""Behind a real snooping switch: a Linux bridge that sends a stream to
ofmcast's port only while somebody there has joined it."""

import pytest
from fabric import End
from peers import SnoopingBridge
from procs import wait_until
from scene import (GROUP, PORT, SHORT, V4, V6, Net, expect_whole,
                   settings, streams_of, wait_silence)

# The bridge's address is lower: it is the querier.  (As long as we were, its
# port to us would have to get everything.)
THEIRS, THEIRS6 = "10.1.0.200/24", "fe80::1/64"
CONFIG = settings(SHORT, querier_address="10.1.0.250",
                  mld_querier_address="fe80::ff")


@pytest.fixture
def config():
    return CONFIG


class Upstream(Net):
    """sender - bridge - s1 - hosts"""

    def __init__(self, daemon, ipv6=False, **options):
        super().__init__(daemon, ["h2", "h3", "h4"], ipv6=ipv6)
        self.family = 6 if ipv6 else 4
        self.segment = self.lab.add_segment(self.s1, "up")
        self.bridge = SnoopingBridge(self.segment, THEIRS,
                                     THEIRS6 if ipv6 else "",
                                     **options).start()
        [self.sender] = self.segment.add("sender", ipv6=ipv6)
        wait_until(lambda: self.querier()["address"]
                   == (THEIRS6 if ipv6 else THEIRS).partition("/")[0], 10,
                   "the bridge is the querier")

    def querier(self):
        [found] = [q for q in self.rest.list("queriers")
                   if q["family"] == self.family]
        return found

    def sends(self, count=0, group=GROUP, rate=500, **options):
        return self.sender.send(group, PORT, rate, count, **options)


@pytest.fixture
def up(ofmcast):
    return Upstream(ofmcast)


@pytest.mark.parametrize("family", [V4, V6], ids=lambda f: f.name)
def test_a_stream_flows_only_because_its_members_are_proxied(ofmcast, family):
    """Past two membership intervals of the bridge; not without."""
    up = Upstream(ofmcast, ipv6=family is V6)
    host, group = up.hosts[0], family.group
    receiver = host.receive(group, PORT)
    up.bridge.wait_joined(group)
    n = int(2.4 * up.bridge.MEMBERSHIP * 500)
    up.sends(n, group).wait()
    expect_rest(receiver, n)

    # The control: the same again, but nothing is said upstream.
    up.daemon.reload(settings(CONFIG, upstream="none"))
    receiver = host.receive(group, PORT)
    stream = up.sends(group=group)
    up.bridge.wait_left(group, 2 * up.bridge.MEMBERSHIP)
    wait_silence(receiver)
    assert stream.running
    before = receiver.received
    assert up.rest.member_ports(up.s1, group) == [host.port]

    # And back: it flows again, from the first report on.
    up.daemon.reload(CONFIG)
    up.bridge.wait_joined(group)
    receiver.wait_for(before + 100)
    stream.stop()


def expect_rest(receiver, n):
    """All packets of a stream of 'n', once each, but for the first half
    second: the bridge has just become querier, and lets the answers to its
    first query come before it sends anything to members."""
    wait_until(lambda: receiver.progress()[0]["last_ns"], 5, "a packet")
    result = receiver.wait_for(n - 400).stop()
    [stream] = streams_of(result).values()
    expect_whole(stream, first=400, last=n - 1)
    assert result["duplicated"] == 0


def test_the_first_join_and_the_last_leave_travel_upstream(up):
    first, second, _ = up.hosts
    one = first.receive(GROUP, PORT)
    up.bridge.wait_joined(GROUP, 1)
    stream = up.sends()
    two = second.receive(GROUP, PORT)
    two.wait_for(100)
    one.leave()  # The bridge must not notice.
    n = two.received
    two.wait_for(n + 800)
    assert up.bridge.joined(GROUP)

    two.leave()
    # Our last member time and the bridge's, far below a membership.
    up.bridge.wait_left(GROUP, 2)
    stream.stop()
    result = two.stop()
    assert (result["missing"], result["duplicated"]) == (0, 0)
    one.stop()


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("family", [V4, V6], ids=lambda f: f.name)
def test_a_leave_cuts_off_nobody_though_another_is_the_querier(
        ofmcast, family, version):
    """The bridge hears no leave of a host's, so it is ofmcast that asks who is
    left behind the port, without a bid to be the querier."""
    up = Upstream(ofmcast, ipv6=family is V6)
    leaver, stayer = up.lab.add_shared(up.s1, "leaver", "stayer",
                                       ipv6=family is V6)
    family.force(leaver, version - (family is V6))
    family.force(stayer, version - (family is V6))
    leaving, staying = [h.receive(family.group, PORT)
                        for h in (leaver, stayer)]
    up.bridge.wait_joined(family.group)
    stream = up.sends(group=family.group)
    staying.wait_for(100)

    leaving.leave()  # What follows takes several last member times.
    staying.wait_for(staying.received + 1000)
    assert up.bridge.joined(family.group)
    staying.leave()
    up.bridge.wait_left(family.group, 3)

    stream.stop()
    leaving.stop()
    result = staying.stop()
    assert (result["missing"], result["duplicated"]) == (0, 0)
    assert not up.querier()["ours"]


def sources(up, mode):
    """Of the bridge's entry, in the mode that is asked for."""
    entry = up.bridge.joined(GROUP).get("")
    if not entry or entry["filter_mode"] != mode:
        return None
    return sorted(s["address"] for s in entry.get("source_list", []))


def blocked(up):
    """The sources that the bridge blocks toward the switch."""
    return [s for s, entry in up.bridge.joined(GROUP).items()
            if "blocked" in entry["flags"]]


def test_filters_travel_upstream(up):
    """What is wanted together: INCLUDE lists grow and shrink, an EXCLUDE
    takes out what somebody else wants."""
    h2, h3, h4 = up.hosts
    a, b, c = V4.sources
    wanted = [h2.receive(GROUP, PORT, source=a)]
    wait_until(lambda: sources(up, "include") == [a], 5, "INCLUDE a")
    wanted += [h3.receive(GROUP, PORT, source=[a, b])]
    wait_until(lambda: sources(up, "include") == [a, b], 5, "INCLUDE a, b")
    wanted[0].stop()
    wanted[1].stop()
    wait_until(lambda: not up.bridge.joined(GROUP), 5, "nobody")

    excludes = h4.receive(GROUP, PORT, exclude=[b, c])
    wait_until(lambda: sources(up, "exclude") == [b, c], 5, "EXCLUDE b, c")
    wants = h2.receive(GROUP, PORT, source=b)
    wait_until(lambda: blocked(up) == [c], 5, "b is wanted")
    wire = End(up.s1, up.segment.port).tap(group=GROUP)
    stream = up.sends(source=a, sources=3)
    wants.wait_for(200)
    assert blocked(up) == [c]
    excludes.wait_for(200)
    stream.stop()
    wait_silence(wire)
    # A Linux bridge sends nothing of b for a moment when it first hears
    # IS_EX {c} after ALLOW {b}; whatever it sends gets there.
    sent = streams_of(wire.stop())
    assert set(sent) == {0, 1}
    for receiver, source, number in (excludes, a, 0), (wants, b, 1):
        result = receiver.wait_for(sent[number]["unique"]).stop()
        [path] = result["paths"]
        assert path["arrived"]["source"] == source
        assert streams_of(result) == {number: sent[number]}
        assert result["duplicated"] == 0
    expect_whole(sent[0])


@pytest.mark.parametrize("version", [2, 3])
def test_the_bridges_version_is_spoken(ofmcast, version):
    up = Upstream(ofmcast, igmp=version)
    host = up.hosts[0]
    receiver = host.receive(GROUP, PORT)
    up.bridge.wait_joined(GROUP)
    n = int(1.4 * up.bridge.MEMBERSHIP * 500)
    up.sends(n).wait()
    assert up.querier()["version"] == version
    expect_rest(receiver, n)
    up.bridge.wait_left(GROUP, 2)
