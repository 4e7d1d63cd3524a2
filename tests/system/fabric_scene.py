# SPDX-License-Identifier: Apache-2.0
"""A fabric with its daemon, and what to expect of it."""

import contextlib
import socket
import struct

from fabric import Fabric
from procs import LabError, wait_until

# No timer of membership runs out while a test runs; links are probed often
# and trees move soon.
FABRIC = """\
l2: fabric
fabric: {probe_interval: 0.2, host_probe_interval: 2, hold_time: 1}
vlans:
  default: {query_interval: 125, query_response_interval: 1, robustness: 2,
            last_member_interval: 0.3, last_member_count: 2}
"""
GROUP, PORT = "239.1.1.1", 5004


class Scene:
    def __init__(self, daemon):
        self.daemon = daemon
        self.rest = daemon.rest
        self.lab = daemon.lab
        self.fabric = Fabric(daemon.lab)

    def __getattr__(self, name):
        return getattr(self.fabric, name)

    def build(self, shape, *args, **options):
        getattr(self.fabric, shape)(*args, **options)
        self.daemon.wait_synced(*self.switches)
        self.wait_links()
        return self

    def topology(self):
        return self.rest.get("/v1/topology")

    def n_links(self):
        return len(self.topology()["links"])

    def wait_links(self, n=None, seconds=10):
        """Until so many links (all) are known and trees follow them."""
        wanted = len(self.links) if n is None else n

        def there():
            t = self.topology()
            return len(t["links"]) == wanted and t["settled"] \
                and not t["draining"]
        try:
            wait_until(there, seconds, "")
        except LabError:
            raise LabError(f"{wanted} links are expected, there are"
                           f" {self.topology()}") from None
        wait_until(self.is_edge_known, seconds, "hosts' ports are known")

    def is_edge_known(self):
        """Each host's port has its flow."""
        return all(f"in_port={host.port} " in flows or
                   f"in_port={host.port}," in flows
                   for switch in {h.switch for h in self.hosts
                                  if h.switch.name in self.lab.switches}
                   for flows in ["\n".join(switch.flows("table=10"))]
                   for host in self.hosts_of(switch))

    def wait_quiet(self, seconds=30):
        """Until no tree is on its way to a better one."""
        def quiet():
            t = self.topology()
            return not t["to_move"] and not t["draining"]
        wait_until(quiet, seconds, "trees are at rest")

    def tree(self, group=GROUP, vlan=0):
        with contextlib.suppress(LabError):
            return self.rest.get(f"/v1/topology/trees/{vlan}/{group}")
        return {"switches": [], "root": None}

    def tree_links(self, group=GROUP):
        """Links that the group's packets may take: {frozenset of ifaces}"""
        found = set()
        for switch in self.tree(group)["switches"]:
            for port in switch["ports"]:
                if port["link"]:
                    found.add(frozenset((port["port_name"],
                                         port["peer"]["port_name"])))
        return found

    def wait_members(self, *hosts, group=GROUP, seconds=10, filters=False):
        """Until exactly these have the group, in the switches too (except with
        'filters', which spread it over several entries)."""
        wanted = sorted((h.switch.dpid_text, h.port) for h in hosts)

        def there():
            ports = sorted((s["dpid"], p["port"])
                           for s in self.tree(group)["switches"]
                           for p in s["ports"] if not p["link"])
            return ports == wanted and not self.topology()["draining"] \
                and (filters or self.is_in_switches(group))
        wait_until(there, seconds, f"the members of {group} are {wanted}")

    def is_in_switches(self, group=GROUP, vlan=0):
        """Does each switch hold what the tree says?"""
        switches = {s.dpid_text: s for s in self.switches}
        return all(
            sorted(p["port"] for p in told["ports"])
            in switches[told["dpid"]].group_ports().values()
            for told in self.tree(group, vlan)["switches"]
            if told["connected"])

    def show(self, host, *receivers, group=GROUP, vlan=0, n=50):
        """Sends the first packets of a source, and waits until its switch
        forwards the next ones itself, by the tree.  How many each receiver has
        got late: some of those that the controller delivers until then may be
        overtaken (doc/fabric.md).  They are the stream number 99."""
        host.send(group, PORT, rate=1000, count=n, source=host.ip, ttl=4,
                  stream=99).wait()
        for receiver in receivers:
            receiver.wait_for(n)
        dpid = host.switch.dpid_text

        def is_forwarded():
            return dpid in {s["dpid"]
                            for s in self.tree(group, vlan)["switches"]} \
                and not self.topology()["draining"] \
                and any(f"nw_dst={group} " in flow
                        for flow in host.switch.flows("table=40")) \
                and self.is_in_switches(group, vlan)
        wait_until(is_forwarded, 10, f"{host.name} is on the tree of {group}")
        # And so do the flows of the datapath.
        self.lab.appctl("revalidator/wait")
        return [last_word(r)["reordered"] for r in receivers]


def ping_all(hosts, count=1, patience=10):
    """Each pings each; the pairs that failed, in so many seconds."""
    failed = []
    for a in hosts:
        # One shell for each host: a process for each ping takes long.
        others = [b for b in hosts if b is not a]
        ping = f"ping -n -q -c {count} -W {patience}"
        script = "; ".join(f"{ping} {b.ip} >/dev/null || echo {b.name}"
                           for b in others)
        failed += [(a.name, name)
                   for name in a.run("sh", "-c", script).split()]
    return failed


def bytes_of(mac):
    return bytes.fromhex(mac.replace(":", ""))


def arp_request(host, target):
    """From 'host', to everybody, for an address."""
    mac = bytes_of(host.mac)
    return b"\xff" * 6 + mac + b"\x08\x06" + struct.pack(
        "!HHBBH6s4s6s4s", 1, 0x800, 6, 4, 1, mac, socket.inet_aton(host.ip),
        b"\0" * 6, socket.inet_aton(target)) + b"\0" * 18


NOTHING = {"received": 0, "missing": 0, "duplicated": 0, "reordered": 0}


def last_word(receiver):
    """What it has counted so far."""
    return (receiver.progress() or [NOTHING])[0]


def deltas(receivers, before=None):
    """What each receiver has got, lost and got twice since 'before'; and what
    to give as 'before' next time."""
    now = [last_word(r) for r in receivers]
    found = []
    for i, after in enumerate(now):
        base = before[i] if before else {}
        found.append({k: after[k] - base.get(k, 0) for k in NOTHING})
    return found, now


class Watch:
    """Receivers of a running stream, looked at from time to time."""

    def __init__(self, receivers):
        self.receivers = receivers
        self.before = None
        self.flow(200)
        self.look()

    def flow(self, packets=500, seconds=20):
        """Until so many more have arrived at each."""
        base = [last_word(r)["received"] for r in self.receivers]
        wait_until(lambda: all(
            last_word(r)["received"] >= b + packets
            for r, b in zip(self.receivers, base)), seconds,
            "the stream flows on")

    def look(self):
        found, self.before = deltas(self.receivers, self.before)
        return found

    def expect_nothing_lost(self):
        for one in self.look():
            assert (one["missing"], one["duplicated"]) == (0, 0)

    def expect_nothing_doubled(self):
        """The packets that each has lost."""
        found = self.look()
        assert [one["duplicated"] for one in found] == [0] * len(found)
        return [one["missing"] for one in found]
