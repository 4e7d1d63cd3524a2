# SPDX-License-Identifier: Apache-2.0
"""Switches with links between them, in a lab.

    fabric = Fabric(lab).ring(4)
    fabric = Fabric(lab).leaf_spine(leaves=4, spines=2, hosts=4)
    fabric = Fabric(lab).fat_tree(k=4)

Switches are s1, s2, ... (dpid = number), leaves first; a link is a veth pair
whose ends are ports of two bridges, numbered from 101 on; hosts are h1, h2,
... in the order of their switches, at ports from 1 on.
"""

from lab import Host, Node
from procs import run

FIRST_LINK_PORT = 101


class End(Node):
    """The end of a link: a port of a switch."""

    def __init__(self, switch, port):
        super().__init__(switch.lab, switch.name)
        self.netns = switch.lab.home.netns
        self.switch = switch
        self.port = port
        self.iface = f"{switch.name}-eth{port}"
        self.ifaces = [self.iface]

    def tap(self, **options):
        """Counts what comes in here from the other end."""
        return Host.tap(self, **options)

    _mcrecv = Host._mcrecv

    def send_frames(self, *frames):
        return Host.send_frames(self, *frames)


class Link:
    def __init__(self, a, b):
        self.ends = self.a, self.b = a, b

    @property
    def name(self):
        return f"{self.a.iface}--{self.b.iface}"

    def _set(self, state):
        # Both ends lose the carrier.
        self.a.run("ip", "link", "set", "dev", self.a.iface, state)

    def down(self):
        self._set("down")

    def up(self):
        self._set("up")

    def end_at(self, switch):
        return self.a if self.a.switch is switch else self.b

    def touches(self, switch):
        return switch in (self.a.switch, self.b.switch)


class Fabric:
    def __init__(self, lab):
        self.lab = lab
        self.switches, self.hosts, self.links = [], [], []
        self.spines = []

    # Building.

    def add_switches(self, n):
        first = len(self.switches) + 1
        added = [self.lab.add_switch(f"s{i}", i)
                 for i in range(first, first + n)]
        self.switches += added
        return added

    def add_hosts(self, switches, n, **options):
        for switch in switches:
            names = [f"h{len(self.hosts) + i + 1}" for i in range(n)]
            self.hosts += self.lab.add_hosts(switch, *names, **options)

    def add_links(self, *pairs):
        """All of them in one transaction, (switch, switch) each."""
        ports, added = {}, []
        for switch in self.switches:
            ports[switch] = FIRST_LINK_PORT + sum(
                link.touches(switch) for link in self.links)
        for pair in pairs:
            ends = []
            for switch in pair:
                ends.append(End(switch, ports[switch]))
                ports[switch] += 1
            added.append(Link(*ends))
        run("ip", "-n", self.lab.home.netns, "-batch", "-", stdin="".join(
            f"link add {k.a.iface} up type veth peer name {k.b.iface}\n"
            f"link set dev {k.b.iface} up\n" for k in added))
        ends = [end for link in added for end in link.ends]
        for end in ends:
            end.switch.n_ports += 1
        self.lab.add_ports([port_of(end) for end in ends])
        self.links += added
        return added

    def line(self, n, hosts=1):
        switches = self.add_switches(n)
        self.add_hosts(switches, hosts)
        self.add_links(*zip(switches, switches[1:]))
        return self

    def ring(self, n, hosts=1):
        switches = self.add_switches(n)
        self.add_hosts(switches, hosts)
        self.add_links(*zip(switches, switches[1:] + switches[:1]))
        return self

    def two_bridges(self, hosts=2):
        return self.line(2, hosts)

    def leaf_spine(self, leaves=4, spines=2, hosts=4):
        edge = self.add_switches(leaves)
        self.spines = self.add_switches(spines)
        self.add_hosts(edge, hosts)
        self.add_links(*[(leaf, spine) for leaf in edge
                         for spine in self.spines])
        return self

    def fat_tree(self, k=4, hosts=None):
        """k pods of k/2 edge and k/2 aggregation switches, (k/2)^2 cores."""
        half = k // 2
        edges = self.add_switches(k * half)
        middle = self.add_switches(k * half)
        self.spines = cores = self.add_switches(half * half)
        self.add_hosts(edges, half if hosts is None else hosts)
        pairs = []
        for pod in range(k):
            for i in range(half):
                over = middle[pod * half + i]
                pairs += [(edges[pod * half + j], over) for j in range(half)]
                pairs += [(over, cores[i * half + j]) for j in range(half)]
        self.add_links(*pairs)
        return self

    # Using it.

    def link(self, a, b):
        """The link between two switches, or numbers of switches."""
        a, b = (self.switches[s - 1] if isinstance(s, int) else s
                for s in (a, b))
        return next(k for k in self.links if k.touches(a) and k.touches(b))

    def links_of(self, switch):
        return [k for k in self.links if k.touches(switch)]

    def hosts_of(self, switch):
        return [h for h in self.hosts if h.switch is switch]

    def remove_switch(self, switch):
        """The bridge is gone; what it was linked to sees no carrier go, as
        with a switch whose process has died."""
        self.lab.vsctl("del-br", switch.name)
        del self.lab.switches[switch.name]

    def restore_switch(self, switch, shift=0):
        """The bridge is back, empty, with its ports; 'shift' is added to the
        numbers of the ports of its links."""
        new = self.lab.add_switch(switch.name, switch.dpid)
        switch.n_ports = new.n_ports = 0
        self.lab.switches[switch.name] = switch
        ports = [port_of(End(switch, h.port)) for h in self.hosts_of(switch)]
        for link in self.links_of(switch):
            end = link.end_at(switch)
            end.port += shift
            ports.append(port_of(end))
        self.lab.add_ports(ports)
        switch.n_ports = len(self.hosts_of(switch)) \
            + len(self.links_of(switch))


def port_of(end):
    return end.switch.name, end.iface, end.port

