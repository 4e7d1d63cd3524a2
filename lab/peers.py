# SPDX-License-Identifier: Apache-2.0
"""Neighbours that ofmcast has to get along with: a Linux bridge that snoops
and queries, and FRR's pimd on an interface of its own.

Both are put on a port of a lab's switch:

    up = lab.add_segment(s1, "up")
    bridge = SnoopingBridge(up, address="10.1.0.200/24").start()
    sender, = up.add("sender")

    router = lab.add_host(s1, "router")
    pimd = Pimd(router)
"""

import json
import os
import shutil
import socket
import time

from procs import in_netns, wait_until, write

FRR = "/usr/lib/frr"


class SnoopingBridge:
    """Turns a segment's bridge into a switch that snoops, asks every second
    and forgets who has not answered for 2.5 seconds.  It never floods, and
    never takes its port to the lab's switch for a router port: what goes there
    was asked for.

    It is not connected before start().  With an address it is a querier then;
    a Linux bridge that hears another one before it has asked itself lets it
    be, even if its own address is the lower one."""

    MEMBERSHIP = 2.5
    RESPONSE = 0.5

    def __init__(self, segment, address="", address6="", igmp=3, mld=2):
        self.segment = segment
        self.port = segment.iface
        self.queries = bool(address or address6)
        segment.run("ip", "link", "set", "dev", self.port, "down")
        commands = [f"addr add {a} dev br0" + (" nodad" if ":" in a else "")
                    for a in (address, address6) if a]
        if address6:  # Link-local, and no other.
            segment.run("ip", "link", "set", "dev", "br0", "addrgenmode",
                        "none")
            segment.run("sysctl", "-qw",
                        "net.ipv6.conf.br0.disable_ipv6=0",
                        "net.ipv6.conf.br0.accept_dad=0")
        for command in commands:
            segment.run("ip", *command.split())
        self.set(mcast_snooping=1, mcast_igmp_version=igmp,
                 mcast_query_use_ifaddr=1, mcast_query_interval=100,
                 mcast_startup_query_interval=100,
                 mcast_query_response_interval=50,
                 mcast_membership_interval=250, mcast_querier_interval=225,
                 mcast_last_member_interval=30, mcast_last_member_count=2)
        if address6:
            self.set(mcast_mld_version=mld)
        segment.run("bridge", "link", "set", "dev", self.port, "mcast_flood",
                    "off", "mcast_router", "0")

    def start(self):
        if self.queries:
            with in_netns(self.segment.netns):
                heard = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                      socket.htons(3))
            with heard:
                heard.bind(("br0", 0))
                heard.settimeout(5)
                self.set(mcast_querier=1)
                heard.recv(2048)  # Its first query, to itself.
        self.started = time.monotonic()
        self.segment.run("ip", "link", "set", "dev", self.port, "up")
        return self

    def set(self, **options):
        """Of 'ip link set type bridge'; times are hundredths."""
        argv = [str(x) for pair in options.items() for x in pair]
        self.segment.run("ip", "link", "set", "dev", "br0", "type", "bridge",
                         *argv)

    def joined(self, group):
        """What its forwarding database holds of a group toward the lab's
        switch: {source, "" for any: the entry}."""
        text = self.segment.run("bridge", "-j", "-d", "mdb", "show", "dev",
                                "br0")
        return {e.get("src", ""): e for part in json.loads(text)
                for e in part.get("mdb", [])
                if e["grp"] == group and e["port"] == self.port}

    def wait_joined(self, group, seconds=5):
        wait_until(lambda: self.joined(group), seconds,
                   f"the bridge has {group} toward the switch")
        # Only then does it go by what has answered; MLD's first query is not
        # the one that start() has seen.
        ready = self.started + self.RESPONSE + 0.2
        wait_until(lambda: time.monotonic() > ready, 5,
                   "the time for answers to its first queries is over")

    def wait_left(self, group, seconds=5):
        wait_until(lambda: not self.joined(group), seconds,
                   f"the bridge has {group} toward the switch no more")

    def die(self):
        """The querier is gone; frames still pass."""
        self.set(mcast_querier=0)


PIMD = """\
interface {iface}
 ip pim
 ip igmp
 ip igmp version {version}
 ip igmp query-max-response-time {response}
 ip igmp query-interval {interval}
"""


class Pimd:
    """zebra and pimd in a host's namespace: a multicast router that queries
    from the host's address."""

    def __init__(self, host, version=3, interval=1, response=5):
        self.host = host
        self.dir = os.path.join(host.lab.dir, f"frr-{host.name}")
        os.makedirs(self.dir)
        shutil.chown(self.dir, "frr", "frr")
        config = os.path.join(self.dir, "pimd.conf")
        write(config, PIMD.format(iface=host.iface, version=version,
                                  interval=interval, response=response))
        empty = os.path.join(self.dir, "zebra.conf")
        write(empty, "")
        self.zebra = self._spawn("zebra", empty)
        wait_until(lambda: os.path.exists(os.path.join(self.dir,
                                                       "zserv.api")),
                   10, "zebra")
        self.pimd = self._spawn("pimd", config)

    def _spawn(self, name, config):
        """By options alone: nothing of /etc/frr is read, nothing in /run/frr
        is written.  It gives up root for the package's own user."""
        return self.host.spawn(
            name, os.path.join(FRR, name), "-f", config, "-u", "frr", "-g",
            "frr", "-z", os.path.join(self.dir, "zserv.api"), "-i",
            os.path.join(self.dir, f"{name}.pid"), "--vty_socket", self.dir,
            "-A", "127.0.0.1", "-P", "0", "--log", "stdout")

    def die(self):
        self.pimd.kill()
