# SPDX-License-Identifier: Apache-2.0
"""Several hosts behind one port: each is known by itself."""

import time

import pytest
from procs import LabError, wait_until
from scene import (MEMBERSHIP, PORT, SHORT, V4, V6, Net, expect_whole,
                   settings, streams_of, wait_silence)

# A source or a host that nobody refreshes is gone after that.
AGED = 2 * MEMBERSHIP - 0.5


@pytest.fixture
def net(ofmcast):
    return Net(ofmcast, [], ipv6=True)


@pytest.fixture(params=[V4, V6], ids=lambda f: f.name)
def family(request):
    return request.param


def known(net, family, host):
    """{MAC: what /v1/groups tells of the host} of the port of 'host'."""
    found = net.rest.members(net.s1, family.group).get(host.port)
    return {h["mac"]: h for h in found["hosts"]} if found else {}


def send(net, family, rate=1000, count=0):
    """Stream i from source i, for each of the family's sources."""
    return net.extender.send(family.group, PORT, rate, count, stream=1,
                             source=family.sources[0],
                             sources=len(family.sources))


def test_a_host_that_dies_is_forgotten_and_the_other_loses_nothing(net,
                                                                   family):
    dying, living = net.lab.add_shared(net.s1, "dying", "living", ipv6=True)
    receivers = [h.receive(family.group, PORT) for h in (dying, living)]
    wait_until(lambda: set(known(net, family, living))
               == {dying.mac, living.mac}, 5, "both are known")
    n = int((2 * MEMBERSHIP + 2) * 2000)
    stream = net.stream(rate=2000, count=n, group=family.group)
    receivers[1].wait_for(500)

    dead_mac = dying.mac
    dying.die()
    wait_until(lambda: dead_mac not in known(net, family, living), AGED,
               "it is forgotten")
    assert set(known(net, family, living)) == {living.mac}
    stream.wait()

    result = receivers[1].wait_for(n).progress()[0]
    assert (result["unique"], result["duplicated"]) == (n, 0)


@pytest.mark.parametrize("index", [0, 1], ids=["older", "newer"])
def test_the_last_one_dies_and_the_stream_stops(net, family, index):
    first, last, idle = net.lab.add_shared(net.s1, "first", "last", "idle",
                                           ipv6=True)
    for host in first, last:
        family.force(host, family.versions[index])
        host.receive(family.group, PORT)
    net.wait_members(last)
    stream = net.stream(rate=2000, count=0, group=family.group)
    tap = idle.tap().wait_for(500)

    first.die()
    last.die()
    died = time.monotonic()
    stopped = wait_silence(tap)

    assert stopped - died < AGED
    net.wait_members()
    stream.stop()


# What is on the wire when nobody knows more than the RFC's (group, port) does.
MODES = ["query", "tracked", "immediate"]


class Play:
    """Two hosts that share a port, a third that only looks, and a stream from
    each of three sources."""

    def __init__(self, net, family):
        self.net, self.family = net, family
        self.a, self.b, idle = net.lab.add_shared(net.s1, "a", "b", "idle",
                                                  ipv6=True)
        self.wire = idle.tap(group=family.group)
        self.stream = send(net, family)

    def join(self, host, **filters):
        return host.receive(self.family.group, PORT, **filters)

    def forwarded(self):
        """The streams of which packets come within a moment."""
        def now():
            return wait_until(self.wire.progress, 5, "the tap's progress")[0]
        then = now()
        counts = {i: s["unique"] for i, s in streams_of(then).items()}
        last = wait_until(lambda: now() if now()["t_ns"] - then["t_ns"] > 15e7
                          else None, 5, "a moment goes by")
        return {i for i, s in streams_of(last).items()
                if s["unique"] > counts.get(i, 0)}

    def wait_forwarded(self, *streams, seconds=AGED):
        try:
            wait_until(lambda: self.forwarded() == set(streams), seconds, "")
        except LabError:
            group = self.net.rest.members(self.net.s1, self.family.group)
            raise LabError(f"streams {streams} are expected on the wire,"
                           f" there are {self.forwarded()}; members"
                           f" {group}") from None

    def take(self, receiver):
        """Its streams so far."""
        receiver.wait_for(300)
        return streams_of(receiver.progress()[0])

    def stop(self, receiver):
        """Its streams at the end; a moment later than now."""
        n = receiver.received
        if n:
            receiver.wait_for(n + 100)
        return streams_of(receiver.stop())


@pytest.mark.parametrize(
    "config", [settings(SHORT, leave=m) for m in MODES], ids=MODES)
def test_each_of_two_hosts_gets_what_it_asks_for(net, family):
    """Their filters change while the streams run; what a host wants all the
    time comes without a gap.  'streams': what is on their wire."""
    play = Play(net, family)
    s1, s2, s3 = family.sources

    a = play.join(play.a, source=s1)
    b = play.join(play.b, source=s2)
    play.wait_forwarded(1, 2)
    a.wait_for(300)
    b.wait_for(300)

    b.exclude(s1)  # TO_EX: a still wants what b does not.
    play.wait_forwarded(1, 2, 3)
    b.block(s3)  # BLOCK: nobody wants 3 now.
    play.wait_forwarded(1, 2)
    b.allow(s3)  # ALLOW: and again.
    play.wait_forwarded(1, 2, 3)
    b.include(s2, s3)  # TO_IN.
    b.block(s3)
    play.wait_forwarded(1, 2)
    a.allow(s3)
    play.wait_forwarded(1, 2, 3)
    got = play.stop(b)
    assert set(got) == {2, 3}
    expect_whole(got[2])
    play.wait_forwarded(1, 3)

    got = play.stop(a)
    assert set(got) == {1, 3}
    for stream in got.values():
        expect_whole(stream)
    net.wait_members()
    play.stream.stop()


def test_two_hosts_exclude_different_sources(net, family):
    """Only what both of them exclude is kept from the port."""
    play = Play(net, family)
    s1, s2, s3 = family.sources

    a = play.join(play.a, exclude=[s1, s2])
    b = play.join(play.b, exclude=[s2, s3])
    play.wait_forwarded(1, 3)
    # Each sees its own on the way to its socket.
    assert set(play.take(a)) == {3} and set(play.take(b)) == {1}

    a.stop()
    play.wait_forwarded(1)
    got = play.stop(b)
    expect_whole(got[1])
    net.wait_members()
    play.stream.stop()


def test_an_older_host_makes_its_port_hear_all_sources(net):
    """RFC 3376 7.3.2: while a v2 host is there, BLOCK and TO_IN of others are
    not believed for the port; when it has gone, they are."""
    play = Play(net, V4)
    s1, *_ = V4.sources
    old, new = play.a, play.b
    V4.force(old, 2)
    a = play.join(old)
    b = play.join(new, source=s1)
    play.wait_forwarded(1, 2, 3)
    assert set(play.take(a)) == {1, 2, 3}

    old.die()
    play.wait_forwarded(1, seconds=2 * AGED)

    got = play.stop(b)
    assert set(got) == {1}
    expect_whole(got[1])
    play.stream.stop()
