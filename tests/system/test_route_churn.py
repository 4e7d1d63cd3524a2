# SPDX-License-Identifier: Apache-2.0
"""Routes that come, change and go by the hundred; a stream that has nothing to
do with it."""

import contextlib
import ipaddress
import json
import random

import pytest
from procs import wait_until
from rest import Connection
from scene import GROUP, LONG, PORT, expect_all

RATE = 1500
OTHERS = "239.7"  # Groups of the routes that come and go.


@pytest.fixture
def config():
    return LONG


def to_port(i, turn):
    """With a group of its own."""
    return {"match": {"group": f"{OTHERS}.{i // 250}.{i % 250}"},
            "set": {"source": f"10.1.{turn}.1", "group": "239.8.8.8"},
            "to": [{"dpid": "1", "port": "s1-eth4"}]}


def to_members(i, turn):
    """Plain: it leads to a channel."""
    return {"match": {"group": f"{OTHERS}.{i // 250}.{i % 250}"},
            "set": {"source": "10.1.0.20", "group": f"239.8.{turn}.{i % 8}"}}


def to_same_channel(i, turn):
    """To the channel that the stream is delivered by."""
    return {"match": {"group": f"{OTHERS}.{i // 250}.{i % 250}"},
            "set": {"source": f"10.1.{turn}.1", "group": "239.1.1.1"}}


def of_same_group(i, turn):
    """The stream's group from others, narrower than the stream's route."""
    return {"match": {"group": GROUP, "udp_dst": PORT,
                      "source": f"192.168.{i // 250}.{i % 250}"},
            "set": {"source": f"10.1.{turn}.1", "group": "239.1.1.1"}}


def stops(i, turn):
    """Nothing of it, but for one turn."""
    return {"match": {"group": GROUP, "vlan": 10, "udp_dst": 10000 + i},
            "to": [] if turn % 2 else [{"members": True}]}


def wider(i, turn):
    """A prefix that the stream's group is in, as long as there are any."""
    nth = i // len(KINDS)
    match = {} if nth % 2 else {"udp_dst": PORT}
    length = 31 - nth // 2
    if length < 8:
        return to_members(i, turn)
    prefix = ipaddress.ip_network(f"{GROUP}/{length}", strict=False)
    return {"match": {"group": str(prefix), **match},
            "set": {"source": f"10.1.{turn}.1", "group": "239.8.8.8"}}


KINDS = (to_port, to_members, to_same_channel, of_same_group, stops, wider)


class Client:
    """Writes over one connection."""

    def __init__(self, daemon):
        self.connection = Connection(daemon.netns, daemon.rest.port, 30)

    def ask(self, method, name, wait, body=None):
        self.connection.request(
            method, f"/v1/routes/{name}?wait={wait}",
            json.dumps(body) if body else None,
            {"Content-Type": "application/json"} if body else {})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        assert answer.status in (200, 201, 204), (name, answer.status, text)
        return answer.status


def churn(client, wait, n, dice):
    """All of them come, change, and go; each time in another order."""
    numbers = list(range(n))
    for verb, status, changes in (("PUT", 201, 0), ("PUT", 200, 1),
                                  ("DELETE", 204, None)):
        dice.shuffle(numbers)
        for i in numbers:
            body = None if changes is None else \
                KINDS[i % len(KINDS)](i, 2 + changes)
            assert client.ask(verb, f"r{i}", wait, body) == status


@pytest.mark.parametrize("wait, n", [
    pytest.param("applied", 1000, marks=pytest.mark.plain),
    ("applied", 100), ("stored", 150)])
def test_a_stream_that_nobody_touches_loses_nothing(net, wait, n):
    """Routes are added, modified in place and deleted, each alone ("applied")
    or as fast as they can be stored, while a stream runs through a route of
    its own, and another without any."""
    h2, h3 = net.hosts[:2]
    net.put_route({"match": {"group": GROUP, "udp_dst": PORT},
                   "set": {"source": "10.1.0.10", "group": "239.1.1.1"}})
    routed = h2.receive("239.1.1.1", PORT)
    plain = h3.receive("239.66.6.6", PORT)
    wait_until(lambda: len(net.group_ports()) == 2, 5, "both have joined")
    streams = [net.stream(RATE, 0), net.stream(RATE, 0, group="239.66.6.6")]
    for receiver in routed, plain:
        receiver.wait_for(500)

    client = Client(net.daemon)
    with contextlib.closing(client.connection):
        churn(client, wait, n, random.Random(1))

    sent = [stream.stop()["sent"] for stream in streams]
    assert len(net.rest.list("routes")) == 1
    expect_all(routed.wait_for(sent[0]).stop(), sent[0], group="239.1.1.1")
    expect_all(plain.wait_for(sent[1]).stop(), sent[1], "192.168.168.55",
               "239.66.6.6")


@pytest.mark.parametrize("to", [None, [{"dpid": "1", "port": "s1-eth2"}]],
                         ids=["members", "port"])
def test_a_route_that_is_put_again_loses_nothing(net, to):
    """The same name with the same match and another rewriting, 300 times under
    the very stream: each packet arrives once, with the one or the other."""
    h2 = net.hosts[0]
    bodies = []
    for last in 10, 11:
        body = {"match": {"group": GROUP}, "set": {"source": f"10.1.0.{last}"}}
        bodies.append({**body, "to": to} if to else body)
    net.put_route(bodies[0])
    receiver = h2.receive(GROUP, PORT)
    wait_until(lambda: [2] in net.group_ports().values(), 5, "it has joined")
    stream = net.stream(RATE, 0)
    receiver.wait_for(500)

    client = Client(net.daemon)
    with contextlib.closing(client.connection):
        for i in range(1, 301):
            assert client.ask("PUT", "hdmi", "applied", bodies[i % 2]) == 200

    sent = stream.stop()["sent"]
    result = receiver.wait_for(sent).stop()
    assert {k: result[k] for k in ("unique", "missing", "duplicated",
                                   "damaged")} \
        == {"unique": sent, "missing": 0, "duplicated": 0, "damaged": 0}
    assert {p["arrived"]["source"] for p in result["paths"]} \
        == {"10.1.0.10", "10.1.0.11"}
