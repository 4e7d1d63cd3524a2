# SPDX-License-Identifier: Apache-2.0
"""Mininet topologies for ofmcast: single, linear and tree.

With an Open vSwitch that runs, and ofmcastd on 127.0.0.1:6653:

    mn --custom lab/topo.py --topo single,4 --controller ofmcast \\
       --ipbase 10.1.0.0/24

Without one, lab/mn does it all:  lab/mn --topo single,4

The switches use Open vSwitch's userspace datapath, which needs no kernel
module, speak OpenFlow 1.3 and keep their flows while the controller is away.
The hosts write whole checksums: a veth leaves them to the receiving kernel,
but the switch in between rewrites addresses.
"""

from mininet.node import Host, OVSSwitch, RemoteController
from mininet.topo import LinearTopo, SingleSwitchTopo
from mininet.topolib import TreeTopo


class McastSwitch(OVSSwitch):
    def __init__(self, name, **params):
        settings = {"datapath": "user", "protocols": "OpenFlow13",
                    "failMode": "secure", "reconnectms": 1000}
        super().__init__(name, **{**params, **settings})

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


# What mn looks for.
topos = {"single": with_classes(SingleSwitchTopo),
         "linear": with_classes(LinearTopo),
         "tree": with_classes(TreeTopo)}
switches = {"ofmcast": McastSwitch}
hosts = {"ofmcast": McastHost}
controllers = {"ofmcast": McastController}
