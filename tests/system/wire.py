# SPDX-License-Identifier: Apache-2.0
"""What membership protocols say on a host's wire, read by tcpdump."""

import ipaddress
import struct
from collections import namedtuple

from procs import wait_until

# IGMP; and IPv6 whose next header is hop-by-hop or ICMPv6.
FILTER = "igmp or (ip6 and (ip6[6] = 0 or ip6[6] = 58))"

# 'version' is the protocol's own; group "" is a general query.
Query = namedtuple("Query", "t mac_src mac_dst source version group suppress"
                            " sources")
# Of an older version: one record, of type "report" or "leave".
Report = namedtuple("Report", "t mac_src mac_dst source version records")
Icmp6 = namedtuple("Icmp6", "t source destination type body")

QUERIES = {0x11: 4, 130: 6}
OLD_REPORTS = {0x12: (1, "report"), 0x16: (2, "report"), 0x17: (2, "leave"),
               131: (1, "report"), 132: (1, "leave")}
REPORTS = {0x22: 3, 143: 2}
KNOWN = {*QUERIES, *OLD_REPORTS, *REPORTS}


def address(data):
    return str(ipaddress.ip_address(data)) if any(data) else ""


def mac(data):
    return ":".join(f"{b:02x}" for b in data)


class Wire:
    """Starts to listen; what was heard can be read at any time."""

    def __init__(self, host, direction="in", what=FILTER, size=0):
        # Of each frame so much, where there are many: what tcpdump keeps room
        # for is the most, and what does not fit is lost.
        options = ["-s", str(size), "-B", "16384"] if size else []
        self.process = host.spawn(
            "tcpdump", "tcpdump", "-ni", host.iface, "-Q", direction, "-U",
            "--immediate-mode", *options, "-w", "-", what)
        wait_until(lambda: "listening" in self.process.log(), 5, "tcpdump")

    def frames(self):
        """[(seconds, bytes), ...]"""
        with open(self.process.stdout, "rb") as f:
            data = f.read()
        found, at = [], 24
        while at + 16 <= len(data):
            s, us, size, _ = struct.unpack_from("<IIII", data, at)
            if at + 16 + size > len(data):
                break  # It is being written.
            found.append((s + us / 1e6, data[at + 16:at + 16 + size]))
            at += 16 + size
        return found

    def messages(self):
        return [m for m in (decode(t, f) for t, f in self.frames()) if m]

    def queries(self, group=None):
        """All, or those of a group ("": the general ones)."""
        return [m for m in self.messages() if isinstance(m, Query)
                and group in (None, m.group)]

    def reports(self):
        return [m for m in self.messages() if isinstance(m, Report)]

    def icmp6(self, *types):
        return [m for m in self.messages() if isinstance(m, Icmp6)
                and m.type in types]


def decode(t, frame):
    to, by = mac(frame[:6]), mac(frame[6:12])
    at = 12
    while frame[at:at + 2] == b"\x81\x00":
        at += 4
    kind, ip = frame[at:at + 2], frame[at + 2:]
    if kind == b"\x08\x00":
        size = struct.unpack("!H", ip[2:4])[0]
        body = ip[(ip[0] & 15) * 4:size]
        return decode_message(t, by, to, address(ip[12:16]), "", body, 4)
    if kind == b"\x86\xdd":
        size = struct.unpack("!H", ip[4:6])[0]
        body = ip[40:40 + size]
        if ip[6] == 0:
            body = body[(body[1] + 1) * 8:]
        return decode_message(t, by, to, address(ip[8:24]),
                              address(ip[24:40]), body, 16)
    return None


def decode_message(t, by, to, source, destination, body, width):
    if not body:
        return None  # Another fragment's.
    if body[0] not in KNOWN:
        return Icmp6(t, source, destination, body[0], body) \
            if width == 16 else None
    group_at = 4 if width == 4 else 8
    group = address(body[group_at:group_at + width])
    end = group_at + width
    if body[0] in QUERIES:
        if len(body) > end:  # IGMPv3, MLDv2.
            n = struct.unpack_from("!H", body, end + 2)[0]
            listed = addresses(body[end + 4:], n, width)
            return Query(t, by, to, source, 3 if width == 4 else 2, group,
                         bool(body[end] & 8), listed)
        version = 1 if width == 16 or not body[1] else 2
        return Query(t, by, to, source, version, group, False, [])
    if body[0] in OLD_REPORTS:
        version, what = OLD_REPORTS[body[0]]
        return Report(t, by, to, source, version, [(what, group, [])])
    return Report(t, by, to, source, REPORTS[body[0]],
                  read_records(body, width))


def read_records(body, width):
    n, at, found = struct.unpack_from("!H", body, 6)[0], 8, []
    for _ in range(n):
        kind, aux, k = struct.unpack_from("!BBH", body, at)
        group = address(body[at + 4:at + 4 + width])
        at += 4 + width
        found.append((kind, group, addresses(body[at:], k, width)))
        at += k * width + aux * 4
    return found


def addresses(data, n, width):
    return [address(data[i * width:(i + 1) * width]) for i in range(n)]
