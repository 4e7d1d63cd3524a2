# SPDX-License-Identifier: Apache-2.0
"""What moved multicast before: the kernel as a router, driven by hand or by
smcroute, and socat.  The controls of the scenarios of doc/scenarios.md.

    router = Router(lab, sinks=2)
    sender, sinks = router.sender, router.sinks
    with Mfc(router) as mfc:
        mfc.add("192.168.1.1", "239.1.1.1", 0, [1, 2])

No switch is involved: wires go straight from host to router.
"""

import contextlib
import os
import re
import socket
import struct

import netns
from lab import Host
from netns import add_netns, in_netns
from procs import wait_until, write

MRT_INIT, MRT_DONE, MRT_ADD_VIF, MRT_ADD_MFC = 200, 201, 202, 204
VIFF_USE_IFINDEX = 8
MAX_VIFS = 32  # MAXVIFS of linux/mroute.h.


class Router(Host):
    """Its interface 0 leads to the sender, 192.168.1.1, the i-th one to the
    i-th interface of the sinks, each by a wire of its own.  Every one is
    192.168.N.2 with N = 1 for the sender, and 2 for the first sink."""

    def __init__(self, lab, sinks=1, name="router"):
        super().__init__(lab, name, None, [0] * (sinks + 1))
        add_netns(self.netns)
        self.sender = lab._new_host(Host, "sender", None, [0])
        self.sinks = lab._new_host(Host, "sinks", None, [0] * sinks)
        ends = [(self.sender, self.sender.iface)]
        ends += [(self.sinks, iface) for iface in self.sinks.ifaces]
        self._cable(ends)
        self.sysctl(**{"net.ipv4.ip_forward": 1})
        self.check_sources(False)

    def _cable(self, ends):
        own, far = [], {self.sender: [], self.sinks: []}
        for i, (host, iface) in enumerate(ends):
            own += [f"link add {self.ifaces[i]} up type veth peer name {iface}"
                    f" netns {host.netns}",
                    f"addr add 192.168.{i + 1}.2/24 dev {self.ifaces[i]}"]
            far[host] += [f"link set dev {iface} up",
                          f"addr add 192.168.{i + 1}.1/24 dev {iface}"]
        self.run("ip", "-batch", "-", stdin="\n".join(own) + "\n")
        for host, lines in far.items():
            with in_netns(host.netns):
                netns.sysctl({"net.ipv6.conf.all.disable_ipv6": 1,
                              **{f"net.ipv4.conf.{i}.rp_filter": 0
                                 for i in ["all", "default", *host.ifaces]}})
                netns.write_checksums(*host.ifaces)
            host.run("ip", "-batch", "-", stdin="\n".join(lines) + "\n")

    def check_sources(self, strict):
        """rp_filter: a packet must come in where the way back to its source
        leads out."""
        self.sysctl(**{f"net.ipv4.conf.{i}.rp_filter": int(strict)
                       for i in ["all", *self.ifaces]})

    def refused(self):
        """Packets that rp_filter has dropped."""
        with open(f"/proc/{self._sleeper().pid}/net/netstat") as f:
            names, values = [line.split() for line in f
                             if line.startswith("TcpExt:")]
        return int(values[names.index("IPReversePathFilter")])

    def _sleeper(self):
        """A process there, whose /proc tells of this namespace."""
        if not hasattr(self, "sleeper"):
            self.sleeper = self.spawn("sleeper", "sleep", "infinity")
            here = os.stat(f"/run/netns/{self.netns}").st_ino
            wait_until(lambda: os.stat(
                f"/proc/{self.sleeper.pid}/ns/net").st_ino == here, 5,
                "a process in the router")
        return self.sleeper

    def vifs(self):
        """The names of the interfaces that the kernel routes multicast on."""
        with open(f"/proc/{self._sleeper().pid}/net/ip_mr_vif") as f:
            return [line.split()[1] for line in f
                    if line[:2].strip().isdigit()]

    def socat(self, group, port, to_group, to_port, source=None):
        """A relay, started and joined: one process a stream.  'source' is an
        address of its own that it takes."""
        address = source or "192.168.2.2"
        if source:
            self.run("ip", "addr", "add", f"{source}/32", "dev",
                     self.ifaces[1])
        process = self.spawn(
            "socat", "socat", "-u",
            f"UDP4-RECV:{port},ip-add-membership={group}:{self.ifaces[0]}",
            f"UDP4-SEND:{to_group}:{to_port},bind={address},"
            f"ip-multicast-if=192.168.2.2,ip-multicast-ttl=16")
        wait_until(lambda: group in self.run("ip", "maddr", "show", "dev",
                                             self.ifaces[0]), 5,
                   "socat has joined")
        return process


class Mfc:
    """The forwarding cache, by its socket, with which it lives and dies."""

    def __init__(self, router):
        with in_netns(router.netns):
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                      socket.IPPROTO_IGMP)
            self.sock.setsockopt(socket.IPPROTO_IP, MRT_INIT, 1)
            self.index = [socket.if_nametoindex(i) for i in router.ifaces]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.sock.close()

    def add_vif(self, number):
        """Interface 'number' of the router, as the VIF of that number."""
        self.sock.setsockopt(
            socket.IPPROTO_IP, MRT_ADD_VIF,
            struct.pack("=HBBIi4x", number, VIFF_USE_IFINDEX, 1, 0,
                        self.index[number]))

    def add(self, source, group, parent, outputs):
        """The entry (source, group), in by 'parent'."""
        ttls = [0] * MAX_VIFS
        for output in outputs:
            ttls[output] = 1
        self.sock.setsockopt(
            socket.IPPROTO_IP, MRT_ADD_MFC,
            struct.pack("=4s4sH32B2xIIIi", socket.inet_aton(source),
                        socket.inet_aton(group), parent, *ttls, 0, 0, 0, 0))


class Smcroute:
    """smcrouted in a router's namespace, with a configuration."""

    def __init__(self, router, config):
        self.router = router
        base = os.path.join(router.lab.dir, "smcroute")
        write(base + ".conf", config)
        self.socket = base + ".sock"
        self.process = router.spawn(
            "smcrouted", "smcrouted", "-n", "-N", "-l", "debug", "-i", "ofm",
            "-f", base + ".conf", "-P", base + ".pid", "-u", self.socket)
        wait_until(lambda: not self.process.running
                   or os.path.exists(self.socket), 10, "smcrouted")

    def log(self):
        with contextlib.suppress(OSError):
            return self.process.log() + self.process.output()
        return ""

    def refused(self):
        """The interfaces that it found no VIF for."""
        return re.findall(r"Not enough available VIFs to create (\S+)",
                          self.log())

    def ctl(self, *argv):
        return self.router.run("smcroutectl", "-u", self.socket, *argv)
