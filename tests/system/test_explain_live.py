# SPDX-License-Identifier: Apache-2.0
"""explain --live: the headers of packets that really come, and of what the
switch makes of them; the stream does not notice."""

import json
import threading
import time

import pytest
from procs import wait_until
from scene import GROUP, LONG, PORT, ROUTE, expect_all

SOURCE = "192.168.168.55"


@pytest.fixture
def config():
    return LONG


def live(net, n):
    code, text = net.explain("--json", "--live", str(n))
    assert code == 0, text
    return json.loads(text)["live"]


def sample_flows(net):
    """Flows that show packets to the controller before all others."""
    return [f for f in net.s1.flows("table=0") if "CONTROLLER" in f.upper()]


def expect_no_flow(net):
    wait_until(lambda: not sample_flows(net), 3, "the sample's flow is gone")


def test_packets_are_shown_in_and_out_and_none_is_lost(net):
    net.put_route()
    member = net.hosts[0]
    receiver = member.receive(GROUP, PORT)
    net.wait_members(member)
    stream = net.stream(rate=500, count=0)
    receiver.wait_for(20)

    found = live(net, 5)
    assert len(found["packets"]) == found["wanted"] == 5
    assert found["text"].startswith("5 of 5 packets")
    [rewriting] = found["rewritings"]
    assert [p["port"] for p in rewriting["ports"]] == [member.port]
    for packet in found["packets"]:
        came, [left] = packet["in"], packet["out"]
        assert (came["source"], came["destination"]) == (SOURCE, GROUP)
        assert (left["source"], left["destination"]) == ("10.1.0.10", GROUP)
        assert came["udp_dst"] == left["udp_dst"] == PORT
        assert came["eth_src"] == net.extender.mac
        assert came["eth_dst"] == left["eth_dst"] == "01:00:5e:02:02:02"
        assert came["vlan"] == 0 and came["ttl"] == left["ttl"] > 0
        assert came["size"] == left["size"]
        for headers in came, left:
            assert headers["ip_checksum"] == "good"
            assert headers["udp_checksum"] == "good"
    assert [p["at_s"] for p in found["packets"]] == sorted(
        p["at_s"] for p in found["packets"])
    expect_no_flow(net)

    # Once more while it runs, as text: a line a packet, one a kind of copy.
    code, text = net.explain("--live", "3")
    assert code == 0, text
    assert text.count(f" {SOURCE}>{GROUP} ") == 3
    assert text.count(f"out  {member.port_name}") == 3
    assert text.count(f" 10.1.0.10>{GROUP} ") == 3
    expect_no_flow(net)

    n = stream.stop()["sent"]
    expect_all(receiver.wait_for(n).stop(), n)


def test_each_way_of_rewriting_is_shown_for_its_ports(net):
    h2, h3, *_ = net.hosts
    net.put_route({**ROUTE, "to": [
        {"dpid": "1", "port": h2.port_name, "set": {"ttl": 9, "dscp": 46}},
        {"dpid": "1", "port": h3.port_name, "set": {"group": "239.7.7.7"}}]})
    stream = net.stream(rate=500, count=0)
    wires = h2.tap(), h3.tap()
    wires[0].wait_for(10)
    found = live(net, 4)
    kinds = {r["ports"][0]["port"]: i
             for i, r in enumerate(found["rewritings"])}
    assert sorted(kinds) == sorted([h2.port, h3.port])
    for packet in found["packets"]:
        one, other = (packet["out"][kinds[h.port]] for h in (h2, h3))
        assert (one["source"], one["ttl"], one["dscp"]) == ("10.1.0.10", 9, 46)
        assert one["destination"] == GROUP
        assert other["destination"] == "239.7.7.7"
        assert other["eth_dst"] == "01:00:5e:07:07:07"
        assert other["ttl"] == packet["in"]["ttl"] != 9
        assert one["udp_checksum"] == other["udp_checksum"] == "good"
    stream.stop()
    for wire in wires:
        result = wire.stop()
        assert (result["missing"], result["duplicated"]) == (0, 0)


def test_without_a_stream_it_ends_and_the_daemon_answers_meanwhile(net):
    net.put_route()
    member = net.hosts[0]
    member.receive(GROUP, PORT)
    net.wait_members(member)
    answer = []
    begun = time.monotonic()
    thread = threading.Thread(
        target=lambda: answer.append(net.explain("--live", "5")))
    thread.start()
    wait_until(lambda: sample_flows(net), 4, "the sample's flow is there")
    assert net.rest.get("/v1/groups/0/" + GROUP)
    # The same stream once more: refused, as all this is in the midst of it.
    code, text = net.explain("--live", "5")
    assert code != 0 and "being sampled" in text
    thread.join(30)
    code, text = answer[0]
    assert 4.5 < time.monotonic() - begun
    assert "0 of 5 packets" in text and "does not come in by that port" in text
    assert code == 0, text  # As without --live.
    assert "delivered (delivered)" in text
    code, text = net.explain("--live", "1", "--to", net.hosts[1].port_name)
    assert code == 1 and "NOT DELIVERED" in text
    expect_no_flow(net)


@pytest.mark.parametrize("n", ["0", "65", "x"])
def test_numbers_out_of_range_are_refused(net, n):
    code, text = net.explain("--live", n)
    assert code == 1 and "'live' is no such number" in text
    assert "delivered" not in text
    assert not sample_flows(net)
