# SPDX-License-Identifier: Apache-2.0
"""ofmcastd in a lab, and its REST API."""

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

from procs import (LabError, Process, build_dir, in_netns, run, wait_until,
                   write)

API_PORT = 8080
OPENFLOW_PORT = 6653
RELOADED = "configuration read again"


class ApiError(LabError):
    """An answer that is no success: .status, .problem (the body)."""

    def __init__(self, what, status, problem):
        super().__init__(f"{what}: {status} {problem}")
        self.status = status
        self.problem = problem


class Connection(http.client.HTTPConnection):
    """HTTP to 127.0.0.1 of another network namespace."""

    def __init__(self, netns, port, timeout):
        super().__init__("127.0.0.1", port, timeout=timeout)
        self.netns = netns

    def connect(self):
        with in_netns(self.netns):
            self.sock = socket.create_connection((self.host, self.port),
                                                 self.timeout)
        # Head and body are two writes: the second one is not to wait for an
        # acknowledgement of the first.
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def is_problem(self):
        return self.headers.get("Content-Type", "").startswith(
            "application/problem+json")


class Rest:
    def __init__(self, netns, port=API_PORT):
        self.netns = netns
        self.port = port

    def request(self, method, path, body=None, headers=None, timeout=15):
        """'body' is bytes, text, or what becomes JSON."""
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        sent = {"Content-Type": "application/json"} if body else {}
        c = Connection(self.netns, self.port, timeout)
        try:
            c.request(method, path, body, {**sent, **(headers or {})})
            r = c.getresponse()
            return Answer(r.status, r.headers, r.read().decode())
        finally:
            c.close()

    def _ask(self, method, path, body=None):
        a = self.request(method, path, body)
        if not 200 <= a.status < 300:
            raise ApiError(f"{method} {path}", a.status, a.body)
        return a.json if a.body else None

    def get(self, path):
        return self._ask("GET", path)

    def put(self, path, body):
        return self._ask("PUT", path, body)

    def delete(self, path):
        return self._ask("DELETE", path)

    def list(self, plural):
        """All items of /v1/PLURAL, page by page."""
        items = []
        cursor = ""
        while True:
            page = self.get(f"/v1/{plural}{cursor}")
            items += page[plural]
            if not page.get("next"):
                return items
            cursor = "?" + urllib.parse.urlencode({"cursor": page["next"]})

    # What tests ask again and again.

    def ready(self):
        try:
            return self.request("GET", "/readyz", timeout=2).status == 200
        except OSError:
            return False

    def switch(self, switch):
        return self.get(f"/v1/switches/{switch.dpid_text}")

    def counter(self, switch, name):
        return int(self.switch(switch)["counters"][name], 0)

    def synced(self, switch):
        """Connected, read back and programmed."""
        try:
            found = self.switch(switch)
            return found["connected"] and found["synced"]
        except (OSError, ApiError):
            return False

    def members(self, switch, group, vlan=0):
        """What is told of each port with members, by port number."""
        try:
            found = self.get(f"/v1/groups/{vlan}/{group}")
        except ApiError as e:
            if e.status == 404:
                return {}
            raise
        return {m["port"]: m for m in found["members"]
                if m["dpid"] == switch.dpid_text}

    def member_ports(self, switch, group, vlan=0):
        """The numbers of the ports with members, sorted."""
        return sorted(self.members(switch, group, vlan))


class Forwarder:
    """Makes a port of a lab's namespace one of this machine's loopback, for
    people with curl and a browser."""

    def __init__(self, netns, port):
        self.netns = netns
        self.to = port
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.listener.bind(("127.0.0.1", port))
        except OSError:  # Somebody's; any other will do.
            self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            try:
                with in_netns(self.netns):
                    far = socket.create_connection(("127.0.0.1", self.to), 5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            for a, b in (near, far), (far, near):
                threading.Thread(target=self._pump, args=(a, b),
                                 daemon=True).start()

    @staticmethod
    def _pump(source, sink):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for s in source, sink:
                s.close()


class Daemon:
    """ofmcastd beside the switches of a lab."""

    def __init__(self, lab, config="", netns=None):
        self.lab = lab
        self.netns = netns or lab.home.netns
        self.rest = Rest(self.netns)
        self.state = os.path.join(lab.dir, "state")
        self.config = os.path.join(lab.dir, "ofmcast.yaml")
        self.process = None
        self.started = 0  # In monotonic seconds.
        os.makedirs(self.state, exist_ok=True)
        self.configure(config)

    def configure(self, config):
        # OFMCAST_L2=fabric: the same tests with another l2.
        l2 = os.environ.get("OFMCAST_L2")
        if l2 and "l2:" not in config:
            config = f"l2: {l2}\n" + config
        write(self.config, config)

    @property
    def argv(self):
        # Such as valgrind with its options.
        wrapper = os.environ.get("OFMCAST_WRAP", "").split()
        return [*wrapper, program("ofmcastd"),
                "--openflow", f"tcp:127.0.0.1:{OPENFLOW_PORT}",
                "--api", f"127.0.0.1:{API_PORT}",
                "--state-dir", self.state, "--config", self.config]

    def start(self):
        self.started = time.monotonic()
        self.process = self.lab.home.spawn("ofmcastd", *self.argv,
                                           kind=Process)
        wait_until(lambda: not self.process.running or self.rest.ready(), 30,
                   "ofmcastd answers /readyz")
        if not self.process.running:
            raise LabError(f"ofmcastd ended with {self.process.wait()}\n"
                           + self.process.log())
        return self

    def wait_synced(self, *switches, seconds=15):
        for switch in switches:
            wait_until(lambda s=switch: self.rest.synced(s), seconds,
                       f"{switch.name} is connected and programmed")
        return self

    def reload(self, config):
        """SIGHUP with another configuration, until it says that it is
        used."""
        n = self.process.log().count(RELOADED)
        self.configure(config)
        self.process.signal(signal.SIGHUP)
        wait_until(lambda: self.process.log().count(RELOADED) > n, 5,
                   "the configuration is reloaded\n" + self.process.log())

    def stop(self, seconds=5):
        """SIGTERM; the exit status."""
        self.process.signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self):
        """kill -9"""
        self.process.kill()

    def ctl(self, *argv):
        """ofmcastctl ARGV; its output."""
        return run(program("ofmcastctl"), "--api",
                   f"http://127.0.0.1:{API_PORT}", *argv, env=self.lab.env,
                   netns=self.netns)

    def ctl_done(self, *argv, stdin=None, seconds=30):
        """The same whatever its exit status is: what subprocess.run() says."""
        return subprocess.run(
            ["nsenter", f"--net=/run/netns/{self.netns}", "--",
             program("ofmcastctl"), "--api", f"http://127.0.0.1:{API_PORT}",
             *argv], input=stdin, text=True, capture_output=True,
            env=self.lab.env, timeout=seconds, check=False)


programs_used = set()  # Names of what is tested, not of what tests it.


def program(name):
    programs_used.add(name)
    path = os.path.join(build_dir(), name)
    if not os.path.exists(path):
        raise LabError(f"{path} is not built (OFMCAST_BUILD names the build"
                       " folder)")
    return path
