# SPDX-License-Identifier: Apache-2.0
"""Groups and flows of a bridge by OpenFlow 1.3 itself: what tests wait for,
without starting ovs-ofctl for each look."""

import socket
import struct

from procs import LabError

VERSION = 4
HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY = 0, 1, 2, 3
MULTIPART_REQUEST, MULTIPART_REPLY, MORE = 18, 19, 1
FLOW, GROUP_DESC = 1, 7
WRITE_ACTIONS, APPLY_ACTIONS = 3, 4
OUTPUT, GROUP = 0, 22
MAX_PORT, ANY = 0xffffff00, 0xffffffff


def ask(path, kind, body=b""):
    """The bodies of the answer to a multipart request, put together."""
    with socket.socket(socket.AF_UNIX) as s, s.makefile("rb") as stream:
        # A look that fails may be repeated; one that hangs ends a test.
        s.settimeout(20)
        s.connect(path)
        s.sendall(message(HELLO) + message(
            MULTIPART_REQUEST, struct.pack("!HH4x", kind, 0) + body))
        found = b""
        while True:
            head = stream.read(8)
            if len(head) < 8:
                raise LabError(f"{path} hung up")
            _, what, size, _ = struct.unpack("!BBHI", head)
            data = stream.read(size - 8)
            if what == ERROR:
                raise LabError(f"{path}: error {data[:4].hex()}")
            if what == ECHO_REQUEST:
                s.sendall(message(ECHO_REPLY, data))
            if what == MULTIPART_REPLY:
                found += data[8:]
                if not struct.unpack_from("!HH", data)[1] & MORE:
                    return found


def message(what, body=b""):
    return struct.pack("!BBHI", VERSION, what, 8 + len(body), 1) + body


def parts(data, size_at, at=0):
    """Cuts what is a list of things that say their size in 16 bits."""
    while at < len(data):
        size, = struct.unpack_from("!H", data, at + size_at)
        yield data[at:at + size]
        at += size


def group_ports(path):
    """{group id: its ports, sorted}; none that is not a number."""
    found = {}
    for group in parts(ask(path, GROUP_DESC), 0):
        number, = struct.unpack_from("!I", group, 4)
        outputs = [struct.unpack_from("!I", action, 4)[0]
                   for bucket in parts(group, 0, 8)
                   for action in parts(bucket, 2, 16)
                   if action[:2] == struct.pack("!H", OUTPUT)]
        found[number] = sorted(p for p in outputs if p < MAX_PORT)
    return found


def groups_of_table(path, table):
    """The groups that flows of a table send to."""
    match = struct.pack("!HH4x", 1, 4)
    data = ask(path, FLOW, struct.pack("!B3xII4xQQ", table, ANY, ANY, 0, 0)
               + match)
    found = set()
    for flow in parts(data, 0):
        match_size, = struct.unpack_from("!H", flow, 50)
        for instruction in parts(flow, 2, 48 + (match_size + 7) // 8 * 8):
            if struct.unpack_from("!H", instruction)[0] in (WRITE_ACTIONS,
                                                           APPLY_ACTIONS):
                found |= {struct.unpack_from("!I", action, 4)[0]
                          for action in parts(instruction, 2, 8)
                          if action[:2] == struct.pack("!H", GROUP)}
    return found
