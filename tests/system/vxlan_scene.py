# SPDX-License-Identifier: Apache-2.0
"""Switches with VXLAN ports, and kernel VXLAN peers: an implementation that is
none of ours.

    h2 h3 extender          p1            p2
        s1 -- vx0 == u1 == underlay == (vx100, vx200)  each in a namespace

The underlay is a bridge u1 beside the switch, with the address of our end on
its own interface: so Open vSwitch's userspace tunnels want it."""

import struct

from lab import Host, Switch
from procs import wait_until
from scene import GROUP
from wire import Wire, address

VX_PORT = 100
LOCAL = "10.255.0.1"
UNDERLAY = "10.255.0.0/24"

TUNNEL = """\
tunnels:
  - {{dpid: 1, port: vx0, vnis: {{"100": 0, "200": 10}}{more}}}
"""


def tunnel(settings, **more):
    """'settings' (such as SHORT) with a tunnel port."""
    text = "".join(f", {k}: {v}" for k, v in more.items())
    return settings + TUNNEL.format(more=text)


class Inner(Host):
    """A peer as seen from inside a VNI: its interface is the tunnel."""

    def __init__(self, peer, vni, number):
        super().__init__(peer.lab, peer.name, peer.switch, peer.ports)
        self.ifaces = [f"vx{vni}"]
        self.ip = f"10.{1 if vni == 100 else 2}.0.{number}"


class Underlay:
    """A bridge that carries the tunnels of the namespace it is in, and the
    hosts that are their other ends."""

    def __init__(self, lab, name="u1", local=LOCAL):
        self.lab = lab
        self.local = local
        lab.vsctl("add-br", name, "--", "set", "bridge", name,
                  "datapath_type=netdev", "fail_mode=standalone")
        self.bridge = Switch(lab, name, 0xff)
        lab.home.run("ip", "addr", "add", f"{local}/24", "dev", name)
        lab.home.run("ip", "link", "set", "dev", name, "up")
        wait_until(lambda: f"{local}/32 dev {name}"
                   in lab.appctl("ovs/route/show"), 5, "the route")

    def add_port(self, switch, name="vx0", number=VX_PORT):
        self.lab.vsctl("add-port", switch.name, name, "--", "set",
                       "interface", name, "type=vxlan",
                       "options:remote_ip=flow", "options:key=flow",
                       f"ofport_request={number}")

    def add_peers(self, *names, vnis=(100,)):
        """Hosts on the underlay, each with an interface in each VNI."""
        peers = self.lab.add_hosts(self.bridge, *names, net=UNDERLAY)
        for peer in peers:
            peer.inner = {}
            for vni in vnis:
                self.add_inner(peer, vni)
        return peers

    def add_inner(self, peer, vni):
        inner = peer.inner[vni] = Inner(peer, vni, 100 + peer.number)
        peer.run("ip", "link", "add", inner.iface, "type", "vxlan", "id",
                 str(vni), "dstport", "4789", "remote", self.local, "dev",
                 peer.iface)
        # A socket's frames go on the wire with whole checksums.
        peer.run("sh", "-c", f"ethtool -K {inner.iface} tx off >/dev/null;"
                 f"ip addr add {inner.ip}/24 dev {inner.iface};"
                 f"ip link set dev {inner.iface} up")
        return inner

    def forget(self):
        """The switch knows no MAC address of the underlay any more.  Nor has
        it cached how ARP replies go: it learns from those that it looks at,
        not from those that its datapath passes on by itself."""
        self.lab.appctl("tnl/neigh/flush")
        self.lab.appctl("revalidator/purge")

    def knows(self, peer):
        return peer.ip in self.lab.appctl("tnl/neigh/show").split()


class Outer(Wire):
    """What comes to a peer in tunnels."""

    def __init__(self, peer):
        # Not what the underlay floods to find another.
        super().__init__(peer, "in",
                         f"udp dst port 4789 and dst host {peer.ip}",
                         size=512)

    def packets(self, group=GROUP):
        """[(VNI, inner frame)] of UDP to this group."""
        found = []
        for _, frame in self.frames():
            vni = struct.unpack("!I", frame[46:50])[0] >> 8
            inner = frame[50:]
            if inner[12:14] == b"\x08\x00" and inner[23] == 17 \
                    and address(inner[30:34]) == group:
                found.append((vni, inner))
        return found

    def tagged(self):
        """Inner frames with an 802.1Q tag: none, by RFC 7348."""
        return [f for _, f in self.frames() if f[62:64] == b"\x81\x00"]


def vteps(rest, switch, group, vlan=0):
    """Who is a member over a tunnel, sorted."""
    try:
        found = rest.get(f"/v1/groups/{vlan}/{group}")["members"]
    except Exception as e:  # noqa: BLE001: no such group, then.
        if getattr(e, "status", 0) != 404:
            raise
        return []
    return sorted(m["vtep"] for m in found
                  if m["dpid"] == switch.dpid_text and "vtep" in m)


def peers_of(rest, switch, port="vx0"):
    """{vtep: origin}"""
    return {peer["vtep"]: peer["origin"]
            for p in rest.switch(switch)["ports"] if p["name"] == port
            for peer in p.get("tunnel", {"peers": []})["peers"]}
