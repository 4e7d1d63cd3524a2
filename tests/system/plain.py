# SPDX-License-Identifier: Apache-2.0
"""Datagrams by plain sockets and frames made by hand, for what mcsend and
mcrecv do not send or count."""

import select
import socket
import struct

from frames import checksum, ethernet
from procs import in_netns

PACKET_AUXDATA, SOL_PACKET, IP_RECVTOS, IP_MULTICAST_ALL = 8, 263, 13, 49
SO_RCVBUFFORCE = 33
VLAN_VALID = 0x10
ETH_ALL = 3


def talker(host, source, ttl=1, tos=0):
    """A socket that sends from that address, which the host gets if it has it
    not yet, out of its interface."""
    if f"inet {source}/" not in host.run("ip", "addr", "show", "dev",
                                         host.iface):
        host.run("ip", "addr", "add", f"{source}/32", "dev", host.iface)
    with in_netns(host.netns):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        index = socket.if_nametoindex(host.iface)
    s.bind((source, 0))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                 struct.pack("=4s4si", b"\0" * 4, socket.inet_aton(source),
                             index))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
    return s


class Ear:
    """A host's socket that has joined a group by IGMP."""

    def __init__(self, host, group, port):
        with in_netns(host.netns):
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            index = socket.if_nametoindex(host.iface)
        s = self.sock
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        s.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)
        s.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)
        s.bind((group, port))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     struct.pack("=4s4si", socket.inet_aton(group), b"\0" * 4,
                                 index))
        s.settimeout(5)

    def hear(self):
        """The next datagram: (payload, source address, TOS)."""
        data, more, _, sender = self.sock.recvmsg(65536, 64)
        [tos] = [d[0] for level, kind, d in more
                 if (level, kind) == (socket.IPPROTO_IP, socket.IP_TOS)]
        return data, sender[0], tos

    def is_silent(self):
        return not select.select([self.sock], [], [], 0)[0]


class Frames:
    """All that comes in on a host's wire, with its tag, from now on."""

    def __init__(self, host):
        with in_netns(host.netns):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.bind((host.iface, ETH_ALL))
        self.sock.settimeout(5)

    def next(self, group):
        """(vlan or 0, IPv4 packet) of the next one to that group."""
        wanted = socket.inet_aton(group)
        while True:
            data, more, _, address = self.sock.recvmsg(65536, 256)
            vlan = 0
            for level, kind, d in more:
                if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                    status, _, _, _, _, tci, _ = struct.unpack("=IIIHHHH", d)
                    vlan = tci & 4095 if status & VLAN_VALID else 0
            at = 12
            while data[at:at + 2] == b"\x81\x00":
                vlan = struct.unpack_from("!H", data, at + 2)[0] & 4095
                at += 4
            # 4: what the host itself sends.
            if address[2] != 4 and data[at:at + 2] == b"\x08\x00" \
                    and data[at + 18:at + 22] == wanted:
                return vlan, data[at + 2:]


def packet(source, group, payload, ttl=1, proto=17, tos=0, options=b""):
    """An Ethernet frame with IPv4 around 'payload'."""
    words = 5 + len(options) // 4
    header = struct.pack("!BBHHHBBH4s4s", 0x40 | words, tos,
                         words * 4 + len(payload), 0x1234, 0, ttl, proto, 0,
                         socket.inet_aton(source), socket.inet_aton(group))
    header += options
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return ethernet(group, b"\x02\0\0\0\0\x55", header + payload)


def datagram(source, group, port, payload, no_checksum=False, **ip):
    """The same with UDP, from port 4000."""
    size = len(payload) + 8
    udp = struct.pack("!HHHH", 4000, port, size, 0)
    if not no_checksum:
        pseudo = socket.inet_aton(source) + socket.inet_aton(group) \
            + struct.pack("!HH", 17, size)
        udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp + payload)
                                    or 0xffff)
    return packet(source, group, udp + payload, **ip)
