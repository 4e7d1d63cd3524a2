#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Joins while one port floods: does it cost the others anything?

One bridge, a stream, hosts that join and leave, and one port that sends
reports of random groups, 50,000 a second.  Joins are measured as
bench-join.py measures them, by turns without and with the flood.  A control
tells what chance does: the p99 of every other idle turn against the rest.

    bench-flood.py [--joins 1000] [--hosts 10] [--rate 1000] [--flood 50000]
                   [--groups 16777216] [--max-reports 5000] [--ports 0]
"""

import argparse
import importlib
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

join = importlib.import_module("bench-join")

from lab import Lab  # noqa: E402
from procs import Sender, build_dir, exit_on_signals, wait_until  # noqa: E402
from rest import Daemon  # noqa: E402

BAR_RATIO = 2.0
IN_TURN = 50  # Joins; short turns, so that both see the same machine.


def rss_kib(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f
                    if line.startswith("VmRSS"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


class Flood:
    """The port gone mad."""

    def __init__(self, host, rate, groups):
        self.host = host
        self.rate = rate
        self.groups = groups
        self.sent = 0
        self.seconds = 0

    def __enter__(self):
        self.process = self.host.spawn(
            "igmp-flood", os.path.join(build_dir(), "bench", "igmp-flood"),
            "--iface", self.host.iface, "--rate", str(self.rate),
            "--groups", str(self.groups), kind=Sender)
        time.sleep(1.5)  # Its meter's burst is over.

    def __exit__(self, *exception):
        done = self.process.stop()
        self.sent += done["sent"]
        self.seconds += done["seconds"]


def measure(side, joins):
    """Milliseconds of that many joins."""
    ms = []
    while len(ms) < joins:
        random.shuffle(side.members)
        for member in side.members:
            time.sleep(random.uniform(0.01, 0.02))
            ms.append(member.join())
        side.leave_all()
    return ms


def refusals(daemon, port):
    """{guard: count} of the flooding port."""
    found = {}
    for line in daemon.rest.request("GET", "/metrics").body.splitlines():
        if line.startswith("ofmcast_port_refused_total{") \
                and f'port="{port}"' in line:
            labels, _, value = line.rpartition(" ")
            guard = labels.partition('guard="')[2].partition('"')[0]
            found[guard] = int(float(value))
    return found


def ratio_range(flooded, idle, percent, times=1000):
    """Between what the ratio lies in nine of ten cases, by the bootstrap."""
    draw = random.Random(1).choices
    ratios = sorted(
        join.percentile(draw(flooded, k=len(flooded)), percent)
        / join.percentile(draw(idle, k=len(idle)), percent)
        for _ in range(times))
    return ratios[times // 20], ratios[-1 - times // 20]


def report_chance(turns, idle, flooded):
    low, high = ratio_range(flooded, idle, 99)
    join.line("... of 90 % of samples like these, at least", low, "x")
    join.line("... and at most", high, "x")
    halves = [sum(turns[i::2], []) for i in range(2)]
    if all(halves):
        worse, better = sorted((join.percentile(half, 99) for half in halves),
                               reverse=True)
        join.line("... control: idle turns against idle turns",
                  worse / better, "x")


def report(turns, flooded, daemon, flood, memory, cpu):
    idle = sum(turns, [])
    print(f"\n{f'Joins while a port sends {flood.rate} reports/s':<52}"
          f" {'measured':>14} {'':<7} {'bar':>16} {'ratio':>7}")
    for what, ms in ("idle", idle), ("with the flood", flooded):
        for percent in 50, 99:
            join.line(f"join to first packet, {what}, p{percent}",
                      join.percentile(ms, percent), "ms")
        join.line(f"join to first packet, {what}, worst of {len(ms)}",
                  max(ms), "ms")
    join.line("ratio of p50",
              join.percentile(flooded, 50) / join.percentile(idle, 50), "x")
    join.line("ratio of p99",
              join.percentile(flooded, 99) / join.percentile(idle, 99), "x",
              BAR_RATIO)
    report_chance(turns, idle, flooded)
    join.line("reports that were really sent",
              flood.sent / max(flood.seconds, 1e-9), "1/s")
    join.line("ofmcastd's cpu during the flood",
              cpu[0] / max(flood.seconds, 1e-9) * 100, "%")
    join.line("ovs-vswitchd's cpu during the flood",
              cpu[1] / max(flood.seconds, 1e-9) * 100, "%")
    join.line("resident memory before the flood", memory[0], "KiB")
    join.line("resident memory after it", memory[1], "KiB")
    groups = sum(m["port"] == flood.host.port
                 for g in daemon.rest.list("groups") for m in g["members"])
    join.line("groups that the port has", groups, "", 1024)
    for guard, n in sorted(refusals(daemon, flood.host.port).items()):
        join.line(f"refused: {guard}", n, "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--joins", type=int, default=1000)
    parser.add_argument("--hosts", type=int, default=10)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--flood", type=int, default=50000)
    parser.add_argument("--groups", type=int, default=1 << 24,
                        help="that the flood chooses from")
    parser.add_argument("--max-reports", type=int, default=5000)
    parser.add_argument("--ports", type=int, default=0,
                        help="more ports, that are idle")
    options = parser.parse_args()

    exit_on_signals()
    random.seed(1)
    with Lab() as lab:
        daemon = Daemon(lab, join.CONFIG + "port_defaults: {max_reports: "
                        f"{options.max_reports}}}\n").start()
        side = join.Side(lab, "s1", 1, options.hosts)
        [mad] = lab.add_hosts(side.switch, "mad")
        if options.ports:
            lab.add_hosts(side.switch, "idle", ports=options.ports)
        daemon.wait_synced(side.switch)
        flood = Flood(mad, options.flood, options.groups)
        side.start_stream(options.rate)
        wait_until(lambda: all(m.is_quiet() for m in side.members), 20,
                   "silence before joining")
        idle, flooded = [], []
        measure(side, len(side.members))
        before = rss_kib(daemon)
        cpu = [0, 0]
        pids = daemon.process.pid, lab.vswitchd.pid
        for first in range(0, options.joins, IN_TURN):
            joins = min(IN_TURN, options.joins - first)
            idle.append(measure(side, joins))
            was = [cpu_seconds(pid) for pid in pids]
            with flood:
                flooded += measure(side, joins)
            cpu = [c + cpu_seconds(pid) - w
                   for c, pid, w in zip(cpu, pids, was)]
        report(idle, flooded, daemon, flood, (before, rss_kib(daemon)), cpu)
        daemon.stop()


if __name__ == "__main__":
    main()
