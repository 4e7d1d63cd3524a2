# SPDX-License-Identifier: Apache-2.0
"""Filters that change at random, against what the sockets asked for."""

import random
import time

import pytest
from procs import LabError, wait_until
from scene import (MEMBERSHIP, PORT, SHORT, V4, V6, Net, settings,
                   streams_of)

# By then the slowest change of the RFC's has taken effect: a source that two
# hosts knew differently runs out only with its timer.  Twice that, as a look
# at all takes a second or two on a busy machine.
SETTLED = 2 * (2 * MEMBERSHIP + 1.5)
MOMENT_NS = 400e6
IDS = {1, 2, 3}  # The streams: i comes from the i-th source.
ROUNDS, CHANGES = 3, 12


def running(receiver):
    """The streams of which packets come within a moment."""
    def now():
        return wait_until(receiver.progress, 5, "progress")[0]
    first = now()
    last = wait_until(lambda: now() if now()["t_ns"] - first["t_ns"]
                      > MOMENT_NS else None, 5, "a moment")
    counts = {i: s["unique"] for i, s in streams_of(first).items()}
    return {i for i, s in streams_of(last).items()
            if s["unique"] > counts.get(i, 0)}


class Fickle:
    """A host with a socket, or none, and what that wants."""

    def __init__(self, host, wire, family):
        self.host, self.wire, self.family = host, wire, family
        self.socket = None
        self.exclude, self.listed = False, set()

    @property
    def wanted(self):
        if not self.socket:
            return set()
        return IDS - self.listed if self.exclude else set(self.listed)

    def addresses(self, ids):
        return [self.family.sources[i - 1] for i in sorted(ids)]

    def change(self, dice):
        """Does something; what it did, for the one who reads a failure."""
        some = set(dice.sample(sorted(IDS), dice.randint(1, len(IDS))))
        verb = dice.choice(["include", "exclude", "one", "one", "leave"])
        if not self.socket:
            self.join(verb == "exclude", some)
        elif verb == "leave":
            self.socket.stop()
            self.socket = None
        elif verb == "one":
            self.change_one(min(some))
        else:
            getattr(self.socket, verb)(*self.addresses(some))
            self.exclude, self.listed = verb == "exclude", some
        return f"{self.host.name}: {verb}, wants {sorted(self.wanted)}"

    def join(self, exclude, ids):
        self.exclude, self.listed = exclude, ids
        kind = "exclude" if exclude else "source"
        self.socket = self.host.receive(self.family.group, PORT,
                                        **{kind: self.addresses(ids)})

    def change_one(self, i):
        """ALLOW or BLOCK, whichever makes a difference."""
        adds = i not in self.listed
        if not self.exclude and self.listed == {i}:
            return  # It would be a leave, of a socket that stays.
        verb = "allow" if adds != self.exclude else "block"
        getattr(self.socket, verb)(*self.addresses([i]))
        self.listed ^= {i}


def check(hosts, log, say):
    """Every wire has what its hosts want together, every socket its own."""
    wires = {}
    for h in hosts:
        wires.setdefault(h.wire, set()).update(h.wanted)
    deadline = time.monotonic() + SETTLED
    while True:
        found = [(running(wire), wanted) for wire, wanted in wires.items()]
        found += [(running(h.socket), h.wanted) for h in hosts if h.socket]
        if all(got == wanted for got, wanted in found):
            break
        if time.monotonic() > deadline:
            raise LabError(f"(on wires and in sockets, wanted) {found}\n"
                           + "\n".join(log) + f"\n{say()}")


@pytest.mark.parametrize("family, delivery, config, seed", [
    pytest.param(family, delivery,
                 settings(SHORT, leave=leave, delivery=delivery), seed,
                 marks=[pytest.mark.plain] if seed in (1, 4) else [])
    for family, delivery, leave, seed in (
        (V4, "multicast", "query", 1), (V4, "unicast", "tracked", 2),
        (V6, "multicast", "tracked", 3), (V6, "unicast", "query", 4))],
    ids=["ipv4-multicast", "ipv4-unicast", "ipv6-multicast", "ipv6-unicast"])
def test_everybody_gets_what_they_ask_for(ofmcast, family, delivery, seed):
    """Three hosts behind one port, two with ports of their own, and one that
    wants everything and must not lose any of it."""
    dice = random.Random(seed)
    net = Net(ofmcast, ["stable", "d1", "d2"], ipv6=True)
    stable, *alone = net.hosts
    *sharing, idle = net.lab.add_shared(net.s1, "a", "b", "c", "idle",
                                        ipv6=True)
    receiver = stable.receive(family.group, PORT)
    net.wait_members(stable)
    stream = net.extender.send(family.group, PORT, 500, stream=1,
                               source=family.sources[0], sources=len(IDS))
    segment = idle.tap(group=family.group)
    # A copy for one host is seen by nobody else on the segment.
    hosts = [Fickle(h, h.tap(group=family.group)
                    if delivery == "unicast" or h in alone else segment,
                    family) for h in sharing + alone]

    for _ in range(ROUNDS):
        log = [dice.choice(hosts).change(dice) for _ in range(CHANGES)]
        check(hosts, log, lambda: net.rest.members(net.s1, family.group))

    stream.stop()
    result = receiver.stop()
    assert (result["missing"], result["duplicated"]) == (0, 0)
    assert delivery == "multicast" or segment.received == 0
