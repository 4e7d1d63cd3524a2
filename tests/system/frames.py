# SPDX-License-Identifier: Apache-2.0
"""IGMP and MLD frames made by hand, for what no kernel sends."""

import socket
import struct

IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK = 1, 2, 3, 4, 5, 6


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ethernet(destination, source_mac, payload):
    """With the Ethernet address of a multicast group."""
    group = struct.unpack("!I", socket.inet_aton(destination))[0]
    mac = struct.pack("!HI", 0x0100, 0x5e000000 | group & 0x7fffff)
    return mac + source_mac + b"\x08\x00" + payload


ROUTER_ALERT = b"\x94\x04\0\0"


def ipv4(source, destination, payload, ttl=1, options=ROUTER_ALERT,
         fragment=0, proto=2, break_header=0):
    """With Router Alert, as IGMP has it.  'options' are padded already."""
    words = 5 + len(options) // 4
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x40 | words, 0xc0, words * 4 + len(payload), 0,
        fragment, ttl, proto, 0, socket.inet_aton(source),
        socket.inet_aton(destination)) + options
    right = checksum(header) ^ break_header
    header = header[:10] + struct.pack("!H", right) + header[12:]
    return header + payload


def record(kind, group, sources=(), aux_words=0):
    head = struct.pack("!BBH4s", kind, aux_words, len(sources),
                       socket.inet_aton(group))
    return head + b"".join(map(socket.inet_aton, sources)) \
        + b"\xaa" * 4 * aux_words


def old_message(kind, source, destination, group, response=0,
                mac=b"\x02\0\0\0\0\x42", **ip):
    """IGMPv1 and v2: 0x12 and 0x16 report, 0x17 leave, 0x11 query."""
    body = struct.pack("!BBH4s", kind, response, 0, socket.inet_aton(group))
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    return ethernet(destination, mac, ipv4(source, destination, body, **ip))


def ipv6(source, destination, payload, ttl=1, router_alert=True,
         mac=b"\x02\0\0\0\0\x42", break_checksum=0):
    """ICMPv6 with its checksum put in, behind Router Alert, in Ethernet."""
    ends = socket.inet_pton(socket.AF_INET6, source) \
        + socket.inet_pton(socket.AF_INET6, destination)
    pseudo = ends + struct.pack("!II", len(payload), 58)
    right = checksum(pseudo + payload) ^ break_checksum
    payload = payload[:2] + struct.pack("!H", right) + payload[4:]
    hop = b"\x3a\0\x05\x02\0\0\x01\0" if router_alert else b""
    header = struct.pack("!IHBB", 6 << 28, len(hop) + len(payload),
                         0 if hop else 58, ttl)
    return b"\x33\x33" + ends[28:] + mac + b"\x86\xdd" + header + ends + hop \
        + payload


def mld_record(kind, group, sources=(), aux_words=0):
    def pack(address):
        return socket.inet_pton(socket.AF_INET6, address)
    return struct.pack("!BBH", kind, aux_words, len(sources)) + pack(group) \
        + b"".join(map(pack, sources)) + b"\xaa" * 4 * aux_words


def mld2_report(source, records, count=None, **ip):
    n = len(records) if count is None else count
    body = struct.pack("!BBHHH", 143, 0, 0, 0, n) + b"".join(records)
    return ipv6(source, "ff02::16", body, **ip)


def v3_query(source, mac=b"\x02\0\0\0\0\x43"):
    """A general query."""
    body = struct.pack("!BBH4sBBH", 0x11, 10, 0, b"\0" * 4, 2, 10, 0)
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    return ethernet("224.0.0.1", mac, ipv4(source, "224.0.0.1", body))


def tagged(vlan, frame):
    return frame[:12] + struct.pack("!HH", 0x8100, vlan) + frame[12:]


def v3_report(source, records, mac=b"\x02\0\0\0\0\x42", count=None,
              break_checksum=False, **ip):
    """'count' is what the report claims to have, if not the truth."""
    n = len(records) if count is None else count
    body = struct.pack("!BBHHH", 0x22, 0, 0, 0, n) + b"".join(records)
    right = checksum(body) ^ break_checksum
    body = body[:2] + struct.pack("!H", right) + body[4:]
    return ethernet("224.0.0.22", mac, ipv4(source, "224.0.0.22", body, **ip))
