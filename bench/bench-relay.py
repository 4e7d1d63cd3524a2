#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What arrives through a relay: ofmcast against what people use today.

The same sender (mcsend) and receiver (mcrecv) at the ends of four relays, in
turns, several rounds:

    ofmcast     a route that rewrites to a port; ofmcastd and Open vSwitch
    hand-made   the same flow and group set by ovs-ofctl, no controller
    socat       a process for each stream and output
    kernel      multicast routing, set by smcroute: it rewrites nothing, and
                has 31 outputs at most; the limit of what this machine can do

239.1.1.1:5001 from 10.0.0.1 becomes 239.9.9.9:5099 (kernel: it stays), 1024
bytes.  Parts: "chain", one output at several rates; "fanout", 50 outputs;
"streams", many streams through one relay of 1,000 routes.

    bench-relay.py [--quick] [--only chain,fanout,streams] [--rounds N]
                   [--seconds S]

Exit status: 0, or 1 if a bar was missed.
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(TOP, "lab"))

from chain import MAX_VIFS, TTL, Chain  # noqa: E402
from lab import Lab  # noqa: E402
from procs import (LabError, exit_on_signals, favour,  # noqa: E402
                   in_netns, keep_time, wait_until)
from rest import Connection, Daemon  # noqa: E402

IN, OUT = ("239.1.1.1", 5001), ("239.9.9.9", 5099)
SOURCE, NEW_SOURCE = "10.0.0.1", "10.0.1.1"
SIZE = 1024
LATE = 0.02  # Seconds that the sender may be.
GRACE = 0.25  # Seconds that packets may be, by the kernel's timestamps.
ROUTES = 1000  # That stand while many streams run.
PER_STREAM = 2000  # Packets a second.
LOSS_FREE = 50000  # At this rate ofmcast may lose nothing.
HAND_MADE = 0.95

NAMES = ("ofmcast", "hand-made", "socat", "kernel")


class Path:
    """A relay with its sender and receivers."""

    def __init__(self, gen, sink, outputs, arrives=OUT):
        self.gen = gen
        self.sink = sink
        self.outputs = outputs
        self.arrives = arrives
        gen.apart = sink.apart = True

    def play(self, rate, seconds):
        """One stream, to all outputs."""
        group, port = self.arrives
        count = int(rate * seconds)
        receiver = self.sink.receive(group, port, within_ms=within(seconds))
        sent = self.send(rate, count, seconds)
        return Result(sent, self.finish(receiver), count)

    def send(self, rate, count, seconds, **options):
        """A camera does not wait for who is slow: what is late at the end is
        not sent."""
        group, port = IN
        return self.gen.send(group, port, rate=rate, count=count,
                             source=SOURCE, ttl=TTL, size=SIZE,
                             **{"for": seconds + LATE}, **options).wait(120)

    def play_streams(self, n, seconds):
        """Streams 1 to n; a tap counts them all."""
        count = int(PER_STREAM * seconds)
        tap = self.sink.tap(within_ms=within(seconds))
        sent = self.send(PER_STREAM, count, seconds, groups=n)
        return Result(sent, self.finish(tap), n * count)

    def finish(self, receiver):
        """What it has got in a moment.  More may stand in buffers, seconds of
        it: nothing that counts, but the next relay is not to suffer from
        it."""
        time.sleep(GRACE)
        done = receiver.stop()
        last = [-1]

        def is_quiet():
            last[:] = [last[-1], self.n_arrived()]
            time.sleep(0.05)
            return last[0] == last[1]
        wait_until(is_quiet, 60, "nothing comes any more")
        return done if isinstance(done, list) else [done]

    def n_arrived(self):
        with in_netns(self.sink.netns), \
                open("/proc/thread-self/net/dev", encoding="ascii") as f:
            return sum(int(line.split(":")[1].split()[1]) for line in f
                       if "-eth" in line)


def within(seconds):
    """Milliseconds in which a run has to arrive."""
    return int(1000 * (seconds + GRACE))


class Result:
    def __init__(self, sent, outputs, count):
        self.sent = sent["sent"] * len(outputs)
        self.wanted = count * len(outputs)
        self.unique = sum(o["unique"] for o in outputs)
        self.twice = sum(o["duplicated"] for o in outputs)
        self.lost = self.sent - self.unique
        self.share = self.unique / self.wanted


# ---------------------------------------------------------------------------
# The relays.


def new_route(port_names, group=IN, to=OUT):
    return {"match": {"group": group[0], "udp_dst": group[1]},
            "set": {"source": NEW_SOURCE, "group": to[0], "udp_dst": to[1]},
            "to": [{"dpid": "1", "port": name} for name in port_names]}


def put_routes(daemon, routes):
    """{name: body}, over one connection, and waits until they are there."""
    c = Connection(daemon.netns, daemon.rest.port, 30)
    with contextlib.closing(c):
        for name, body in routes.items():
            c.request("PUT", f"/v1/routes/{name}?wait=stored",
                      json.dumps(body), {"Content-Type": "application/json"})
            answer = c.getresponse()
            text = answer.read().decode()
            if answer.status not in (200, 201):
                raise LabError(f"route {name}: {answer.status} {text}")
    wait_until(lambda: all(status["state"] == "applied"
                           for route in daemon.rest.list("routes")
                           for status in route["status"]), 30, "applied")


def mac_of(group):
    a = [int(x) for x in group.split(".")]
    return f"01:00:5e:{a[1] & 127:02x}:{a[2]:02x}:{a[3]:02x}"


def make_by_hand(switch, ports):
    """What ofmcast would install, in table 0."""
    switch.ofctl("add-group", "group_id=1,type=all," + ",".join(
        f"bucket=output:{port}" for port in ports))
    switch.ofctl("add-flow", f"priority=100,udp,nw_dst={IN[0]},"
                 f"tp_dst={IN[1]},actions=set_field:{mac_of(OUT[0])}->eth_dst,"
                 f"set_field:{NEW_SOURCE}->ip_src,set_field:{OUT[0]}->ip_dst,"
                 f"set_field:{OUT[1]}->udp_dst,group:1")


class Relays:
    """All of them, side by side; who has no packets costs nothing."""

    def __init__(self, stack, outputs):
        self.stack = stack
        self.outputs = outputs
        self.paths = {}

    def add_switch(self, name, controller):
        """A switch in an Open vSwitch of its own, with gen and sink: the
        ports of another one would be polled with it."""
        lab = self.stack.enter_context(
            Lab() if controller else Lab(controller=None))
        daemon = Daemon(lab).start() if controller else None
        switch = lab.add_switch("s1", 1)
        [gen] = lab.add_hosts(switch, "gen")
        [sink] = lab.add_hosts(switch, "sink", ports=self.outputs)
        if daemon:
            daemon.wait_synced(switch)
            favour(daemon.process)
        favour(lab.vswitchd)
        self.paths[name] = Path(gen, sink, self.outputs)
        return lab, switch, daemon, sink

    def add_ofmcast(self):
        self.lab, self.switch, self.daemon, sink = self.add_switch(
            "ofmcast", True)
        self.port_names = [f"s1-eth{port}" for port in sink.ports]
        return self

    def route(self):
        put_routes(self.daemon, {"relay": new_route(self.port_names)})
        return self

    def add_hand_made(self):
        _, switch, _, sink = self.add_switch("hand-made", False)
        make_by_hand(switch, sink.ports)
        return self

    def add_socat(self, *streams):
        chain = Chain(self.lab, "socat", self.outputs)
        favour(*chain.start_socat(*(streams or [(*IN, *OUT)])))
        self.paths["socat"] = Path(chain.gen, chain.sink, self.outputs)
        return self

    def add_kernel(self):
        outputs = min(self.outputs, MAX_VIFS - 1)
        chain = Chain(self.lab, "mfc", outputs)
        chain.start_smcroute(IN[0], SOURCE)
        self.paths["kernel"] = Path(chain.gen, chain.sink, outputs, IN)
        return self

    def play(self, what, rounds):
        """{name: [result of each round]}; what(path) plays it once.  Who
        begins changes from round to round, and who follows whom."""
        results = {name: [] for name in self.paths}
        for i in range(rounds):
            names = list(self.paths)
            names = names[i % len(names):] + names[:i % len(names)]
            for name in reversed(names) if i % 2 else names:
                results[name].append(what(self.paths[name]))
        return results


# ---------------------------------------------------------------------------
# The tables.


class Report:
    def __init__(self):
        self.n_missed = 0

    def heading(self, title, first, names):
        print(f"\n{title}\n  {first:<24}" + "".join(f"{n:>22}"
                                                    for n in names))

    def row(self, what, results):
        """The medians of what arrived, in packets and percent."""
        cells = []
        for rounds in results.values():
            unique = statistics.median(r.unique for r in rounds)
            share = statistics.median(r.share for r in rounds)
            cells.append(f"{unique:>12,.0f} {floor_percent(share):>7} %")
        print(f"  {what:<24}" + "".join(f"{c:>22}" for c in cells),
              flush=True)

    def bar(self, what, value, bar, at_least=True):
        good = value >= bar if at_least else value <= bar
        self.n_missed += not good
        text = f"{value:.2f}" if isinstance(value, float) else f"{value:,}"
        print(f"  {what:<60} {text:>9}   {'>=' if at_least else '<='}"
              f" {bar:<5} {'OK' if good else 'MISS'}", flush=True)


def floor_percent(share):
    """99.996 % is not 100.00 %."""
    return f"{int(share * 10000) / 100:.2f}"


def ratio(results, a, b):
    """The median of the rounds' ratios: what the machine does meanwhile
    befalls both alike."""
    return statistics.median(x.share / max(y.share, 1e-9)
                             for x, y in zip(results[a], results[b]))


def note_slow_senders(results):
    for name, rounds in results.items():
        share = statistics.median(r.sent / r.wanted for r in rounds)
        if share < 0.98:
            print(f"  ({name}: its sender was slowed, to {share * 100:.0f} %)")


def compare(report, what, results):
    for other, bar in ("socat", 1.0), ("hand-made", HAND_MADE):
        if other in results:
            report.bar(f"{what}: ofmcast / {other}",
                       ratio(results, "ofmcast", other), bar)


def measure_chain(report, options):
    with contextlib.ExitStack() as stack:
        relays = Relays(stack, 1).add_ofmcast().route().add_hand_made() \
            .add_socat().add_kernel()
        report.heading("One stream, one output: packets that arrived",
                       "packets/s", NAMES)
        found = {}
        for rate, seconds in options.rates.items():
            part = "chain" if rate == LOSS_FREE else "saturated"
            found[rate] = results = relays.play(
                lambda path, rate=rate, seconds=seconds:
                path.play(rate, seconds), options.rounds[part])
            report.row(f"{rate:,} x {seconds:g} s", results)
            note_slow_senders(results)
        for rate, results in found.items():
            compare(report, f"{rate:,}/s", results)
        if LOSS_FREE in found:
            report_losses(report, found[LOSS_FREE])


def report_losses(report, results):
    ours = results["ofmcast"]
    theirs = sum(r.lost for r in results["hand-made"])
    report.bar(f"{LOSS_FREE:,}/s: lost by ofmcast in"
               f" {sum(r.wanted for r in ours):,} (hand-made: {theirs:,})",
               sum(r.lost for r in ours), 0, at_least=False)
    report.bar(f"{LOSS_FREE:,}/s: delivered twice by ofmcast",
               sum(r.twice for r in ours), 0, at_least=False)


def measure_fanout(report, options):
    n = options.outputs
    with contextlib.ExitStack() as stack:
        relays = Relays(stack, n).add_ofmcast().route().add_hand_made() \
            .add_socat().add_kernel()
        names = NAMES[:-1] + (f"kernel: {relays.paths['kernel'].outputs}"
                              " outputs",)
        report.heading(f"One stream, {n} outputs ({n} processes of socat):"
                       " copies that arrived", "packets/s", names)
        found = {}
        for rate in options.fanout_rates:
            found[rate] = results = relays.play(
                lambda path, rate=rate: path.play(rate, options.seconds),
                options.rounds["fanout"])
            report.row(f"{rate:,} x {options.seconds:g} s", results)
            note_slow_senders(results)
        for rate, results in found.items():
            compare(report, f"{n} outputs, {rate:,}/s", results)


def streams_of(n):
    """The i-th as (group, port, new group, new port)."""
    return [(f"239.1.1.{i}", 5000 + i, f"239.10.1.{i}", 6000 + i)
            for i in range(1, n + 1)]


def all_routes(streams, port_names):
    """Those of the streams, and others up to ROUTES."""
    streams = streams + [
        (f"239.2.{i // 250}.{i % 250}", 5000, f"239.20.{i // 250}.{i % 250}",
         6000) for i in range(ROUTES - len(streams))]
    return {f"r{i}": new_route(port_names, s[:2], s[2:])
            for i, s in enumerate(streams)}


def measure_streams(report, options):
    levels = options.levels
    streams = streams_of(max(levels))
    with contextlib.ExitStack() as stack:
        relays = Relays(stack, 1).add_ofmcast()
        put_routes(relays.daemon, all_routes(streams, relays.port_names))
        relays.add_socat(*streams)
        report.heading(
            f"Streams of {PER_STREAM:,}/s, {ROUTES:,} routes stand: packets"
            " that arrived", "streams", ("ofmcast", "socat"))
        found = {}
        for n in levels:
            found[n] = results = relays.play(
                lambda path, n=n: path.play_streams(n, options.seconds),
                options.rounds["streams"])
            report.row(f"{n} ({n * PER_STREAM:,}/s)", results)
            note_slow_senders(results)
        print("  processes: ofmcast 1 and Open vSwitch's, socat one a stream")
        for n, results in found.items():
            compare(report, f"{n} streams", results)


# Quick: 2nd.  Where cores are full, what arrives varies by a third.
ROUNDS = {"chain": (4, 2), "saturated": (9, 3), "fanout": (4, 1),
          "streams": (3, 1)}
PARTS = {"chain": measure_chain, "fanout": measure_fanout,
         "streams": measure_streams}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--outputs", type=int, default=50)
    options = parser.parse_args()
    quick = options.quick
    options.rounds = {part: options.rounds or usual[quick]
                      for part, usual in ROUNDS.items()}
    long = options.seconds or (1 if quick else 5)
    options.seconds = options.seconds or 1
    # A million packets in all at the rate where none may be lost.
    options.rates = {rate: long if rate == LOSS_FREE else options.seconds
                     for rate in (LOSS_FREE, 100000, 200000)}
    options.fanout_rates = (2000,) if quick else (2000, 5000)
    options.levels = (1, 10, 50, 150) if quick \
        else (1, 2, 5, 10, 20, 50, 100, 150)
    if not set(options.only.split(",")) <= set(PARTS):
        parser.error("--only takes " + ",".join(PARTS))
    return options


def main():
    options = parse()
    exit_on_signals()
    keep_time()
    report = Report()
    print(f"Relays, {SIZE} bytes a packet; medians of some rounds, in turns")
    for name, part in PARTS.items():
        if name in options.only.split(","):
            part(report, options)
    print(f"\n{report.n_missed} missed")
    return 1 if report.n_missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as e:
        sys.exit(f"bench-relay: {e}")
