# SPDX-License-Identifier: Apache-2.0
"""Relays that ofmcast replaces, each between a sender and receivers of its
own: socat, and the kernel's multicast routing as smcroute sets it.

    chain = Chain(lab, "socat", outputs=1)
    chain.start_socat(("239.1.1.1", 5001, "239.9.9.9", 5099))
    receiver = chain.sink.receive("239.9.9.9", 5099)
    chain.gen.send("239.1.1.1", 5001, rate=5000, source="10.0.0.1", ttl=8)

Addresses: sender 10.0.0.1, relay 10.0.0.2 and, on the i-th output, 10.0.i.1,
its receiver 10.0.i.2.
"""

import os

from lab import Host, Node
from netns import add_netns
from procs import big_socket_buffers, run, wait_until, write

MAX_VIFS = 32  # Of the kernel, the one that packets come in by among them.
TTL = 8


class Chain:
    def __init__(self, lab, name, outputs=1):
        self.lab = lab
        self.outputs = outputs
        self.gen = Host(lab, f"{name}-gen", None, [0])
        self.sink = Host(lab, f"{name}-sink", None, range(outputs))
        self.relay = Node(lab, f"{name}-relay")
        for node in self.gen, self.sink, self.relay:
            add_netns(node.netns)
        self._link(self.gen, self.gen.iface, "in0")
        for i, iface in enumerate(self.sink.ifaces, 1):
            self._link(self.sink, iface, f"out{i}")
        self._configure(self.gen, {self.gen.iface: "10.0.0.1/24"})
        self._configure(self.sink, {iface: f"10.0.{i}.2/24" for i, iface in
                                    enumerate(self.sink.ifaces, 1)})
        self._configure(self.relay, {"in0": "10.0.0.2/24", **{
            f"out{i}": f"10.0.{i}.1/24" for i in range(1, outputs + 1)}})
        self.relay.sysctl(**{"net.ipv4.ip_forward": 1})

    def _link(self, node, iface, end):
        run("ip", "-n", self.relay.netns, "link", "add", end, "type", "veth",
            "peer", "name", iface, "netns", node.netns)

    @staticmethod
    def _configure(node, addresses):
        node.sysctl(**{"net.ipv6.conf.all.disable_ipv6": 1,
                       "net.ipv4.conf.all.rp_filter": 0,
                       "net.ipv4.conf.default.rp_filter": 0,
                       **{f"net.ipv4.conf.{iface}.rp_filter": 0
                          for iface in addresses}})
        node.run("ip", "-batch", "-", stdin="link set dev lo up\n" + "".join(
            f"addr add {address} dev {iface}\nlink set dev {iface} up\n"
            for iface, address in addresses.items()))

    def start_socat(self, *streams):
        """Each stream is (group, port, new group, new port).  A process for
        each output of each, as there is no other way.  Their sockets have
        receive buffers as big as those of Open vSwitch in a lab."""
        found = []
        with big_socket_buffers():
            for group, port, to, to_port in streams:
                found += [self.relay.spawn(
                    "socat", "socat", "-u",
                    f"UDP4-RECV:{port},reuseaddr,ip-add-membership={group}"
                    ":in0", f"UDP4-SEND:{to}:{to_port},ip-multicast-ttl={TTL},"
                    f"ip-multicast-if=10.0.{i}.1")
                    for i in range(1, self.outputs + 1)]
            # Joined, so its socket is there.
            for stream in streams:
                wait_until(lambda g=stream[0]: self._joined(g)
                           >= self.outputs, 30, f"socat joins {stream[0]}")
        return found

    def _joined(self, group):
        """How many sockets of the relay are members."""
        lines = self.relay.run("ip", "maddr", "show", "dev", "in0")
        for words in map(str.split, lines.splitlines()):
            if words[:2] == ["inet", group]:
                return int(words[3]) if words[2:3] == ["users"] else 1
        return 0

    def start_smcroute(self, group, source="10.0.0.1"):
        """One multicast route to all outputs: at most MAX_VIFS - 1."""
        outs = [f"out{i}" for i in range(1, self.outputs + 1)]
        conf = os.path.join(self.lab.dir, f"{self.relay.name}.conf")
        write(conf, "".join(f"phyint {iface} enable\n"
                            for iface in ["in0", *outs])
              + f"mgroup from in0 group {group}\n"
              f"mroute from in0 source {source} group {group} to "
              + " ".join(outs) + "\n")
        daemon = self.relay.spawn(
            "smcroute", "smcrouted", "-n", "-N", "-f", conf,
            "-P", conf + ".pid", "-u", conf + ".sock", "-l", "info")
        wait_until(lambda: not daemon.running or group in self.relay.run(
            "ip", "mroute", "show"), 10, "smcrouted has set its route\n"
            + daemon.log())
        return daemon
