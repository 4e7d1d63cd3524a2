# SPDX-License-Identifier: Apache-2.0
"""Writes that wait: for a switch that is slow, refuses, or says nothing."""

import contextlib
import json
import signal
import time

import pytest
from peer import Peer
from procs import wait_until
from rest import Connection
from scene import LONG


@pytest.fixture
def config():
    return LONG


def flow(match, actions, dpid="1"):
    return {"dpid": dpid,
            "flow": f"table=0,priority=7,udp,{match},actions={actions}"}


A = flow("nw_dst=239.99.0.1", "drop")
B = flow("nw_dst=239.99.0.2", "drop")
REFUSED = flow("nw_dst=239.99.0.3", "group:77")  # There is none.


class Request:
    """A PUT that has been sent and is not answered yet."""

    def __init__(self, rest, path, body):
        self.connection = Connection(rest.netns, rest.port, 20)
        self.connection.request("PUT", path, json.dumps(body),
                                {"Content-Type": "application/json"})

    def status(self):
        with contextlib.closing(self.connection):
            return self.connection.getresponse().status


@contextlib.contextmanager
def stopped_switches(net):
    net.lab.vswitchd.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        net.lab.vswitchd.signal(signal.SIGCONT)


@contextlib.contextmanager
def mute_switch(net):
    """Another switch, that has something to confirm and never does."""
    with Peer(net.daemon.netns, 0x77):
        wait_until(lambda: "77" in [s["dpid"].lstrip("0") for s in
                                    net.rest.list("switches")], 5, "there")
        net.rest.put("/v1/flows/mute?wait=stored",
                     flow("nw_dst=239.99.0.9", "drop", dpid="0x77"))
        yield
        net.rest.delete("/v1/flows/mute?wait=stored")


def put(net, body, name="f"):
    """Sends a PUT and waits until it is stored, but not for its answer."""
    request = Request(net.rest, f"/v1/flows/{name}", body)
    wait_until(lambda: body["flow"] in [f["flow"] for f in net.rest.list(
        "flows")], 5, "it is stored")
    return request


def user_flows(net):
    return sorted(f.partition("nw_dst=")[2].partition(" ")[0]
                  for f in net.s1.flows("table=0") if "priority=7" in f)


def test_a_refused_write_that_overtook_another_leaves_nothing(net):
    net.rest.put("/v1/flows/f", A)
    with stopped_switches(net):
        overtaken = put(net, B)
        refused = put(net, REFUSED)
    assert refused.status() in (409, 422)
    assert overtaken.status() == 200
    assert net.rest.get("/v1/flows/f")["flow"] == A["flow"]
    wait_until(lambda: user_flows(net) == ["239.99.0.1"], 5, user_flows(net))


def test_the_flow_before_stays_until_the_switch_has_the_new_one(net):
    """Also when a write is overtaken."""
    net.rest.put("/v1/flows/f", A)
    with stopped_switches(net):
        put(net, B)
        last = put(net, flow("nw_dst=239.99.0.4", "drop"))
    assert last.status() == 200
    wait_until(lambda: user_flows(net) == ["239.99.0.4"], 5, user_flows(net))


def test_the_same_write_again_waits_with_the_first(net):
    """It must not be answered with success when the first is refused."""
    with stopped_switches(net):
        requests = [put(net, REFUSED),
                    Request(net.rest, "/v1/flows/f", REFUSED)]
        net.rest.ready()  # The second one is in.
    assert {r.status() for r in requests} <= {409, 422}
    assert net.rest.list("flows") == []


def test_the_same_write_again_when_the_first_succeeds(net):
    with stopped_switches(net):
        requests = [put(net, A), Request(net.rest, "/v1/flows/f", A)]
        net.rest.ready()
    assert sorted(r.status() for r in requests) == [200, 201]
    assert user_flows(net) == ["239.99.0.1"]


def test_a_mute_switch_does_not_hold_up_writes_for_others(net):
    with mute_switch(net):
        started = time.monotonic()
        net.rest.put("/v1/flows/f", A)
        net.rest.put("/v1/routes/r", {
            "match": {"dpid": "1", "group": "239.9.9.9"}, "set": {"ttl": 9}})
        net.rest.delete("/v1/flows/f")
        net.rest.delete("/v1/routes/r")
        assert time.monotonic() - started < 4  # One alone would wait for 5.


def test_a_route_that_one_switch_refuses_while_another_is_mute(net):
    """900 copies of 88 bytes do not fit into a message."""
    targets = [{"dpid": "1", "port": net.hosts[0].port_name,
                "set": {"group": f"239.{i // 250}.0.{i % 250 + 1}",
                        "source": "10.9.9.9", "udp_dst": 1000 + i}}
               for i in range(900)]
    route = {"match": {"group": "239.9.9.9"}, "set": {"ttl": 9},
             "to": targets}
    with mute_switch(net):
        answer = net.rest.request("PUT", "/v1/routes/r?timeout=2", route)
    assert answer.status in (409, 422), answer.body[-300:]
    assert net.rest.list("routes") == []


def test_a_name_is_free_for_another_switch_once_it_is_deleted(net):
    """What the old switch has yet to lose is not taken from the new one."""
    group = {"dpid": "99", "group": "group_id=5,type=all,bucket=output:2"}
    net.rest.put("/v1/flows/g", group)
    net.rest.put("/v1/flows/other", {**group, "dpid": "1"})
    net.rest.delete("/v1/flows/g")
    net.rest.put("/v1/flows/g", {
        "dpid": "1", "group": "group_id=6,type=all,bucket=output:2"})
    wait_until(lambda: set(net.s1.groups()) == {5, 6}, 5, net.s1.groups())
