# SPDX-License-Identifier: Apache-2.0
"""A switch that is none: it greets, and then says only what a test wants."""

import socket
import struct
import threading

from procs import in_netns
from rest import OPENFLOW_PORT

HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, FEATURES = 0, 1, 2, 3, 5
MULTIPART = 18
DESC, PORT_DESC = 0, 13


def message(kind, xid, body=b""):
    return struct.pack("!BBHI", 4, kind, 8 + len(body), xid) + body


class Peer:
    """Answers the greeting and, while it is 'awake', echoes; never a barrier
    nor what it holds."""

    def __init__(self, netns, dpid):
        self.dpid = dpid
        self.awake = True
        with in_netns(netns):
            self.sock = socket.create_connection(("127.0.0.1", OPENFLOW_PORT),
                                                 5)
        self.sock.settimeout(None)
        self.sock.sendall(message(HELLO, 1))
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.sock.close()

    def wait_closed(self):
        """Until the daemon has ended the connection."""
        self.thread.join(5)
        assert not self.thread.is_alive()

    def _read(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise OSError("closed")
            data += more
        return data

    def _run(self):
        try:
            while True:
                _, kind, length, xid = struct.unpack("!BBHI", self._read(8))
                self._answer(kind, xid, self._read(length - 8))
        except OSError:
            pass

    def _answer(self, kind, xid, body):
        if kind == FEATURES:
            self.sock.sendall(message(FEATURES + 1, xid, struct.pack(
                "!QIBBHII", self.dpid, 256, 254, 0, 0, 0x4f, 0)))
        elif kind == MULTIPART and body[:2] == struct.pack("!H", PORT_DESC):
            self.sock.sendall(message(MULTIPART + 1, xid, struct.pack(
                "!HHI", PORT_DESC, 0, 0)))
        elif kind == MULTIPART and body[:2] == struct.pack("!H", DESC):
            self.sock.sendall(message(MULTIPART + 1, xid, struct.pack(
                "!HHI", DESC, 0, 0) + bytes(1056)))
        elif kind == ECHO_REQUEST and self.awake:
            self.sock.sendall(message(ECHO_REPLY, xid, body))
