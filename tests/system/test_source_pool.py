# SPDX-License-Identifier: Apache-2.0
"""Devices that all have the same address: a route gives each port a source of
its own (smcroute issue 143)."""

import ipaddress
import re

import pytest
from procs import wait_until
from scene import LONG, Net, check_restart, expect_whole

BOARDS = 100
SOURCE = "192.168.154.2"
TO = "239.154.0.1"
UDP = 5154
POOL = "10.154.0.0/25"
ROUTE = {"match": {"dpid": "1", "port": "s1-eth1*", "source": SOURCE,
                   "group": TO},
         "set": {"source_pool": POOL}}


@pytest.fixture
def config():
    return LONG


@pytest.fixture
def net(ofmcast):
    """A receiver at s1-eth2, boards at s1-eth100 to s1-eth199."""
    net = Net(ofmcast, ["h2"])
    net.boards = net.lab.add_host(net.s1, "boards", ports=BOARDS,
                                  first_port=100)
    return net


def pool(net, name="boards"):
    """{port name: source} of the route's status."""
    [status] = net.rest.get(f"/v1/routes/{name}")["status"]
    return {p["port"]: p["source"] for p in status.get("pool", [])}


def rewriting(net):
    """The switch's flows that rewrite."""
    return [f for f in net.s1.flows("table=30")
            if "in_port=" in f and "->ip_src" in f]


def flows(net):
    """{port: source} of the switch's flows that rewrite."""
    found = {}
    for flow in rewriting(net):
        port = int(re.search(r"in_port=(\d+)", flow)[1])
        assert port not in found
        found[port] = re.search(r"set_field:([\d.]+)->ip_src", flow)[1]
    return found


def packets_of(flow):
    return int(re.search(r"n_packets=(\d+)", flow)[1])


def play(net, receiver, first, n=20):
    """Each board sends 'n' packets more; as one stream each."""
    senders = [net.boards.spawn(
        "mcsend", net.lab.tool("mcsend"), "--iface", iface, "--group", TO,
        "--port", str(UDP), "--source", SOURCE, "--ttl", "1", "--rate", "50",
        "--count", str(n), "--first", str(first), "--stream", str(port))
        for iface, port in zip(net.boards.ifaces, net.boards.ports)]
    for sender in senders:
        sender.wait()
    receiver.wait_for(BOARDS * n)


def sources_of(result, n):
    """{board: source}: every packet of every board arrived once."""
    assert (result["duplicated"], result["damaged"],
            result["bad_checksum"]) == (0, 0, 0)
    for stream in result["streams"]:
        expect_whole(stream)
        assert stream["unique"] == n
    assert {p["sent"]["source"] for p in result["paths"]} == {SOURCE}
    return [(p["arrived"]["source"], p["packets"]) for p in result["paths"]]


def test_a_hundred_boards_with_one_address(net):
    """100 boards that all send from 192.168.154.2 to the same group on 100
    ports arrive at one receiver as 100 distinct sources; after kill -9 the
    same ones, without a modification."""
    net.put_route({**ROUTE, "match": {**ROUTE["match"],
                                      "port": "s1-eth1??"}}, "boards")
    [h2] = net.hosts
    receiver = h2.receive(TO, UDP)
    net.wait_members(h2)
    wait_until(lambda: len(flows(net)) == BOARDS, 10, "a flow a port")
    given = pool(net)
    assert len(given) == BOARDS == len(set(given.values()))
    assert {f"s1-eth{p}": s for p, s in flows(net).items()} == given
    assert all(ipaddress.ip_address(s) in ipaddress.ip_network(POOL)
               for s in given.values())

    play(net, receiver, 0)
    result = receiver.stop()
    assert len(result["streams"]) == BOARDS
    assert dict(sources_of(result, 20)) == dict.fromkeys(given.values(), 20)

    receiver = h2.receive(TO, UDP)
    net.wait_members(h2)
    check_restart(net)
    assert pool(net) == given
    play(net, receiver, 20)
    assert dict(sources_of(receiver.stop(), 20)) \
        == dict.fromkeys(given.values(), 20)
    # The very flows of before the restart: none was deleted and made again.
    # (Modified they may be: of a board that is silent for 10 s after it, the
    # next packet is asked for.)
    wait_until(lambda: [packets_of(f) for f in rewriting(net)]
               == [40] * BOARDS, 10, "all packets in each flow")


def test_each_board_is_a_stream_of_its_own(ofmcast):
    """The first packet of one does not hide the others."""
    net = Net(ofmcast, ["h2"])
    boards = net.lab.add_host(net.s1, "boards", ports=8, first_port=10)
    net.put_route(ROUTE, "boards")
    receiver = net.hosts[0].receive(TO, UDP)
    net.wait_members(*net.hosts)
    senders = [boards.spawn(
        "mcsend", net.lab.tool("mcsend"), "--iface", iface, "--group", TO,
        "--port", str(UDP), "--source", SOURCE, "--rate", "20",
        "--stream", iface.rpartition("eth")[2])
        for iface in boards.ifaces]
    wait_until(lambda: {
        (s["source"], s["group"], s["port"], s["route"], s["receivers"])
        for s in net.rest.list("streams") if int(s["packets"], 0)}
        == {(SOURCE, TO, port, "boards", 1) for port in boards.ports},
        20, "a stream a board")
    # The extender's port is one of them, and nobody has sent there.
    wait_until(lambda: [re.findall(r"in_port=(\d+)", f) for f in
                        net.s1.flows("table=30") if "controller" in f]
               == [["1"]], 10, "no punts but one")
    assert all(sender.running for sender in senders)
    assert receiver.stop()["duplicated"] == 0


def test_a_port_keeps_its_source(ofmcast):
    """Whatever becomes of it: when it is away, when it has another number,
    when others come meanwhile, when the daemon is killed."""
    net = Net(ofmcast, ["h2"])
    net.lab.add_hosts(net.s1, "b10", "b11", first_port=10)
    net.put_route(ROUTE, "boards")
    given = {"s1-eth1": "10.154.0.1", "s1-eth10": "10.154.0.2",
             "s1-eth11": "10.154.0.3"}
    wait_until(lambda: pool(net) == given, 5, "sources")

    net.lab.vsctl("del-port", "s1", "s1-eth10")
    wait_until(lambda: "s1-eth10" not in pool(net), 5, "it is away")
    net.lab.add_hosts(net.s1, "b12", first_port=12)
    wait_until(lambda: pool(net).get("s1-eth12") == "10.154.0.4", 5,
               "another one")
    net.lab.vsctl("add-port", "s1", "s1-eth10", "--", "set", "interface",
                  "s1-eth10", "ofport_request=77")
    wait_until(lambda: "s1-eth10" in pool(net), 5, "it is back")

    given["s1-eth12"] = "10.154.0.4"
    assert pool(net) == given
    wait_until(lambda: flows(net).get(77) == "10.154.0.2", 5, "its flow")

    # In another order than that of the ports' numbers: only one who stored
    # them can know them.
    check_restart(net)
    assert pool(net) == given


def test_a_pool_that_is_exhausted(ofmcast):
    """The ports that got a source have it; of another one is told. What a
    route that goes has given is free again, for whoever needs it."""
    net = Net(ofmcast, ["h2"])
    net.lab.add_hosts(net.s1, "b10", "b11", first_port=10)
    net.put_route({**ROUTE, "set": {"source_pool": "10.154.0.0/31"}},
                  "boards")
    given = {"s1-eth1": "10.154.0.0", "s1-eth10": "10.154.0.1"}
    wait_until(lambda: pool(net) == given, 5, "sources")
    wait_until(lambda: flows(net) == {1: "10.154.0.0", 10: "10.154.0.1"}, 5,
               "their flows")
    [status] = net.rest.get("/v1/routes/boards")["status"]
    assert status["state"] == "pending" and "s1-eth11" in status["error"]

    net.rest.delete("/v1/routes/boards")
    assert flows(net) == {}
    net.put_route({"match": {**ROUTE["match"], "port": "s1-eth11"},
                   "set": {"source_pool": "10.154.0.0/31"}}, "boards")
    assert pool(net) == {"s1-eth11": "10.154.0.0"}


def test_without_a_port_it_is_all_ports(ofmcast):
    """Also for copies to ports, and for members' filters."""
    net = Net(ofmcast, ["h2", "h3"])
    h2, h3 = net.hosts
    net.put_route({"match": {"source": SOURCE, "group": TO},
                   "set": {"source_pool": POOL},
                   "to": [{"members": True},
                          {"dpid": "1", "port": h3.port_name}]}, "boards")
    given = pool(net)
    assert set(given) == {"s1-eth1", "s1-eth2", "s1-eth3"}
    receiver = h2.receive(TO, UDP, source=given["s1-eth3"])
    wire = h3.tap()
    wait_until(lambda: net.rest.members(net.s1, TO), 5, "it has joined")
    wait_until(lambda: [h2.port] in [g["ports"] for g in
                                     net.s1.groups().values()], 5, "a copy")

    net.extender.send(TO, UDP, 1000, 100, source=SOURCE, stream=1).wait()
    h3.send(TO, UDP, 1000, 100, source=SOURCE, stream=3).wait()

    result = receiver.wait_for(100).stop()
    assert [(s["id"], s["unique"]) for s in result["streams"]] == [(3, 100)]
    assert {p["arrived"]["source"] for p in result["paths"]} \
        == {given["s1-eth3"]}
    result = wire.wait_for(100).stop()
    assert [(s["id"], s["unique"]) for s in result["streams"]] == [(1, 100)]
    assert {p["arrived"]["source"] for p in result["paths"]} \
        == {given["s1-eth1"]}
