#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Join to first packet: ofmcast against Open vSwitch's own snooping.

Two bridges of one ovs-vswitchd, each with a stream and as many hosts: one
programmed by ofmcastd, one with mcast_snooping_enable and NORMAL.  Hosts join
in turn, now on one bridge, now on the other.  A join is measured from just
before its report is sent to the kernel's timestamp of the first packet that
the host receives.  That includes waiting for the next packet of the stream,
for both alike.

    bench-join.py [--joins 250] [--hosts 10] [--rate 1000]
"""

import argparse
import os
import random
import select
import socket
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
for folder in "lab", "tests/system":
    sys.path.insert(0, os.path.join(TOP, folder))

from frames import TO_EX, TO_IN, record, v3_report  # noqa: E402
from lab import Lab  # noqa: E402
from procs import (LabError, exit_on_signals, in_netns,  # noqa: E402
                   wait_until)
from rest import Daemon  # noqa: E402

GROUP, PORT = "226.2.2.2", 5004
SO_TIMESTAMPNS = 35
PACKET_OUTGOING = 4
BAR_RATIO, BAR_P99_MS = 1.4, 3.0

# A leave takes effect after 0.1 s; nothing else expires during a run.
CONFIG = """\
vlans:
  default: {query_interval: 125, query_response_interval: 10, robustness: 2,
            last_member_interval: 0.1, last_member_count: 1}
"""


class Member:
    """A host that speaks IGMP by hand, so that nothing is sent twice."""

    def __init__(self, host, number):
        self.host = host
        self.mac = struct.pack("!HI", 0x0200, 0x42000000 + number)
        with in_netns(host.netns):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                        socket.htons(0x0003))
        self.socket.bind((host.iface, 0))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def say(self, kind):
        frame = v3_report(self.host.ip, [record(kind, GROUP)], self.mac)
        before = time.clock_gettime_ns(time.CLOCK_REALTIME)
        self.socket.send(frame)
        return before

    def drain(self):
        while select.select([self.socket], [], [], 0)[0]:
            self.socket.recv(2048)

    def next_packet(self, seconds):
        """When the kernel got the next packet of the stream; None if there is
        none."""
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return None
            frame, control, _, address = self.socket.recvmsg(2048, 256)
            if address[2] == PACKET_OUTGOING or frame[23:24] != b"\x11" \
                    or frame[30:34] != socket.inet_aton(GROUP):
                continue
            for level, kind, data in control:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, ns = struct.unpack("qq", data[:16])
                    return seconds * 10**9 + ns
            raise LabError("a packet without a timestamp")

    def join(self):
        """Milliseconds from the report to the first packet."""
        self.drain()
        before = self.say(TO_EX)
        got = self.next_packet(5)
        if got is None:
            raise LabError(f"{self.host.name} joined and got nothing")
        return (got - before) / 1e6

    def is_quiet(self):
        self.drain()
        return self.next_packet(0.02) is None


class Side:
    """One bridge, its stream, its members, and what was measured."""

    def __init__(self, lab, name, dpid, n_hosts):
        self.name = name
        self.switch = lab.add_switch(name, dpid)
        self.sender, *hosts = lab.add_hosts(
            self.switch, f"{name}-tx", *(f"{name}-h{i}"
                                         for i in range(n_hosts)))
        self.members = [Member(host, dpid * 1000 + i)
                        for i, host in enumerate(hosts)]
        self.ms = []

    def start_stream(self, rate):
        self.stream = self.sender.send(GROUP, PORT, rate=rate, ttl=8)

    def leave_all(self):
        for member in self.members:
            member.say(TO_IN)
        wait_until(lambda: all(m.is_quiet() for m in self.members), 20,
                   f"silence on {self.name} after leaving")


def make_native(lab, side):
    """Forwards by its own snooping and nothing else."""
    lab.vsctl("del-controller", side.name, "--", "set", "bridge", side.name,
              "mcast_snooping_enable=true", "other_config:"
              "mcast-snooping-disable-flood-unregistered=true")
    side.switch.ofctl("add-flow", "actions=NORMAL")


def percentile(values, percent):
    values = sorted(values)
    return values[min(len(values) - 1, int(percent / 100 * len(values)))]


def line(what, value, unit, bar=None):
    text = f"  {what:<50} {value:14.2f} {unit:<7}"
    missed = False
    if bar:
        missed = value > bar
        text += f" {'<=':>3} {bar:12.2f} {value / bar:7.2f} " \
                + ("MISS" if missed else "OK")
    print(text, flush=True)
    return missed


def report(ours, native, rate):
    print(f"\n{f'Join to first packet, {rate} packets/s':<52}"
          f" {'measured':>14} {'':<7} {'bar':>16} {'ratio':>7}")
    for side, what in (ours, "ofmcast"), (native, "OVS's own snooping"):
        for percent in 50, 90, 99:
            bar = BAR_P99_MS if side is ours and percent == 99 else None
            line(f"{what}, p{percent}", percentile(side.ms, percent), "ms",
                 bar)
        line(f"{what}, worst of {len(side.ms)}", max(side.ms), "ms")
    line("ratio of the medians",
         percentile(ours.ms, 50) / percentile(native.ms, 50), "x", BAR_RATIO)


def measure(lab, ours, native, options):
    members = [(side, member) for side in (ours, native)
               for member in side.members]
    while len(ours.ms) < options.joins:
        random.shuffle(members)
        for side, member in members:
            # At any phase of the stream.
            time.sleep(random.uniform(0.01, 0.02))
            side.ms.append(member.join())
        ours.leave_all()
        native.leave_all()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--joins", type=int, default=250)
    parser.add_argument("--hosts", type=int, default=10)
    parser.add_argument("--rate", type=int, default=1000)
    options = parser.parse_args()

    exit_on_signals()
    random.seed(1)
    with Lab() as lab:
        daemon = Daemon(lab, CONFIG).start()
        ours = Side(lab, "s1", 1, options.hosts)
        native = Side(lab, "s2", 2, options.hosts)
        daemon.wait_synced(ours.switch)
        make_native(lab, native)
        for side in ours, native:
            side.start_stream(options.rate)
        for side in ours, native:
            wait_until(lambda s=side: all(m.is_quiet() for m in s.members),
                       20, f"silence on {side.name} before joining")
        measure(lab, ours, native, options)
        report(ours, native, options.rate)
        daemon.stop()


if __name__ == "__main__":
    main()
