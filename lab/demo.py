#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The main job, shown: ./demo runs this."""

import argparse
import json
import os
import sys

from console import Console
from demo_fabric import FabricDemo
from lab import Lab
from procs import LabError, build_dir, exit_on_signals, wait_until
from rest import API_PORT, Daemon, Forwarder

SOURCE, ROUTABLE = "192.168.168.55", "10.1.0.10"
GROUP, OTHER, PORT, RATE = "226.2.2.2", "226.2.2.3", 5004, 1000
CONFIG = """\
vlans:
  default: {query_interval: 10, query_response_interval: 1,
            last_member_interval: 0.25}
ports:
  - {dpid: 1, port: s1-eth5, delivery: unicast}
"""
# Of the second act: two cameras in one group.
CAMERAS, CAMERA_GROUP, CAMERA_PORT = ["10.1.0.71", "10.1.0.72"], "239.3.3.3", \
    5006
DRAWING = r"""
   HDMI extender                +----------------+ s1-eth2 -- h1  {ip[0]}
   192.168.168.55    s1-eth1    |                | s1-eth3 -- h2  {ip[1]}
   sends UDP to   ------------->|  Open vSwitch  |
   226.2.2.2:5004, TTL 1        |                | s1-eth4 -- h3  {ip[2]}
                                +-------+--------+ s1-eth5 -- h4  {ip[3]}
                                        | OpenFlow 1.3
                                   +----+-----+
                                   | ofmcastd |<---- REST {url}
                                   +----------+
"""


class Watcher:
    """What a host gets: on its wire, and in the program that joined."""

    def __init__(self, host):
        self.host = host
        self.wire = host.tap()
        self.receiver = None
        self.group = None
        self.before = self.at = None

    def join(self, group, port=PORT, **filters):
        self.group = group
        self.receiver = self.host.receive(group, port, **filters)

    def leave(self):
        """What it received until then."""
        receiver, self.receiver, self.group = self.receiver, None, None
        return receiver.stop()

    def cells(self):
        def last(process):
            lines = process.progress() if process else []
            return lines[0] if lines else {"received": 0, "paths": [],
                                           "duplicated": 0, "missing": 0}
        wire, app = last(self.wire), last(self.receiver)
        now = wire.get("t_ns", 0) / 1e9
        rate = 0
        if self.at and now > self.at:
            rate = (wire["received"] - self.before) / (now - self.at)
        if not self.at or now > self.at + 0.9:
            self.at, self.before = now, wire["received"]
            self.rate = rate
        path = (app["paths"] or wire["paths"])[-1:]
        sent, got = ([path[0][k]["source"] for k in ("sent", "arrived")]
                     if path else ("", ""))
        return [self.host.name, self.host.ip, self.group or "-",
                str(wire["received"]), f"{self.rate:.0f}",
                str(app["received"]) if self.receiver else "-",
                str(app["missing"] + app["duplicated"])
                if self.receiver else "-",
                f"{sent} -> {got}" if path and rate else ""]


def sources_of(result):
    return sorted({p["arrived"]["source"] for p in result["paths"]})


HEAD = ["host", "address", "joined", "on its wire", "per s", "received",
        "lost or doubled", "source: sent -> received"]
WIDTHS = [4, 9, 9, 11, 6, 9, 15, 27]


def table(watchers):
    def line(cells):
        return "  ".join(c.ljust(w) if i in (0, 1, 2, 7) else c.rjust(w)
                         for i, (c, w) in enumerate(zip(cells, WIDTHS))
                         ).rstrip()
    return [line(HEAD), line(["-" * w for w in WIDTHS])] \
        + [line(w.cells()) for w in watchers]


class Demo:
    def __init__(self, lab, options):
        self.lab = lab
        self.options = options
        self.c = Console()
        self.daemon = Daemon(lab, CONFIG).start()
        self.rest = self.daemon.rest
        self.forwarder = Forwarder(lab.home.netns, API_PORT)
        self.url = f"http://127.0.0.1:{self.forwarder.port}"
        self.s1 = lab.add_switch("s1", 1)
        self.hosts = lab.add_hosts(self.s1, "h1", "h2", "h3", "h4",
                                   first_port=2)
        self.extender = lab.add_host(self.s1, "extender", first_port=1)
        self.daemon.wait_synced(self.s1)
        self.watchers = [Watcher(h) for h in self.hosts]

    def put_route(self, name, group):
        body = {"match": {"source": SOURCE, "group": group},
                "set": {"source": ROUTABLE}}
        self.c.command(f"curl -X PUT {self.url}/v1/routes/{name} -d '"
                       + json.dumps(body) + "'")
        answer = self.rest.put(f"/v1/routes/{name}", body)
        states = [s["state"] for s in answer["status"]]
        self.c.output(f"{', '.join(states)} on s1")

    def wait_groups(self, *wanted):
        wanted = sorted(sorted(h.port for h in hosts) for hosts in wanted)

        def there():
            ports = [g["ports"] for g in self.s1.groups().values()]
            return sorted(p for p in ports if p) == wanted
        try:
            wait_until(there, 10, "")
            return True
        except LabError:
            return False

    def ctl(self, *argv):
        """ofmcastctl, as a person would call it."""
        self.c.command("ofmcastctl " + " ".join(argv))
        self.c.output(self.daemon.ctl(*argv))

    def show_groups(self):
        self.c.command("ovs-ofctl -O OpenFlow13 dump-groups s1")
        self.c.output("\n".join(g["text"]
                                for g in self.s1.groups().values()))

    def introduce(self):
        self.c.say(DRAWING.format(
            ip=[h.ip.ljust(9) for h in self.hosts], url=self.url).rstrip())

    def start_streams(self):
        self.c.step(f"The extender sends {SOURCE} -> {GROUP}:{PORT}, TTL 1,"
                    f" {RATE} packets a second (and another to {OTHER}).")
        self.streams = [self.extender.send(g, PORT, rate=RATE, stream=i)
                        for i, g in enumerate((GROUP, OTHER), 1)]

    # The two plays.

    def with_route(self):
        c, (h1, h2, h3, h4) = self.c, self.watchers
        for host in self.hosts:
            host.rp_filter(1)
        c.step("A route gives the stream a routable source; hosts check it"
               " (rp_filter=1).")
        self.put_route("hdmi", GROUP)
        self.put_route("hdmi-2", OTHER)
        self.start_streams()

        c.step("h1 and h2 join; their kernels send IGMPv3 reports.")
        for w in h1, h2:
            w.join(GROUP)
        in_switch = self.wait_groups([h1.host, h2.host])
        c.watch(lambda: table(self.watchers), self.options.seconds)
        self.show_groups()
        c.verdict(in_switch, "the switch has one group, with the ports of h1"
                  " and h2")

        c.step("h2 leaves.")
        result = h2.leave()
        gone = self.wait_groups([h1.host])
        c.watch(lambda: table(self.watchers), self.options.seconds)
        self.show_groups()
        c.verdict(gone, "only h1 is left in the group")
        self.judge("h2, while it was a member,", result)

        c.step(f"h1 zaps from {GROUP} to {OTHER}.")
        result = h1.leave()
        h1.join(OTHER)
        moved = self.wait_groups([h1.host])
        c.watch(lambda: table(self.watchers), self.options.seconds)
        self.show_groups()
        c.verdict(moved, f"h1 is in {OTHER}'s group, and in no other")
        self.judge("h1, before it zapped,", result)
        self.judge_zap(h1)

        c.step("Nobody else was bothered.")
        for w in h3, h4:
            n = w.wire.stop()["received"]
            c.verdict(n == 0, f"{w.host.name} got {n} packets on its wire")
        ins = self.rest.counter(self.s1, "packet_ins")
        c.verdict(ins < 100, f"ofmcastd saw {ins} packets of"
                  f" {self.sent()}, IGMP and all")

    def cameras(self):
        """The second act, with h3 and h4, whose taps start afresh."""
        c = self.c
        picky, box = self.watchers[2:] = [Watcher(h) for h in self.hosts[2:]]
        c.step(f"Two cameras send to {CAMERA_GROUP}.  h3 joins it, but"
               f" excludes {CAMERAS[1]}.  h4 is a\n   set-top box on a port"
               " with 'delivery: unicast'.")
        self.streams.append(self.extender.send(
            CAMERA_GROUP, CAMERA_PORT, rate=RATE / 2, source=CAMERAS[0],
            sources=2, stream=8, ttl=16))
        picky.join(CAMERA_GROUP, CAMERA_PORT, exclude=CAMERAS[1])
        box.join(CAMERA_GROUP, CAMERA_PORT)
        c.watch(lambda: table([picky, box]), self.options.seconds)
        self.ctl("show", "groups")
        self.ctl("show", "hosts")
        wires = []
        for w in picky, box:
            result = w.leave()
            wires.append(w.wire.stop())
            c.verdict(result["unique"] > 500 and not result["missing"]
                      and not result["duplicated"],
                      f"{w.host.name} got {result['unique']} packets of"
                      f" {' and '.join(sources_of(result))}, none lost or"
                      " doubled")
        c.verdict(sources_of(wires[0]) == CAMERAS[:1],
                  f"{CAMERAS[1]} did not even come down the wire of h3")
        macs = wires[1]["macs"]
        c.verdict(sources_of(wires[1]) == CAMERAS
                  and list(macs) == [self.hosts[3].mac],
                  f"all {sum(macs.values())} packets on the wire of h4 were"
                  f" addressed to {', '.join(macs)}")

    def sent(self):
        total = sum(int(s["packets"], 0) for s in self.rest.list("streams"))
        return f"the {total} that were sent"

    def judge(self, who, result):
        clean = not any(result[k] for k in ("missing", "duplicated",
                                            "reordered", "damaged"))
        sources = {p["arrived"]["source"] for p in result["paths"]}
        self.c.verdict(
            result["unique"] > 500 and clean and sources == {ROUTABLE},
            f"{who} got {result['unique']} packets: {result['missing']} lost,"
            f" {result['duplicated']} doubled, {result['reordered']} out of"
            f" order, {result['damaged']} damaged; source"
            f" {', '.join(sources) or 'none'}")

    def judge_zap(self, watcher):
        result = watcher.leave()
        groups = {p["sent"]["group"] for p in result["paths"]}
        if not result["unique"]:
            self.c.verdict(False, "nothing arrived after the zap")
            return
        ms = (result["first_ns"] - result["joined_ns"]) / 1e6
        self.c.verdict(groups == {OTHER} and ms < 1000,
                       f"the first packet of {OTHER} came {ms:.1f} ms after"
                       " the join")
        self.judge("h1, after it zapped,", result)

    def without_route(self):
        c, (h1, h2, *_) = self.c, self.watchers
        h1.host.rp_filter(1)
        c.step("There is no route.  h1 checks sources (rp_filter=1), h2 does"
               " not (rp_filter=0).")
        self.start_streams()
        c.step("h1 and h2 join.")
        for w in h1, h2:
            w.join(GROUP)
        self.wait_groups([h1.host, h2.host])
        c.watch(lambda: table(self.watchers), self.options.seconds)
        on_wire = h1.wire.received
        strict, lenient = h1.leave(), h2.leave()
        c.verdict(on_wire > 500 and strict["received"] == 0,
                  f"h1 got {on_wire} packets on its wire and delivered"
                  f" {strict['received']}")
        sources = [p["arrived"]["source"] for p in lenient["paths"]]
        c.verdict(lenient["received"] > 500 and sources == [SOURCE],
                  f"h2 delivered {lenient['received']}, from the unroutable"
                  f" {', '.join(sources)}")

    def stay(self):
        c, build = self.c, os.path.relpath(build_dir())
        for w in self.watchers[:2]:
            w.join(GROUP)
        enter = f"ip netns exec {self.lab.tag}-h3"
        c.step("It stays up until Ctrl-C; h1 and h2 are members again.  In"
               " another terminal, as root:")
        api = "" if self.forwarder.port == API_PORT else f" --api {self.url}"
        for what, command in (
                ("what the daemon knows",
                 f"curl -s {self.url}/v1/groups/0/{GROUP}"),
                ("", f"{build}/ofmcastctl{api} show streams"),
                ("what the switch has", f"OVS_RUNDIR={self.lab.dir} ovs-ofctl"
                 " -O OpenFlow13 dump-groups s1"),
                ("join on h3; Ctrl-C leaves",
                 f"{enter} {build}/lab/mcrecv --iface h3-eth0 --group {GROUP}"
                 f" --port {PORT} --every 1000"),
                ("a shell in h3", f"{enter} bash")):
            if what:
                c.say(f"   # {what}")
            c.command(command)
        wait_until(lambda: False, 10 ** 9, "")

    def run(self):
        self.introduce()
        if self.options.without_route:
            self.without_route()
        else:
            self.with_route()
            self.cameras()
        c = self.c
        if not self.options.stay:
            for stream in self.streams:
                stream.stop()
            c.stopped(self.daemon)
        c.sum_up()
        if self.options.stay:
            try:
                self.stay()
            except KeyboardInterrupt:
                c.say()
        return 1 if c.failed else 0


def main():
    parser = argparse.ArgumentParser(prog="./demo", description="Shows what"
                                     " ofmcast does, in a lab of its own.")
    parser.add_argument("--stay", action="store_true",
                        help="stay up to play with, until Ctrl-C")
    parser.add_argument("--without-route", action="store_true",
                        help="the control experiment")
    parser.add_argument("--seconds", type=float, default=3,
                        help="how long each table is shown (%(default)s)")
    parser.add_argument("--fabric", action="store_true",
                        help="six switches, of which one dies while the"
                        " streams run")
    options = parser.parse_args()
    exit_on_signals()
    with Lab() as lab:
        play = FabricDemo if options.fabric else Demo
        return play(lab, options).run()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as e:
        sys.exit(f"demo: {e}")
    except KeyboardInterrupt:
        sys.exit("\ndemo: stopped")
