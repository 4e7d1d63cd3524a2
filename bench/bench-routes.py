#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Routes under a running stream: how long a write takes, and what it costs the
stream.

One bridge, one stream through a route that nobody touches.  Another route is
put (new), put again with another content, and deleted, over and over, each
time with ?wait=applied: with no other route, and with 1,000 that stand.  The
new route's stream is there already, so that the time to its first packet on
the new port is known too, from the kernel's timestamp.  In the end 1,000
routes come and go as fast as they can be stored.

    bench-routes.py [--quick] [--writes 300] [--standing 1000]
                    [--rate 2000] [--in-memory]

Exit status: 0, or 1 if a bar was missed.
"""

import argparse
import contextlib
import importlib
import json
import os
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

join = importlib.import_module("bench-join")

from lab import Lab  # noqa: E402
from procs import (LabError, exit_on_signals, favour,  # noqa: E402
                   keep_time, wait_until)
from rest import Connection, Daemon  # noqa: E402

GROUP, UNTOUCHED = "239.3.3.3", "239.1.1.1"
BAR_MS = 5.0


class Client:
    """Writes over one connection that stays."""

    def __init__(self, daemon):
        self.connection = Connection(daemon.netns, daemon.rest.port, 30)

    def ask(self, method, name, body=None, wait="applied"):
        """Milliseconds until it was answered."""
        text = json.dumps(body) if body else None
        headers = {"Content-Type": "application/json"} if body else {}
        before = time.monotonic()
        self.connection.request(method, f"/v1/routes/{name}?wait={wait}",
                                text, headers)
        answer = self.connection.getresponse()
        said = answer.read().decode()
        ms = (time.monotonic() - before) * 1000
        if answer.status not in (200, 201, 204):
            raise LabError(f"{method} {name}: {answer.status} {said}")
        return ms


def route(group, to_group, source, port):
    return {"match": {"group": group},
            "set": {"source": source, "group": to_group},
            "to": [{"dpid": "1", "port": port}]}


class Play:
    def __init__(self, lab, rate, state):
        self.daemon = daemon = Daemon(lab, join.CONFIG)
        if state:
            daemon.state = state
        daemon.start()
        self.disk = Disk(daemon.state)
        switch = lab.add_switch("s1", 1)
        self.sender, self.stays, new = lab.add_hosts(switch, "tx", "stays",
                                                     "new")
        daemon.wait_synced(switch)
        favour(daemon.process, lab.vswitchd)
        self.sender.apart = self.stays.apart = True
        self.ports = self.stays.port_name, new.port_name
        self.client = Client(daemon)
        self.client.ask("PUT", "stays", route(
            UNTOUCHED, UNTOUCHED, "10.1.0.10", self.ports[0]))
        self.receiver = self.stays.receive(UNTOUCHED, join.PORT)
        self.new = join.Member(new, 1)
        self.sender.send(GROUP, join.PORT, rate=rate, ttl=8)
        self.rate = rate
        self.lost = {}

    @contextlib.contextmanager
    def stream(self, what, rate):
        """The stream that nobody touches, and what it lost meanwhile."""
        before = self.receiver.received
        stream = self.sender.send(UNTOUCHED, join.PORT, rate=rate, ttl=8)
        self.receiver.wait_for(before + rate // 4)
        yield
        sent = stream.stop()["sent"]
        with contextlib.suppress(LabError):
            self.receiver.wait_for(before + sent, 2)
        arrived = self.receiver.received - before
        self.lost[f"{what}, {sent:,} packets"] = sent - arrived

    def writes(self, n):
        """{what: [ms]} of n times new, changed, deleted."""
        found = {"new": [], "changed": [], "deleted": [], "stored": [],
                 "packet": [], "late": [], "sync": []}
        for _ in range(n):
            self.new.drain()
            body = route(GROUP, join.GROUP, "10.1.0.11", self.ports[1])
            before = time.clock_gettime_ns(time.CLOCK_REALTIME)
            found["new"].append(self.client.ask("PUT", "r", body))
            answered = time.clock_gettime_ns(time.CLOCK_REALTIME)
            first = self.new.next_packet(5)
            if first is None:
                raise LabError("a route was applied, and nothing came")
            found["packet"].append((first - before) / 1e6)
            found["late"].append((first - answered) / 1e6)
            body["set"]["source"] = "10.1.0.12"
            found["changed"].append(self.client.ask("PUT", "r", body))
            found["deleted"].append(self.client.ask("DELETE", "r"))
            body["match"]["group"] = "239.3.3.4"
            found["stored"].append(self.client.ask("PUT", "q", body,
                                                   "stored"))
            self.client.ask("DELETE", "q")
            found["sync"].append(self.disk.sync())
            wait_until(self.new.is_quiet, 5, "nothing comes any more")
        return found

    def stand(self, n):
        """Others that stand, to the port that gets the new one's packets."""
        for i in range(n):
            self.client.ask("PUT", f"s{i}", route(
                f"239.4.{i // 250}.{i % 250}", "239.44.4.4", "10.1.0.13",
                self.ports[1]), "stored")

    def burst(self, n):
        """As fast as they can be stored; seconds."""
        before = time.monotonic()
        for i in range(n):
            self.client.ask("PUT", f"b{i}", route(
                f"239.5.{i // 250}.{i % 250}", "239.55.5.5", "10.1.0.14",
                self.ports[1]), "stored")
        for i in range(n):
            self.client.ask("DELETE", f"b{i}", wait="stored")
        return time.monotonic() - before


class Report:
    def __init__(self):
        self.n_missed = 0

    def line(self, what, value, unit, bar=None):
        self.n_missed += join.line(what, value, unit, bar)

    def writes(self, standing, found):
        print(f"\n{f'A route is written, {standing:,} others stand':<52}"
              f" {'measured':>14} {'':<7} {'bar':>16} {'ratio':>7}")
        for key, what in (("new", "PUT of a new one, answered"),
                          ("changed", "PUT that changes it, answered"),
                          ("deleted", "DELETE, answered"),
                          ("stored", "PUT with wait=stored, answered"),
                          ("packet", "PUT to the first packet there")):
            bar = BAR_MS if key in ("new", "changed", "packet") else None
            self.line(f"{what}, p50", join.percentile(found[key], 50), "ms",
                      bar)
            self.line(f"{what}, p99", join.percentile(found[key], 99), "ms")
        self.line("... the packet after the answer (< 0: before), p50",
                  join.percentile(found["late"], 50), "ms")
        self.line("one fdatasync of this disk meanwhile, p50",
                  join.percentile(found["sync"], 50), "ms")


class Disk:
    """What it takes to keep a block of a file that is there."""

    def __init__(self, folder):
        self.file = open(os.path.join(folder, "sync"), "wb", buffering=0)

    def sync(self):
        """Milliseconds."""
        os.pwrite(self.file.fileno(), bytes(4096), 0)
        before = time.monotonic()
        os.fdatasync(self.file.fileno())
        return (time.monotonic() - before) * 1000


def report_lost(report, play):
    print(f"\n{'The stream that nobody touched lost':<52}"
          f" {'measured':>14} {'':<7} {'bar':>16} {'ratio':>7}")
    for what, lost in play.lost.items():
        missed = lost > 0
        report.n_missed += missed
        print(f"  {what:<50} {lost:>14,} {'':<7}  <= {0:>12}"
              f" {'':>7} {'MISS' if missed else 'OK'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--writes", type=int)
    parser.add_argument("--standing", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--in-memory", action="store_true",
                        help="keep the store in /dev/shm: without the disk")
    options = parser.parse_args()
    n = options.writes or (50 if options.quick else 300)

    exit_on_signals()
    keep_time()
    report = Report()
    with contextlib.ExitStack() as stack:
        state = stack.enter_context(tempfile.TemporaryDirectory(
            dir="/dev/shm")) if options.in_memory else None
        lab = stack.enter_context(Lab())
        play = Play(lab, options.rate, state)
        for standing in 0, options.standing:
            play.stand(standing)
            with play.stream(f"{n} times new, changed, deleted;"
                             f" {standing:,} stand", options.rate):
                found = play.writes(n)
            report.writes(standing, found)
        for rate in options.rate, 10000:
            with play.stream(f"{options.standing:,} come and go, {rate:,}/s",
                             rate):
                seconds = play.burst(options.standing)
        report.line("writes stored, one after the other",
                    2 * options.standing / seconds, "1/s")
        report_lost(report, play)
        play.daemon.stop()
    print(f"\n{report.n_missed} missed")
    return 1 if report.n_missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as e:
        sys.exit(f"bench-routes: {e}")
