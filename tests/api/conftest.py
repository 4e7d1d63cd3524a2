# SPDX-License-Identifier: Apache-2.0
"""The REST server over a stub controller (api-stub.c), and its client."""

import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import time

import pytest

BUILD = os.environ.get("OFMCAST_BUILD", os.getcwd())


# Nothing here takes that long; but nobody tells how busy the machine is.
PATIENCE = 90


def wait_until(condition, what, timeout=PATIENCE):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"timeout: {what}"
        time.sleep(0.02)


class Answer:
    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


class Stub:
    """One api-stub process."""

    def __init__(self, *args, limits=None):
        self.process = subprocess.Popen(
            [f"{BUILD}/tests/api/api-stub", *map(str, args)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            # What a sanitizer keeps aside is not what the server uses.
            env={**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"},
            preexec_fn=(lambda: resource.setrlimit(*limits)) if limits
            else None)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), self.process.stderr.read()
        self.host = args[0] if args else "127.0.0.1"
        self.port = int(line.split()[-1])
        self.url = f"http://{self.host}:{self.port}"

    def connect(self):
        return socket.create_connection((self.host, self.port),
                                        PATIENCE)

    def ask(self, method, path, body=None, headers=None):
        """'body' is bytes, or what becomes JSON."""
        connection = http.client.HTTPConnection(self.host, self.port,
                                                timeout=PATIENCE)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        sent = {"Content-Type": "application/json"} if body else {}
        try:
            connection.request(method, path, body,
                               {**sent, **(headers or {})})
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def raw(self, data):
        """What the server answers to these bytes until it hangs up."""
        with self.connect() as s:
            s.sendall(data)
            return read_all(s)

    def emit(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def well(self):
        return self.ask("GET", "/healthz").status == 200

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        with open(f"/proc/{self.process.pid}/statm") as f:
            return int(f.read().split()[1]) * resource.getpagesize()

    def stop(self):
        """It must go at once, and, under a sanitizer, clean."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        errors = self.process.communicate(timeout=PATIENCE)[1]
        assert self.process.returncode == 0, errors
        return errors


def read_all(s):
    data = b""
    while True:
        try:
            piece = s.recv(65536)
        except ConnectionResetError:
            return data
        if not piece:
            return data
        data += piece


@pytest.fixture
def start():
    """Starts stubs; stops them and looks at how they ended."""
    stubs = []

    def start_one(*args, **options):
        stubs.append(Stub(*args, **options))
        return stubs[-1]

    yield start_one
    for stub in stubs:
        stub.stop()


@pytest.fixture
def stub(start):
    return start()


class Ctl:
    def __init__(self, url):
        self.env = {**os.environ, "OFMCAST_API": url, "LC_ALL": "C.UTF-8"}

    def run(self, *args, stdin=None, env=None):
        return subprocess.run([f"{BUILD}/ofmcastctl", *args], input=stdin,
                              capture_output=True, text=True, timeout=PATIENCE,
                              env={**self.env, **(env or {})})

    def start(self, *args):
        # A job in the background of a shell ignores SIGINT, and so would what
        # it starts: tests that press Ctrl-C would wait for ever.
        return subprocess.Popen(
            [f"{BUILD}/ofmcastctl", *args], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=self.env,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


@pytest.fixture
def ctl(stub):
    return Ctl(stub.url)
