# SPDX-License-Identifier: Apache-2.0
"""What the REST server answers, above all to what it must refuse."""

import concurrent.futures
import http.client
import json
import pathlib
import resource
import socket
import subprocess

import pytest
from conftest import BUILD, read_all, wait_until

ROUTE = {"match": {"group": "226.2.2.2"}, "set": {"ttl": 16}}
JSON = "application/json"
PUT = (b"PUT /v1/routes/r HTTP/1.1\r\nHost: 127.0.0.1\r\n"
       b"Content-Type: application/json\r\n")


def is_problem(answer, status):
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json
    assert problem["status"] == status
    assert problem["type"].startswith("urn:ofmcast:problem:")
    assert problem["title"]
    return problem


# What a good client sees.

def test_reading(stub):
    for path in ("/v1/switches", "/v1/groups", "/v1/streams", "/v1/queriers",
                 "/v1/hosts", "/v1/members", "/v1/routes", "/v1/flows",
                 "/v1/groups/0/226.2.2.2", "/readyz", "/healthz",
                 "/openapi.json"):
        answer = stub.ask("GET", path)
        assert answer.status == 200, path
        assert answer.headers["Content-Type"] == JSON
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        head = stub.ask("HEAD", path)
        assert head.status == 200 and head.body == b""
        assert head.headers["Content-Length"] == str(len(answer.body))
        assert isinstance(answer.json, dict)
    metrics = stub.ask("GET", "/metrics")
    assert metrics.headers["Content-Type"].startswith("text/plain")
    assert b"ofmcast_switches 2\n" in metrics.body


def test_the_page(stub):
    """It is the file, whole, and loads nothing from elsewhere."""
    answer = stub.ask("GET", "/")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    here = pathlib.Path(__file__).parent
    assert answer.body == (here / "../../web/index.html").read_bytes()
    assert b"http://" not in answer.body and b"https://" not in answer.body
    assert b"innerHTML" not in answer.body


def test_u64_and_dpids_are_strings(stub):
    switch = stub.ask("GET", "/v1/switches/1").json
    assert switch["dpid"] == "0000000000000001"
    assert switch["counters"]["messages_in"] == "0xffffffffffffffff"
    group = stub.ask("GET", "/v1/groups/0/226.2.2.2").json
    assert group["switches"][0]["group_id"] == "0x4d000001"


def test_a_name_that_is_not_utf8(stub):
    ports = stub.ask("GET", "/v1/switches/1").json["ports"]
    assert ports[2]["name"] == 'bad\ufffd"name'


def test_writing(stub):
    answer = stub.ask("PUT", "/v1/routes/hdmi", ROUTE)
    assert answer.status == 201
    assert answer.headers["Location"] == "/v1/routes/hdmi"
    assert answer.json["status"][0]["state"] == "applied"
    assert stub.ask("PUT", "/v1/routes/hdmi", ROUTE).status == 200
    etag = stub.ask("GET", "/v1/routes/hdmi").headers["ETag"]
    assert stub.ask("GET", "/v1/routes/hdmi", headers={
        "If-None-Match": etag}).status == 304
    is_problem(stub.ask("PUT", "/v1/routes/hdmi", ROUTE, {
        "If-Match": '"stale"'}), 412)
    gone = stub.ask("DELETE", "/v1/routes/hdmi", headers={"If-Match": etag})
    assert gone.status == 204 and gone.body == b""
    is_problem(stub.ask("DELETE", "/v1/routes/hdmi"), 404)


MEMBER = {"dpid": 1, "port": "s1-eth7", "group": "239.1.1.1",
          "sources": ["10.1.0.5"]}


def test_members(stub):
    """The verbs, conditions and answers are those of routes."""
    answer = stub.ask("PUT", "/v1/members/m", MEMBER)
    assert answer.status == 201
    assert answer.headers["Location"] == "/v1/members/m"
    assert answer.json["origin"] == "api"
    assert answer.json["mode"] == "include"
    assert answer.json["status"][0]["state"] == "applied"
    assert stub.ask("PUT", "/v1/members/m", answer.json).status == 200
    etag = stub.ask("GET", "/v1/members/m").headers["ETag"]
    assert stub.ask("GET", "/v1/members/m", headers={
        "If-None-Match": etag}).status == 304
    is_problem(stub.ask("PUT", "/v1/members/m", MEMBER, {
        "If-Match": '"stale"'}), 412)
    assert stub.ask("PUT", "/v1/members/slow?wait=stored",
                    MEMBER).status == 201
    page = stub.ask("GET", "/v1/members?limit=1").json
    assert [m["name"] for m in page["members"]] == ["m"]
    page = stub.ask("GET", f"/v1/members?cursor={page['next']}").json
    assert [m["name"] for m in page["members"]] == ["slow"]
    assert "next" not in page
    assert stub.ask("DELETE", "/v1/members/m",
                    headers={"If-Match": etag}).status == 204
    is_problem(stub.ask("DELETE", "/v1/members/m"), 404)
    is_problem(stub.ask("GET", "/v1/members/m"), 404)
    is_problem(stub.ask("PUT", "/v1/members/full", MEMBER), 507)


def test_members_of_the_configuration(stub):
    for method, body in (("PUT", MEMBER), ("DELETE", None)):
        problem = is_problem(stub.ask(method, "/v1/members/config", body),
                             409)
        assert problem["type"].endswith(":configured")


@pytest.mark.parametrize("changes, pointer", [
    ({"group": "10.1.1.1"}, "/group"), ({"group": "224.0.0.251"}, "/group"),
    ({"group": None}, "/group"), ({"sources": ["2001:db8::1"]}, "/sources"),
    ({"router": True}, "/router"), ({"mode": "all"}, "/mode"),
    ({"group": "232.1.1.1", "sources": []}, "/sources"),
    ({"vlan": 5000}, "/vlan"), ({"dpid": "x"}, "/dpid"),
    ({"port": ""}, "/port"), ({"colour": 1}, "/colour"),
    ({"name": "other"}, "/name")], ids=str)
def test_impossible_members(stub, changes, pointer):
    answer = stub.ask("PUT", "/v1/members/m", {**MEMBER, **changes})
    assert is_problem(answer, 422)["pointer"] == pointer
    assert stub.ask("GET", "/v1/members").json["members"] == []


@pytest.mark.parametrize("what, n", [("hosts", 2), ("queriers", 3)])
def test_pages_of_hosts_and_queriers(stub, what, n):
    whole = stub.ask("GET", f"/v1/{what}").json[what]
    found, cursor = [], ""
    while cursor is not None:
        page = stub.ask("GET", f"/v1/{what}?limit=1{cursor}").json
        found += page[what]
        cursor = f"&cursor={page['next']}" if "next" in page else None
    assert found == whole and len(whole) == n


@pytest.mark.parametrize("cursor", [
    "x", "0-020000000002-0000000000000001", "0-02000000000-1-2", "00-0-0-0",
    "0-020000000002-0000000000000001-2x", "0000-020000000002-1-2",
    "5000-020000000002-0000000000000001-2-2"])
def test_a_cursor_of_hosts_that_was_not_given_out(stub, cursor):
    is_problem(stub.ask("GET", f"/v1/hosts?cursor={cursor}"), 400)


def test_what_guards_refused(stub):
    ports = stub.ask("GET", "/v1/switches/1").json["ports"]
    assert "refused" not in ports[0]
    assert ports[1]["refused"] == {"port-groups": "0x7",
                                   "rate": "0xffffffffffffffff"}


def test_a_write_that_waits(stub):
    answer = stub.ask("PUT", "/v1/routes/slow?timeout=1", ROUTE)
    assert answer.status == 201
    assert answer.json["status"][0]["state"] == "pending"


def test_pages(start):
    stub = start("127.0.0.1", 0, 2500)
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        page = stub.ask("GET", "/v1/groups" + cursor).json
        seen += [(g["vlan"], g["group"]) for g in page["groups"]]
        cursor = f"?cursor={page['next']}" if "next" in page else None
        pages += 1
    assert pages == 3
    assert len(seen) == len(set(seen)) == 2501


def test_keep_alive_and_pipelining(stub):
    with stub.connect() as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 20
                  + b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                  b"Connection: close\r\n\r\n")
        data = read_all(s)
    assert data.count(b"HTTP/1.1 200 OK\r\n") == 20
    assert data.count(b"HTTP/1.1 404 Not Found\r\n") == 1


def test_http_1_0(stub):
    data = stub.raw(b"GET /healthz HTTP/1.0\r\n\r\n")
    assert data.startswith(b"HTTP/1.0 200") and b'"ok"' in data


def test_a_chunked_body(stub):
    body = json.dumps(ROUTE).encode()
    data = stub.raw(PUT + b"Transfer-Encoding: chunked\r\n"
                    b"Connection: close\r\n\r\n"
                    + b"".join(b"1\r\n%c\r\n" % c for c in body)
                    + b"0\r\n\r\n")
    assert data.startswith(b"HTTP/1.1 201")


def test_expect_continue(stub):
    body = json.dumps(ROUTE).encode()
    with stub.connect() as s:
        s.sendall(PUT + b"Expect: 100-continue\r\nConnection: close\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(body))
        assert s.recv(100).startswith(b"HTTP/1.1 100")
        s.sendall(body)
        assert b"HTTP/1.1 201" in read_all(s)


# Bad input.

@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b"{}}", b"\xef\xbb\xbf{}", b"\xff\xfe{\x00",
    b'{"match":"\x00"}', b'{"match":"\xc3"}', b'{"match":"\\ud800"}',
    b'{"a":NaN}', b'{"a":1e400}', b'{"a":01}', b"{'a':1}", b'{"a":1,}',
    b'{"match":{"group":"226.2.2.2"},"match":{"group":"226.2.2.2"}}',
    b"[" * 10000 + b"]" * 10000, b'{"a":' * 10000 + b"1" + b"}" * 10000,
    b"{" + b",".join(b'"%d":1' % i for i in range(90000)) + b"}"],
    ids=lambda b: repr(b[:20]))
def test_bad_json(stub, body):
    is_problem(stub.ask("PUT", "/v1/routes/r", body,
                        {"Content-Type": JSON}), 400)
    assert stub.ask("GET", "/v1/routes").json["routes"] == []


@pytest.mark.parametrize("body, pointer", [
    ({"match": {"group": "226.2.2.2"}, "colour": 1}, "/colour"),
    ({"match": {"group": "226.2.2.2", "vlan": 2 ** 53 + 1}}, "/match/vlan"),
    ({"match": {"group": "226.2.2.2", "vlan": 2 ** 64}}, "/match/vlan"),
    ({"match": {"group": "226.2.2.2", "vlan": 4096}}, "/match/vlan"),
    ({"match": {"group": "226.2.2.2", "vlan": "1"}}, "/match/vlan"),
    ({"match": {"group": "226.2.2.2", "dpid": "0x1G"}}, "/match/dpid"),
    ({"match": {"group": "226.2.2.2/8"}}, "/match/group"),
    ({"match": {"group": "226.2.2.2"}, "to": [{"x": 1}]}, "/to/0")])
def test_bad_members(stub, body, pointer):
    problem = is_problem(stub.ask("PUT", "/v1/routes/r", body), 422)
    assert problem["pointer"].startswith(pointer)
    assert problem["detail"]


@pytest.mark.parametrize("path", [
    "/v1/routes/..", "/v1/routes/%2e%2e", "/v1/routes/..%2fx",
    "/v1/routes/a%00b", "/v1/routes/a%0d%0aX-Evil:%201", "/v1/routes/%zz",
    "/v1/routes/" + "n" * 300, "/v1/routes/a%20b", "/v1/routes/%ff"])
def test_bad_names(stub, path):
    answer = stub.ask("PUT", path, ROUTE)
    is_problem(answer, 400)
    assert "X-Evil" not in answer.headers


def test_a_switch_that_refuses(stub):
    problem = is_problem(stub.ask("PUT", "/v1/flows/reject", {
        "dpid": 1, "flow": "actions=group:9"}), 422)
    assert "BAD_OUT_GROUP" in problem["detail"]
    is_problem(stub.ask("PUT", "/v1/flows/full", {
        "dpid": 1, "flow": "actions=drop"}), 507)


def test_methods(stub):
    for method in ("POST", "PATCH", "DELETE", "TRACE", "PUT"):
        answer = stub.ask(method, "/v1/switches")
        is_problem(answer, 405)
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert stub.ask("OPTIONS", "/v1/routes/r").headers["Allow"] \
        == "GET, HEAD, PUT, DELETE, OPTIONS"
    for method in ("CONNECT", "BREW"):
        assert stub.ask(method, "/v1/switches").status in (400, 405, 501)
    # Nobody overrides the method.
    stub.ask("PUT", "/v1/routes/r", ROUTE)
    stub.ask("GET", "/v1/routes/r", headers={
        "X-HTTP-Method-Override": "DELETE"})
    is_problem(stub.ask("POST", "/v1/routes/r", headers={
        "X-HTTP-Method-Override": "DELETE"}), 405)
    assert stub.ask("GET", "/v1/routes/r").status == 200


def test_other_media(stub):
    for headers in ({"Content-Type": "text/plain"},
                    {"Content-Type": "multipart/form-data; boundary=x"},
                    {"Content-Encoding": "gzip"}):
        is_problem(stub.ask("PUT", "/v1/routes/r", ROUTE, headers), 415)


def test_other_hosts_and_sites(stub):
    is_problem(stub.ask("GET", "/v1/routes",
                        headers={"Host": "evil.example"}), 421)
    is_problem(stub.ask("PUT", "/v1/routes/r", ROUTE,
                        {"Origin": "http://evil.example"}), 403)
    is_problem(stub.ask("DELETE", "/v1/routes/r",
                        headers={"Origin": "null"}), 403)
    data = stub.raw(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert data.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("framing", ["length", "chunked", "expect"])
def test_a_body_of_five_megabytes(stub, framing):
    """A clear 413, also for a client that reads only after it has sent
    everything; and no trace of it in the memory."""
    body = b'{"match":"' + b"x" * (5 << 20) + b'"}'
    head = {"length": b"Content-Length: %d\r\n\r\n" % len(body),
            "expect": b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
                      % len(body),
            "chunked": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n"
                       % len(body)}[framing]
    before = stub.memory()
    for _ in range(5):
        with stub.connect() as s:
            try:
                s.sendall(PUT + head + body)
            except (BrokenPipeError, ConnectionResetError):
                assert framing == "chunked"  # It need not read on for ever.
            assert read_all(s).startswith(b"HTTP/1.1 413") \
                or framing == "chunked"
    assert stub.well()
    assert stub.memory() < before + (10 << 20)
    assert stub.ask("GET", "/v1/routes").json["routes"] == []


@pytest.mark.parametrize("request_bytes", [
    b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: "
    + b"a" * 100000 + b"\r\n\r\n",
    b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 10000 + b"\r\n",
    b"GET /healthz HTTP/9.9\r\n\r\n",
    b"GET /healthz\r\n\r\n",
    b"GET\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    PUT + b"Content-Length: -1\r\n\r\n",
    PUT + b"Content-Length: 1x\r\n\r\n",
    PUT + b"Content-Length: 99999999999999999999\r\n\r\n",
    PUT + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    PUT + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    PUT + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n"],
    ids=lambda b: repr(b[:40]))
def test_broken_http(stub, request_bytes):
    with stub.connect() as s:
        try:
            s.sendall(request_bytes)
            s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        data = read_all(s)
    assert data == b"" or data.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), \
        data[:100]
    assert stub.well()


def test_a_body_is_not_the_next_request(stub):
    """No request hides in the body of one whose body is not read."""
    inner = b"PUT /v1/routes/smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    for head in (b"HEAD /healthz", b"TRACE /healthz", b"GET /healthz",
                 b"DELETE /v1/routes/x", b"OPTIONS /healthz"):
        data = stub.raw(
            head + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(inner)
            + inner)
        assert data.count(b"HTTP/1.1 ") == 1, head
    for encoding in (b"gzip, chunked", b"identity", b"xchunked"):
        with stub.connect() as s:
            s.sendall(PUT + b"Transfer-Encoding: %s\r\n\r\n" % encoding
                      + inner)
            assert read_all(s).count(b"HTTP/1.1 ") == 1, encoding


# Bad manners.

def test_a_client_that_leaves_while_its_write_waits(stub):
    body = json.dumps(ROUTE).encode()
    for i in range(20):
        with stub.connect() as s:
            s.sendall(b"PUT /v1/routes/slow%d HTTP/1.1\r\n"
                      b"Host: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s"
                      % (i, len(body), body))
    wait_until(lambda: len(stub.ask("GET", "/v1/routes").json["routes"])
               == 20, "the writes are done")
    # One that is answered now stands behind all of these.
    assert stub.ask("PUT", "/v1/routes/slow", ROUTE).status == 201


def test_stopping_while_writes_wait(start):
    """The fixture looks at how it ends."""
    stub = start()
    sockets = []
    body = json.dumps(ROUTE).encode()
    for i in range(5):
        s = stub.connect()
        s.sendall(b"PUT /v1/routes/slow%d HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                  b"Content-Length: %d\r\n\r\n%s" % (i, len(body), body))
        sockets.append(s)
        s = stub.connect()
        s.sendall(b"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 200")
        sockets.append(s)
    stub.stop()
    for s in sockets:
        s.close()


def test_a_thousand_writes_at_once(stub):
    def write(i):
        return stub.ask("PUT", f"/v1/routes/r{i % 10}", {
            "match": {"group": f"226.2.2.{i % 7}"}}).status

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        results = list(pool.map(write, range(1000)))
    assert results.count(201) == 10 and results.count(200) == 990


def test_idle_connections_give_way(stub):
    """More connections than it keeps: the oldest idle ones are closed, and
    whoever asks is answered at once."""
    idle = [stub.connect() for _ in range(400)]
    for s in idle[:200]:
        s.sendall(b"GET /healthz HT")  # Never goes on.
    assert stub.well()
    for s in idle[:100]:
        assert read_all(s) == b"", "closed"
    last = idle[-1]
    last.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert last.recv(4096).startswith(b"HTTP/1.1 200"), "the youngest stays"
    for s in idle:
        s.close()


def test_no_descriptors_left(start):
    """It waits for better times without turning in circles."""
    stub = start(limits=(resource.RLIMIT_NOFILE, (40, 40)))
    idle = [stub.connect() for _ in range(60)]  # The backlog takes the rest.
    before = stub.cpu_seconds()
    with pytest.raises(socket.timeout):
        s = stub.connect()
        s.settimeout(1.5)
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        s.recv(100)
    assert stub.cpu_seconds() - before < 0.5
    for s in idle:
        s.close()
    wait_until(stub.well, "it accepts again")


def test_long_answers_that_nobody_reads(start):
    """They may use so much memory, and no more."""
    stub = start("127.0.0.1", 0, 20000)
    request = (b"GET /v1/groups?limit=10000 HTTP/1.1\r\n"
               b"Host: 127.0.0.1\r\n\r\n")
    sockets = []
    for _ in range(8):  # Of 8 MB each: all but the last of them have room.
        s = stub.connect()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(request)
        sockets.append(s)
    assert stub.well()
    is_problem(stub.ask("GET", "/v1/groups?limit=10000"), 503)
    assert stub.ask("GET", "/v1/groups?limit=10").status == 200
    assert stub.memory() < 160 << 20
    for s in sockets:
        s.close()
    wait_until(lambda: stub.ask("GET", "/v1/groups?limit=10000").status
               == 200, "they have been freed")


def test_listening(start):
    """On IPv6; not where somebody else does, and it says so."""
    stub = start("::1")
    assert stub.ask("GET", "/healthz", headers={
        "Host": f"[::1]:{stub.port}"}).status == 200
    is_problem(stub.ask("GET", "/healthz", headers={
        "Host": "evil.example"}), 421)
    second = subprocess.run([f"{BUILD}/tests/api/api-stub", "::1",
                             str(stub.port)], capture_output=True, text=True)
    assert second.returncode == 1
    assert second.stderr == (f"cannot serve the API on ::1 port {stub.port}: "
                             "Address already in use\n")


def test_only_loopback_has_ipv4():
    """As in the network namespace of a lab whose ports have IPv6 link-local
    addresses alone."""
    script = ("ip link set lo up && ip link add type veth && "
              "ip link set veth0 up && ip link set veth1 up && "
              f"exec {BUILD}/tests/api/api-stub 127.0.0.1 0")
    if subprocess.run(["unshare", "-rn", "ip", "link", "add", "type", "veth"],
                      capture_output=True).returncode:
        pytest.skip("no network namespaces here")
    result = subprocess.run(["unshare", "-rn", "sh", "-c", script], input="",
                            capture_output=True, text=True, timeout=10)
    assert result.stdout.startswith("listening on "), result.stderr


# Events.

class Listener:
    def __init__(self, stub, headers=None):
        self.connection = http.client.HTTPConnection(stub.host, stub.port,
                                                     timeout=10)
        self.connection.request("GET", "/v1/events", headers=headers or {})
        self.response = self.connection.getresponse()

    def event(self):
        """The next one, as a dictionary of its fields."""
        fields = {}
        while True:
            line = self.response.readline().decode().rstrip("\n")
            if not line and "data" in fields:
                return fields
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value

    def close(self):
        self.response.close()
        self.connection.close()


def test_events(stub):
    listener = Listener(stub)
    assert listener.response.status == 200
    assert listener.response.headers["Content-Type"] == "text/event-stream"
    stub.emit("first")
    event = listener.event()
    assert event["event"] == "first" and json.loads(event["data"]) == {"n": 1}
    stub.ask("PUT", "/v1/routes/r", ROUTE)
    assert listener.event()["event"] == "rule.put"
    listener.close()

    # Who comes back gets what it missed, in order.
    stub.emit("second")
    back = Listener(stub, {"Last-Event-ID": event["id"]})
    assert back.event()["event"] == "rule.put"
    assert back.event()["event"] == "second"
    back.close()
    lost = Listener(stub, {"Last-Event-ID": "0-7"})
    assert lost.event()["event"] == "lost"
    lost.close()


def test_too_many_listeners(stub):
    listeners = [Listener(stub) for _ in range(32)]
    answer = stub.ask("GET", "/v1/events")
    is_problem(answer, 503)
    assert answer.headers["Retry-After"]
    for listener in listeners:
        listener.close()

    def one_more():
        listener = Listener(stub)
        listener.close()
        return listener.response.status == 200

    wait_until(one_more, "the server sees that they have gone")


def test_a_listener_that_does_not_read(stub):
    """It is cut off; the others are not, and memory is bounded."""
    stalled = Listener(stub)
    reader = Listener(stub)
    before = stub.memory()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        done = pool.submit(lambda: stub.emit("flood"))
        done.result()
    # 20 MB, emitted at once: this one too could not keep up, and sees it.
    try:
        while reader.response.read(1 << 20):
            pass
    except (ConnectionResetError, http.client.IncompleteRead):
        pass
    assert stub.well()
    assert stub.memory() < before + (24 << 20)
    again = Listener(stub)
    stub.emit("after")
    assert again.event()["event"] == "after"
    for listener in (stalled, reader, again):
        listener.close()
