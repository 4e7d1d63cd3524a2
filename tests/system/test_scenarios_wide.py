# SPDX-License-Identifier: Apache-2.0
"""Beyond a kernel router's 32 interfaces, and many streams at once: T8 to T12
of doc/scenarios.md."""

import errno
import time
from collections import Counter

import pytest
from fabric_scene import FABRIC, Scene
from kernel import MAX_VIFS, Mfc, Router, Smcroute
from procs import wait_until
from scene import (GROUP, LONG, PORT, Net, expect_nothing, streams_of,
                   wait_silence)

RATE = 2000


@pytest.fixture
def config():
    return LONG


@pytest.mark.parametrize("config", [FABRIC], ids=[""])
def test_t08_two_bridges(ofmcast):
    """From a host of one to a member at the other, by one route.  A few
    packets go ahead: a burst into switches that have no flow for it yet is
    another test's (test_the_first_packets_of_a_source_are_delivered_too)."""
    scene = Scene(ofmcast).build("leaf_spine", leaves=2, spines=1, hosts=2)
    sender, other, sink, bystander = scene.hosts
    assert sender.switch is not sink.switch
    ofmcast.rest.put("/v1/routes/chain", {
        "match": {"dpid": sender.switch.dpid_text, "port": sender.port_name,
                  "group": "239.1.1.1", "udp_dst": 5001},
        "set": {"source": "10.1.0.10", "group": "239.9.9.9",
                "udp_dst": 5099}})
    receiver = sink.receive("239.9.9.9", 5099)
    scene.wait_members(sink, group="239.9.9.9")
    quiet = [h.tap() for h in (other, bystander)]
    wire = sink.tap(group="239.9.9.9")
    n, ahead = 10000, 5
    sender.send("239.1.1.1", 5001, 10, ahead, stream=2).wait()
    wire.wait_for(ahead)

    sender.send("239.1.1.1", 5001, RATE, n, stream=1).wait()

    result = wire.wait_for(n + ahead).stop()
    assert (result["received"], result["duplicated"], result["damaged"]) \
        == (n + ahead, 0, 0)
    assert {i: s["unique"] for i, s in streams_of(result).items()} \
        == {1: n, 2: ahead}
    [path] = result["paths"]
    assert (path["arrived"]["source"], path["arrived"]["group"],
            path["arrived"]["port"]) == ("10.1.0.10", "239.9.9.9", 5099)
    for tap in quiet:
        expect_nothing(tap.stop())
    receiver.stop()


@pytest.mark.plain
def test_t09_one_stream_in_six_hundred_copies(ofmcast):
    """Twelve groups at each of fifty ports."""
    net = Net(ofmcast, [])
    wall = net.lab.add_host(net.s1, "wall", ports=50)
    taps = wall.tap()
    groups = [f"239.10.{k}.{i}" for k in range(12) for i in range(1, 51)]
    net.put_route({
        "match": {"group": GROUP},
        "to": [{"dpid": "1", "port": f"s1-eth{wall.ports[i % 50]}",
                "set": {"group": group}}
               for i, group in enumerate(groups)]})
    n = 60

    net.stream(rate=20, count=n).wait()

    for i, result in enumerate(taps.wait_for(12 * n).stop()):
        # Each packet in twelve copies, none twice in one of the groups.
        assert (result["received"], result["unique"], result["damaged"],
                result["bad_checksum"]) == (12 * n, n, 0, 0)
        got = Counter({p["arrived"]["group"]: p["packets"]
                       for p in result["paths"]})
        assert got == Counter({g: n for g in groups[i::50]})


@pytest.mark.control
def test_t09_control_the_kernel_has_32_interfaces(lab):
    """One for the input, 31 for outputs: these get all, the 33rd is an error
    and gets nothing."""
    router = Router(lab, sinks=33)
    taps = router.sinks.tap()
    n = 500
    with Mfc(router) as mfc:
        for i in range(MAX_VIFS):
            mfc.add_vif(i)
        with pytest.raises(OSError) as refusal:
            mfc.add_vif(MAX_VIFS)
        assert refusal.value.errno in (errno.ENFILE, errno.EINVAL)
        mfc.add("192.168.1.1", GROUP, 0, range(1, MAX_VIFS))
        router.sender.send(GROUP, PORT, 200, n, source="192.168.1.1",
                           ttl=8).wait()
        results = taps.stop()
    assert [r["unique"] for r in results] == [n] * 31 + [0] * 2


@pytest.mark.control
def test_t10_control_smcroute_stops_at_vif_33(lab):
    """Forty interfaces in its configuration: 32 become VIFs."""
    router = Router(lab, sinks=40)
    smcroute = Smcroute(router, "".join(
        f"phyint {i} enable\n" for i in router.ifaces))
    wait_until(lambda: smcroute.refused() == router.ifaces[MAX_VIFS:], 10,
               "it complains of all that are too many")
    assert sorted(router.vifs()) == sorted(router.ifaces[:MAX_VIFS])
    smcroute.process.kill()


@pytest.mark.parametrize("streams", [1, 5, 20])
def test_t11_many_streams_in_one_process(net, streams):
    """239.1.1.N:5000+N becomes 239.10.1.N:6000+N, without cross-talk."""
    out, bystander, *_ = net.hosts
    for i in range(1, streams + 1):
        net.put_route({
            "match": {"group": f"239.1.1.{i}", "udp_dst": 5000 + i},
            "set": {"group": f"239.10.1.{i}", "udp_dst": 6000 + i},
            "to": [{"dpid": "1", "port": out.port_name}]}, f"r{i}")
    wire, quiet = out.tap(), bystander.tap()
    n = 200

    net.extender.send("239.1.1.1", 5001, RATE // streams // 2, n,
                      groups=streams, stream=1).wait()

    result = wire.wait_for(n * streams).stop()
    assert (result["unique"], result["duplicated"], result["damaged"],
            result["missing"]) == (n * streams, 0, 0, 0)
    for path in result["paths"]:
        number = path["sent"]["port"] - 5000
        assert path["sent"]["group"] == f"239.1.1.{number}"
        assert (path["arrived"]["group"], path["arrived"]["port"]) \
            == (f"239.10.1.{number}", 6000 + number)
        assert path["packets"] == n
    assert len(result["paths"]) == streams
    expect_nothing(quiet.stop())


@pytest.mark.plain
def test_t11_three_sources_converge(net):
    """On one port, from three others."""
    out, *senders = net.hosts
    for i, sender in enumerate(senders, 1):
        net.put_route({
            "match": {"dpid": "1", "port": sender.port_name,
                      "group": "239.1.1.1"},
            "set": {"group": f"239.10.1.{i}", "source": f"10.1.0.1{i}"},
            "to": [{"dpid": "1", "port": out.port_name}]}, f"from-{i}")
    wire = out.tap()
    n = 2000
    streams = [s.send("239.1.1.1", PORT, RATE // 3, n, stream=i)
               for i, s in enumerate(senders, 1)]
    for stream in streams:
        stream.wait()

    result = wire.wait_for(3 * n).stop()
    assert {s["id"]: s["unique"] for s in result["streams"]} \
        == {1: n, 2: n, 3: n}
    assert {(p["arrived"]["source"], p["arrived"]["group"]): p["packets"]
            for p in result["paths"]} \
        == {(f"10.1.0.1{i}", f"239.10.1.{i}"): n for i in (1, 2, 3)}
    assert result["duplicated"] == 0


def rule(group, host, new_group):
    return {"match": {"group": group}, "set": {"group": new_group},
            "to": [{"dpid": "1", "port": host.port_name}]}


def sent(net):
    """How many of the extender's packets the switch has seen."""
    text = net.s1.ofctl("dump-ports", str(net.extender.port))
    return int(text.partition("rx pkts=")[2].partition(",")[0])


def wait_sent(net, n=200):
    """Until the switch has seen so many of the extender's packets."""
    def seen():
        text = net.s1.ofctl("dump-ports", str(net.extender.port))
        return int(text.partition("rx pkts=")[2].partition(",")[0]) >= n
    wait_until(seen, 10, "the stream flows")


def test_t12_rules_come_and_go_under_traffic(net):
    """No rule, nothing; one, a second one, none again, from 100 ms after it
    was deleted."""
    out = net.hosts[0]
    wire = out.tap()
    stream = net.stream(rate=1000, count=0)
    wait_sent(net)
    assert wire.received == 0
    net.put_route(rule(GROUP, out, "239.1.1.1"), "a")
    wire.wait_for(200)
    second = net.stream(rate=500, count=0, group="226.2.2.9", stream=2)
    net.put_route(rule("226.2.2.9", out, "239.1.1.2"), "b")
    wire.wait_for(wire.received + 600)
    second.stop()
    net.rest.delete("/v1/routes/b")

    took = []
    for _ in range(3):
        net.rest.delete("/v1/routes/a")
        deleted = time.monotonic()
        took.append(wait_silence(wire) - deleted)
        wait_sent(net, sent(net) + 300)  # It sends on.
        assert wire.progress()[0]["last_ns"] / 1e9 - deleted == took[-1]
        net.put_route(rule(GROUP, out, "239.1.1.1"), "a")
        wire.wait_for(wire.received + 200)
    stream.stop()
    # Once is enough to see that it can: machines are busy.
    assert min(took) < 0.1 and max(took) < 1, took
    result = wire.stop()
    assert result["duplicated"] == 0
    assert {p["arrived"]["group"] for p in result["paths"]} \
        == {"239.1.1.1", "239.1.1.2"}
