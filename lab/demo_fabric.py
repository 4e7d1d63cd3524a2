# SPDX-License-Identifier: Apache-2.0
"""A fabric, shown: ./demo --fabric plays this."""

from console import Console
from fabric import Fabric
from procs import wait_until
from rest import API_PORT, Daemon, Forwarder

CONFIG = """\
l2: fabric
fabric: {probe_interval: 0.2, hold_time: 2}
vlans:
  default: {query_interval: 10, query_response_interval: 1,
            last_member_interval: 0.25}
"""
GROUPS = [f"239.1.1.{i}" for i in range(1, 5)]
PORT, RATE = 5004, 2000
NOTHING = {"received": 0, "missing": 0, "duplicated": 0}
DRAWING = r"""
          s5              s6           spines
        / | | \         / | | \         each leaf is linked with each spine
      s1  s2 s3 s4    s1  s2 s3 s4     leaves, two hosts each

   h1 (on s1) sends {n} groups, {rate} packets a second each; h3 (s2), h5 (s3)
   and h7 (s4) join all of them, h8 (s4) only the first.  REST {url}
"""


class FabricDemo:
    def __init__(self, lab, options):
        self.lab = lab
        self.options = options
        self.c = Console()
        self.daemon = Daemon(lab, CONFIG).start()
        self.rest = self.daemon.rest
        self.fabric = Fabric(lab).leaf_spine(leaves=4, spines=2, hosts=2)
        self.forwarder = Forwarder(lab.home.netns, API_PORT)
        self.url = f"http://127.0.0.1:{self.forwarder.port}"
        self.daemon.wait_synced(*self.fabric.switches)
        wait_until(lambda: self.topology()["settled"]
                   and len(self.topology()["links"]) == 8, 15, "the links")
        self.hosts = {h.name: h for h in self.fabric.hosts}
        self.receivers, self.before = {}, {}

    def topology(self):
        return self.rest.get("/v1/topology")

    def ctl(self, *argv):
        self.c.command("ofmcastctl " + " ".join(argv))
        self.c.output(self.daemon.ctl(*argv))

    # What was lost since the last look.

    def join(self, name, groups):
        host = self.hosts[name]
        self.receivers[name] = [host.receive(g, PORT) for g in groups]

    def counts(self):
        return {name: [(r.progress() or [NOTHING])[0] for r in receivers]
                for name, receivers in self.receivers.items()}

    def look(self):
        now, lines, total = self.counts(), [], {}
        lines.append(f"{'host':6}{'received':>10}{'lost':>8}{'doubled':>9}"
                     f"{'longest outage':>17}")
        for name, after in now.items():
            before = self.before.get(name) or [NOTHING] * len(after)
            def grown(key):
                return [a[key] - b[key] for a, b in zip(after, before)]
            outage = 1000 * max(grown("missing")) / RATE
            lines.append(f"{name:6}{sum(grown('received')):10}"
                         f"{sum(grown('missing')):8}"
                         f"{sum(grown('duplicated')):9}"
                         f"{outage:14.1f} ms")
            for key in "received", "missing", "duplicated":
                total[key] = total.get(key, 0) + sum(grown(key))
            total["outage"] = max(total.get("outage", 0), outage)
        self.before = now
        return lines, total

    def report(self, good, text):
        lines, total = self.look()
        self.c.output("\n".join(lines))
        self.c.verdict(good(total), text.format(**total))

    def flow_on(self, packets=2000):
        """Until that many more have arrived at each."""
        base = self.counts()
        wait_until(lambda: all(
            a["received"] - b["received"] >= packets
            for name, now in self.counts().items()
            for a, b in zip(now, base[name])), 30, "the streams flow")

    # The play.

    def discover(self):
        c = self.c
        c.say(DRAWING.format(url=self.url, n=len(GROUPS),
                             rate=RATE).rstrip())
        c.step("Links are found by probes; nobody was told of them.")
        self.ctl("show", "topology")

    def start(self):
        c = self.c
        c.step("Hosts join, the streams begin.")
        for name in "h3", "h5", "h7":
            self.join(name, GROUPS)
        self.join("h8", GROUPS[:1])
        bystander = self.hosts["h4"].tap()
        self.streams = [self.hosts["h1"].send(
            g, PORT, rate=RATE, stream=i, source=self.hosts["h1"].ip, ttl=4)
            for i, g in enumerate(GROUPS)]
        self.flow_on()
        self.report(lambda t: not t["missing"] and not t["duplicated"],
                    "{received} packets arrived, {missing} lost, {duplicated}"
                    " doubled, from the first one on")
        n = bystander.stop()["received"]
        c.verdict(n == 0, f"h4, who joined nothing, got {n} on its wire")
        self.ctl("show", "tree", "0", GROUPS[0])

    def kill_spine(self):
        c = self.c
        spine = self.fabric.spines[0]
        c.step(f"{spine.name} loses its power: all its links go dark.")
        for link in self.fabric.links_of(spine):
            link.down()
        wait_until(lambda: len(self.topology()["links"]) == 4, 10,
                   "its links are gone")
        self.flow_on()
        # The bar is 50 ms a link; here they go one after the other.
        self.report(lambda t: t["outage"] < 50 * 4 and not t["duplicated"],
                    "{missing} packets were lost, {duplicated} doubled; the"
                    " longest outage was {outage:.1f} ms")

    def heal(self):
        c = self.c
        c.step("It comes back.  Trees stay where they are for a while, then"
               " move to it, one by one.")
        for link in self.fabric.links_of(self.fabric.spines[0]):
            link.up()
        wait_until(lambda: len(self.topology()["links"]) == 8, 20,
                   "its links are back")

        def balanced():
            t = self.topology()
            return not t["to_move"] and not t["draining"] \
                and all(r["channels"] for r in t["roots"])
        wait_until(balanced, 60, "trees on both spines")
        self.flow_on()
        self.report(lambda t: not t["missing"] and not t["duplicated"],
                    "{received} packets arrived, {missing} lost, {duplicated}"
                    " doubled")
        self.ctl("show", "topology")

    def run(self):
        c = self.c
        self.discover()
        self.start()
        self.kill_spine()
        self.heal()
        for stream in self.streams:
            stream.stop()
        c.stopped(self.daemon)
        c.sum_up()
        return 1 if c.failed else 0
