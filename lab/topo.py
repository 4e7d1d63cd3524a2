# SPDX-License-Identifier: Apache-2.0
"""Mininet topologies for ofmcast.

    single,HOSTS                     one switch
    linear,SWITCHES  tree,DEPTH,FAN  as mininet has them
    leafspine,LEAVES,SPINES,HOSTS    each leaf linked with each spine
    ring,SWITCHES,HOSTS              line,SWITCHES,HOSTS
    fattree,K                        K pods, (K/2)^2 cores
    twobridges,HOSTS

(HOSTS: behind each switch that has any.)  All but the first need a daemon
with "l2: fabric".  With an Open vSwitch that runs, and ofmcastd on
127.0.0.1:6653:

    mn --custom lab/topo.py --topo leafspine,4,2,4 --controller remote \\
       --ipbase 10.1.0.0/24 --wait

(--wait: until the controller knows all ports; --test does so by itself.)

Without them, lab/mn does it all:  lab/mn --topo leafspine,4,2,4

The switches use Open vSwitch's userspace datapath, which needs no kernel
module, speak OpenFlow 1.3 and keep their flows while the controller is away.
The hosts write whole checksums: a veth leaves them to the receiving kernel,
but the switch in between rewrites addresses.
"""

import re

from mininet.node import Host, OVSSwitch, RemoteController
from mininet.topo import LinearTopo, SingleSwitchTopo, Topo
from mininet.topolib import TreeTopo


class McastSwitch(OVSSwitch):
    def __init__(self, name, **params):
        settings = {"datapath": "user", "protocols": "OpenFlow13",
                    "failMode": "secure", "reconnectms": 1000}
        super().__init__(name, **{**params, **settings})

    def connected(self):
        """What mn waits for before it tests.  A connection is not enough: a
        port of a fabric forwards when it is known what it leads to, which its
        flow in table 10 tells."""
        if not super().connected():
            return False
        flows = self.dpctl("dump-flows", "--no-names", "table=10")
        programmed = "priority=0 " in flows
        is_fabric = "dl_type=0x88cc" in flows
        known = set(map(int, re.findall(r"in_port=(\d+)", flows)))
        return programmed and (not is_fabric
                               or known >= set(self.ports.values()) - {0})

    def dpctl(self, *args):
        """'dpctl dump-groups' at mininet's prompt."""
        return self.cmd("ovs-ofctl -O OpenFlow13", args[0], self, *args[1:])


class McastHost(Host):
    def config(self, **params):
        result = super().config(**params)
        for intf in self.intfList():
            if intf.name != "lo":
                self.cmd(f"ethtool -K {intf} tx off")
        self.cmd("sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
        return result


class McastController(RemoteController):
    """ofmcastd, which somebody else has started."""

    def __init__(self, name, ip="127.0.0.1", port=6653, **params):
        super().__init__(name, ip=ip, port=int(port), **params)

    def checkListening(self):
        """No look with telnet: it takes OpenFlow for text."""


def with_classes(topology):
    """'topology' made of the switches and hosts above."""
    class Topology(topology):
        def __init__(self, *args, **params):
            super().__init__(*args, sopts={"cls": McastSwitch},
                             hopts={"cls": McastHost}, **params)
    return Topology


class FabricTopo(Topo):
    """Switches s1, s2, ..., those with hosts first; hosts h1, h2, ..."""

    def add_switches(self, n, hosts=0):
        added = []
        for _ in range(n):
            added.append(self.addSwitch(f"s{len(self.switches()) + 1}"))
            for _ in range(hosts):
                host = self.addHost(f"h{len(self.hosts()) + 1}")
                self.addLink(host, added[-1])
        return added

    def add_links(self, pairs):
        for a, b in pairs:
            self.addLink(a, b)


class LeafSpine(FabricTopo):
    def build(self, leaves=4, spines=2, hosts=4, **_):
        edge = self.add_switches(leaves, hosts)
        self.add_links([(leaf, spine) for spine in self.add_switches(spines)
                        for leaf in edge])


class Line(FabricTopo):
    def build(self, n=4, hosts=1, **_):
        switches = self.add_switches(n, hosts)
        self.add_links(zip(switches, switches[1:]))


class Ring(FabricTopo):
    def build(self, n=4, hosts=1, **_):
        switches = self.add_switches(n, hosts)
        self.add_links(zip(switches, switches[1:] + switches[:1]))


class TwoBridges(Line):
    def build(self, hosts=2, **_):
        super().build(2, hosts)


class FatTree(FabricTopo):
    def build(self, k=4, **_):
        half = k // 2
        edges = self.add_switches(k * half, half)
        middle = self.add_switches(k * half)
        cores = self.add_switches(half * half)
        for pod in range(k):
            for i in range(half):
                over = middle[pod * half + i]
                self.add_links([(edges[pod * half + j], over)
                                for j in range(half)])
                self.add_links([(over, cores[i * half + j])
                                for j in range(half)])


# What mn looks for.
topos = {"single": with_classes(SingleSwitchTopo),
         "linear": with_classes(LinearTopo),
         "tree": with_classes(TreeTopo),
         "leafspine": with_classes(LeafSpine),
         "ring": with_classes(Ring),
         "line": with_classes(Line),
         "fattree": with_classes(FatTree),
         "twobridges": with_classes(TwoBridges)}
switches = {"ofmcast": McastSwitch}
hosts = {"ofmcast": McastHost}
controllers = {"ofmcast": McastController}
