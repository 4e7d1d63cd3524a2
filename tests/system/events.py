# SPDX-License-Identifier: Apache-2.0
"""What the daemon tells whoever listens."""

import json
import threading

from procs import wait_until
from rest import Connection


class Events:
    """Listens to /v1/events from now on, as long as the daemon lives."""

    def __init__(self, daemon):
        self.found = []
        connection = Connection(daemon.netns, daemon.rest.port, None)
        connection.request("GET", "/v1/events")
        self.response = connection.getresponse()
        # The retry time comes at once: from here on nothing is missed.
        assert self.response.readline().startswith(b"retry:")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        kind = None
        try:
            for line in self.response:
                name, _, value = line.decode().rstrip().partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    self.found.append((kind, json.loads(value)))
        except OSError:
            pass  # The daemon went.

    def all(self, kind=""):
        """[(type, what), ...] so far, of the types that begin so."""
        return [e for e in list(self.found) if e[0].startswith(kind)]

    def wait(self, kind, seconds=5, **wanted):
        """Waits for an event of that type with these members; the event."""
        def match():
            return [what for name, what in self.all(kind) if name == kind
                    and all(what.get(k) == v for k, v in wanted.items())]
        wait_until(match, seconds, f"{kind} {wanted}")
        return match()[0]
