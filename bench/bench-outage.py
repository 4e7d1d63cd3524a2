#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long a stream is away when something of the fabric dies.

A leaf-spine fabric of six switches (four leaves, two spines) in one
ovs-vswitchd; a host sends 2,000 packets a second, so that each lost packet is
half a millisecond; a member behind each of the other leaves.  Over and over a
link of the tree loses its carrier; all links of the spine do ("power"); the
spine's bridge is deleted, which no port tells ("process").  In between all
comes back, trees return to where they were, and that may cost nothing.

    bench-outage.py [--links 50] [--spines 10] [--processes 5]
"""

import argparse
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
for folder in "lab", "tests/system":
    sys.path.insert(0, os.path.join(TOP, folder))

from fabric_scene import FABRIC, GROUP, PORT, Scene, Watch  # noqa: E402
from lab import Lab  # noqa: E402
from procs import LabError, exit_on_signals, wait_until  # noqa: E402
from rest import Daemon  # noqa: E402

RATE = 2000
BAR_MS = 50


class Play:
    def __init__(self, lab):
        self.daemon = Daemon(lab, FABRIC).start()
        self.scene = scene = Scene(self.daemon).build(
            "leaf_spine", leaves=4, spines=2, hosts=1)
        source, *members = scene.hosts
        receivers = [h.receive(GROUP, PORT) for h in members]
        scene.wait_members(*members)
        self.stream = source.send(GROUP, PORT, rate=RATE, source=source.ip,
                                  ttl=4)
        self.watch = Watch(receivers)
        self.doubled = self.back_lost = 0
        self.took = []  # To take all links of a spine down.

    def root(self):
        root = self.scene.tree()["root"]
        return next(s for s in self.scene.switches if s.dpid_text == root)

    def wait_whole(self):
        """All links are there, and trees have come back."""
        scene = self.scene
        scene.wait_links(seconds=90)
        wait_until(lambda: scene.topology()["at_rest"], 60, "trees at rest")
        self.watch.flow()

    def one(self, break_it, n_links, mend):
        """The longest outage of a member, in packets."""
        self.wait_whole()
        self.watch.look()
        break_it()
        self.scene.wait_links(n_links)
        self.watch.flow()
        found = self.watch.look()
        self.doubled += sum(f["duplicated"] for f in found)
        mend()
        self.wait_whole()
        after = self.watch.look()
        self.doubled += sum(f["duplicated"] for f in after)
        self.back_lost += sum(f["missing"] for f in after)
        return max(f["missing"] for f in found)

    def link(self, i):
        leaf = self.scene.switches[i % 4]
        link = self.scene.link(leaf, self.root())
        return self.one(link.down, 7, link.up)

    def power(self, _):
        links = self.scene.links_of(self.root())

        def each(state):
            # One after the other all the same: the kernel takes some 10 ms
            # to take a link down.
            started = time.monotonic()
            links[0].a.run("ip", "-batch", "-", stdin="".join(
                f"link set dev {k.a.iface} {state}\n" for k in links))
            if state == "down":
                self.took.append(1000 * (time.monotonic() - started))
        return self.one(lambda: each("down"), 4, lambda: each("up"))

    def process(self, _):
        spine = self.root()

        def mend():
            self.scene.restore_switch(spine)
            self.daemon.wait_synced(spine)
        return self.one(lambda: self.scene.remove_switch(spine), 4, mend)


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, int(len(values) * p / 100))]


def report(what, lost):
    ms = [n * 1000 / RATE for n in lost]
    p99 = percentile(ms, 99)
    verdict = "" if what.startswith("process") else \
        f"  (bar: {BAR_MS} ms) " + ("ok" if p99 < BAR_MS else "MISS")
    print(f"  {what:34} {len(lost):4} times  p50 {statistics.median(ms):6.1f}"
          f" ms ({statistics.median(lost):.0f} packets)  p99 {p99:6.1f} ms"
          f" ({percentile(lost, 99)})  max {max(ms):6.1f} ms{verdict}")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--links", type=int, default=50)
    parser.add_argument("--spines", type=int, default=10)
    parser.add_argument("--processes", type=int, default=5)
    options = parser.parse_args()
    exit_on_signals()
    print("Outage of a stream when something of a leaf-spine fabric dies")
    with Lab() as lab:
        play = Play(lab)
        for what, once, n in (
                ("a link of the tree goes dark", play.link, options.links),
                ("the spine of the tree goes dark", play.power,
                 options.spines),
                ("process of the spine dies, links stay", play.process,
                 options.processes)):
            if n:
                report(what, [once(i) for i in range(n)])
        if play.took:
            print("  (here it takes"
                  f" {statistics.median(play.took):.0f} ms to take the links"
                  " of a spine down, one after the other)")
        print(f"  packets doubled: {play.doubled}; lost when things came back"
              f" and trees with them: {play.back_lost}")
        play.stream.stop()
        play.daemon.stop(20)


if __name__ == "__main__":
    try:
        main()
    except LabError as e:
        sys.exit(f"bench-outage: {e}")
