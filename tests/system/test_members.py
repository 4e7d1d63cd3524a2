# SPDX-License-Identifier: Apache-2.0
"""Static members and static router ports: ports that get what no host asks
for."""

import json
import signal

import pytest
from procs import LabError, wait_until
from rest import ApiError
from scene import (GROUP, LONG, PORT, SHORT, Net, expect_all,
                   expect_nothing)

OTHER = "226.7.7.7"


@pytest.fixture
def config():
    return LONG


def member(host, group=GROUP, **more):
    return {"dpid": "1", "port": host.port_name, "group": group, **more}


def put(net, name, body):
    """Applied when it answers."""
    answer = net.rest.put(f"/v1/members/{name}", body)
    assert [s["state"] for s in answer["status"]] == ["applied"]
    return answer


def view(net, host, group=GROUP):
    """What /v1/groups says of the host's port, None if nothing."""
    try:
        found = net.rest.get(f"/v1/groups/0/{group}")
    except ApiError as e:
        assert e.status == 404
        return None
    return next((m for m in found["members"] if m["port"] == host.port), None)


def state(net, name):
    return net.rest.get(f"/v1/members/{name}")["status"][0]["state"]


def test_a_device_that_speaks_no_igmp_gets_its_source_alone(net):
    """Not another source of the group; and others get nothing."""
    recorder, other, _, second = net.hosts
    put(net, "recorder", member(recorder, sources=[net.extender.ip]))
    wire, elsewhere = recorder.tap(), other.tap()
    shown = view(net, recorder)
    assert (shown["mode"], shown["sources"]) == ("include",
                                                 [net.extender.ip])
    assert (shown["origin"], shown["static"]) == ("static", ["recorder"])
    assert shown["expires_s"] is None and shown["hosts"] == []

    streams = [net.extender.send(GROUP, PORT, 1000, 2000, stream=1,
                                 source=net.extender.ip),
               second.send(GROUP, PORT, 1000, 2000, stream=2,
                           source=second.ip)]
    for stream in streams:
        stream.wait()

    result = wire.wait_for(2000).stop()
    expect_all(result, 2000, source=net.extender.ip)
    assert [s["id"] for s in result["streams"]] == [1]
    expect_nothing(elsewhere.stop())


def test_all_sources_but_one(net):
    recorder, _, _, second = net.hosts
    put(net, "recorder", member(recorder, mode="exclude",
                                sources=[second.ip]))
    wire = recorder.tap()

    streams = [net.extender.send(GROUP, PORT, 1000, 2000, stream=1,
                                 source=net.extender.ip),
               second.send(GROUP, PORT, 1000, 2000, stream=2,
                           source=second.ip)]
    for stream in streams:
        stream.wait()

    result = wire.wait_for(2000).stop()
    assert [s["id"] for s in result["streams"]] == [1]
    assert (result["unique"], result["duplicated"]) == (2000, 0)


def test_it_merges_with_what_hosts_ask_for(net):
    """Neither takes the other away, in whatever order they come and go."""
    h2, h3, *_ = net.hosts
    receiver = h2.receive(GROUP, PORT)
    net.wait_members(h2)
    put(net, "fixed", member(h2))
    shown = view(net, h2)
    assert (shown["origin"], shown["static"]) == ("igmp", ["fixed"])

    # The host leaves: the static one stays.
    receiver.stop()
    wait_until(lambda: view(net, h2)["origin"] == "static", 10,
               "the host has left")
    net.wait_members(h2)
    wire = h2.tap()
    net.stream(rate=1000, count=500).wait()
    expect_all(wire.wait_for(500).stop(), 500, source="192.168.168.55")

    # It comes back, and the static one goes: the host stays.
    receiver = h2.receive(GROUP, PORT)
    wait_until(lambda: view(net, h2)["origin"] == "igmp", 10, "it is back")
    stream = net.stream(rate=1000, count=3000)
    receiver.wait_for(500)
    net.rest.delete("/v1/members/fixed")
    assert "static" not in view(net, h2)
    stream.wait()
    expect_all(receiver.wait_for(3000).stop(), 3000, source="192.168.168.55")
    net.wait_members()


def test_two_at_one_port_get_what_any_of_them_wants(net):
    h2, h3, *_ = net.hosts
    put(net, "a", member(h2, sources=["10.1.0.77"]))
    put(net, "b", member(h2, sources=["10.1.0.78", net.extender.ip]))
    shown = view(net, h2)
    assert shown["static"] == ["a", "b"]
    assert sorted(shown["sources"]) == sorted(["10.1.0.77", "10.1.0.78",
                                               net.extender.ip])
    put(net, "c", member(h2, mode="exclude",
                         sources=["10.1.0.77", "10.1.0.99"]))
    shown = view(net, h2)
    assert (shown["mode"], shown["sources"]) == ("exclude", ["10.1.0.99"])
    net.rest.delete("/v1/members/c")
    net.rest.delete("/v1/members/a")
    assert "10.1.0.77" not in view(net, h2)["sources"]
    net.rest.delete("/v1/members/b")
    assert view(net, h2) is None
    net.wait_members()


def test_it_gets_what_a_route_makes_of_a_stream(net):
    """From the source that the route gives it, as a host that asked would."""
    h2, h3, h4, _ = net.hosts
    put(net, "whole", member(h2, sources=["10.1.0.10"]))
    put(net, "before", member(h3, sources=["192.168.168.55"]))
    wires = [h.tap() for h in (h2, h3, h4)]

    net.put_route()
    net.stream(rate=1000, count=1000).wait()

    expect_all(wires[0].wait_for(1000).stop(), 1000)
    expect_nothing(wires[1].stop())
    expect_nothing(wires[2].stop())

    # With buckets of its own the route has them too.
    net.put_route({"match": {"group": GROUP}, "set": {"source": "10.1.0.10"},
                   "to": [{"members": True},
                          {"dpid": "1", "port": h4.port_name,
                           "set": {"group": "239.1.1.2"}}]})
    wires = [h.tap() for h in (h2, h3, h4)]
    net.stream(rate=1000, count=1000).wait()
    expect_all(wires[0].wait_for(1000).stop(), 1000)
    expect_nothing(wires[1].stop())
    expect_all(wires[2].wait_for(1000).stop(), 1000, group="239.1.1.2")


def test_killed_under_a_stream(net):
    """kill -9 and a restart: no packet is lost, none comes twice, and what
    was written is there."""
    recorder, h3, h4, _ = net.hosts
    put(net, "recorder", member(recorder, sources=[net.extender.ip]))
    put(net, "all", member(h4))
    receiver = h3.receive(GROUP, PORT)
    wait_until(lambda: view(net, h3), 10, "h3 is a member")
    wires = [recorder.tap(), h4.tap()]
    before = {i: g["text"] for i, g in net.s1.groups().items()}
    stream = net.extender.send(GROUP, PORT, 2000, source=net.extender.ip)
    receiver.wait_for(2500)

    net.daemon.kill()
    net.daemon.start().wait_synced(net.s1)

    assert [m["name"] for m in net.rest.list("members")] == ["all",
                                                             "recorder"]
    assert [state(net, name) for name in ("all", "recorder")] \
        == ["applied"] * 2
    # Beyond the answers to its query.
    receiver.wait_for(receiver.received + 4000)
    n = stream.stop()["sent"]
    for r in (*wires, receiver):
        r.wait_for(n)
    # Before they leave, of which the groups soon tell.
    assert net.rest.counter(net.s1, "group_mods") == 0
    assert {i: g["text"] for i, g in net.s1.groups().items()} == before
    for r in (*wires, receiver):
        expect_all(r.stop(), n, source=net.extender.ip)


def test_what_it_held_before_a_restart_goes_with_it(net):
    """What a switch was found to hold for it is not taken for hosts', who
    would have to be asked first; what hosts have there is."""
    h2, h3, h4, h5 = net.hosts
    put(net, "all", member(h2))
    put(net, "one", member(h3, sources=[net.extender.ip]))
    put(net, "both", member(h4, sources=[net.extender.ip]))
    put(net, "uplink", {"dpid": "1", "port": h5.port, "router": True})
    receiver = h4.receive(GROUP, PORT)
    wait_until(lambda: view(net, h4) and view(net, h4)["hosts"], 10,
               "h4 is a member")

    net.daemon.kill()
    net.daemon.start().wait_synced(net.s1)
    shown = {h: view(net, h) for h in (h2, h3, h4)}
    assert [shown[h]["origin"] for h in (h2, h3)] == ["static"] * 2
    for name in ("all", "one", "both", "uplink"):
        net.rest.delete(f"/v1/members/{name}")

    assert [view(net, h) for h in (h2, h3, h5)] == [None] * 3
    assert not any(q["routers"] for q in net.rest.list("queriers"))
    net.wait_members(h4)
    wires = [h.tap() for h in (h2, h3, h5)]
    net.stream(rate=1000, count=500).wait()
    receiver.wait_for(500)
    for wire in wires:
        expect_nothing(wire.stop())
    receiver.stop()


def test_a_static_router_port_gets_unregistered_groups(net):
    router, h3, *_ = net.hosts
    put(net, "uplink", {"dpid": "1", "port": router.port, "router": True})
    wires = [router.tap(), h3.tap()]
    for querier in net.rest.list("queriers"):  # IGMP's and MLD's.
        assert [(r["port"], r["sign"], r["static"], r["expires_s"])
                for r in querier["routers"]] \
            == [(router.port, "static", ["uplink"], None)]
    ports = {p["port"]: p["kind"] for p in net.rest.switch(net.s1)["ports"]}
    assert (ports[router.port], ports[h3.port]) == ("mrouter", "host")

    net.stream(rate=1000, count=1000, group=OTHER).wait()

    # The first packet of an unknown source may still be on its way to us.
    wires[0].wait_for(990)
    assert wires[0].stop()["duplicated"] == 0
    expect_nothing(wires[1].stop())

    net.rest.delete("/v1/members/uplink")
    wire = router.tap()
    net.stream(rate=1000, count=500, group=OTHER).wait()
    expect_nothing(wire.stop())


def test_it_waits_for_its_port(net):
    """Pending while the port is not there, applied when it appears; and again
    when it goes and comes."""
    body = net.rest.put("/v1/members/later",
                        {"dpid": "1", "port": "s1-eth9", "group": GROUP})
    status, = body["status"]
    assert status["state"] == "pending" and "s1-eth9" in status["error"]

    late = net.lab.add_host(net.s1, "late", first_port=9)
    wait_until(lambda: state(net, "later") == "applied", 10, "applied")
    wire = late.tap()
    net.stream(rate=1000, count=500).wait()
    expect_all(wire.wait_for(500).stop(), 500, source="192.168.168.55")

    net.lab.vsctl("del-port", net.s1.name, "s1-eth9")
    wait_until(lambda: state(net, "later") == "pending", 10, "pending")
    net.wait_members()
    net.lab.vsctl("add-port", net.s1.name, "s1-eth9", "--", "set",
                  "interface", "s1-eth9", "ofport_request=12")
    wait_until(lambda: net.group_ports()
               and [*net.group_ports().values()] == [[12]], 10,
               "the same name under another number")
    assert state(net, "later") == "applied"


def test_it_waits_for_its_switch(ofmcast):
    status, = ofmcast.rest.put("/v1/members/far", {
        "dpid": "77", "port": "p1", "router": True})["status"]
    assert status["state"] == "pending" and "connected" in status["error"]


def test_a_port_that_goes_down_keeps_it(net):
    h2, *_ = net.hosts
    put(net, "fixed", member(h2))
    port = f"{h2.port_name}"
    net.lab.home.run("ip", "link", "set", "dev", port, "down")
    wait_until(lambda: {p["port"]: p["state"] for p in net.rest.switch(
        net.s1)["ports"]}[h2.port] == "down", 10, "down")
    assert state(net, "fixed") == "applied"
    net.lab.home.run("ip", "link", "set", "dev", port, "up")
    wait_until(lambda: {p["port"]: p["state"] for p in net.rest.switch(
        net.s1)["ports"]}[h2.port] == "up", 10, "up")
    net.wait_members(h2)
    wire = h2.tap()
    net.stream(rate=1000, count=500).wait()
    expect_all(wire.wait_for(500).stop(), 500, source="192.168.168.55")


def test_it_outlives_every_membership(net):
    """It does not run out as a member does who is not heard any more."""
    net.daemon.configure(SHORT)
    net.daemon.process.signal(signal.SIGHUP)
    h2, h3, *_ = net.hosts
    put(net, "fixed", member(h2))
    receiver = h3.receive(GROUP, PORT)
    net.wait_members(h2, h3)
    h3.mute()
    net.wait_members(h2)
    assert state(net, "fixed") == "applied"
    receiver.stop()


MEMBERS = """\
members:
  - {name: door, dpid: 1, port: s1-eth2, group: 226.2.2.2}
  - {name: uplink, dpid: 1, port: s1-eth5, router: true}
"""


def test_members_of_the_configuration(net):
    """They follow the file, and REST may not touch them."""
    h2, h3, h4, h5 = net.hosts
    put(net, "door", member(h3))
    receiver = h4.receive(GROUP, PORT)
    net.wait_members(h3, h4)
    stream = net.stream(rate=1000, count=4000)
    receiver.wait_for(300)

    net.daemon.configure(LONG + MEMBERS)
    net.daemon.process.signal(signal.SIGHUP)
    # h5 is a router port, for what is not registered too (IPv4 and IPv6).
    net.wait_groups([h2, h4, h5], [h5], [h5])
    shown = {m["name"]: m for m in net.rest.list("members")}
    assert [shown[n]["origin"] for n in ("door", "uplink")] == ["config"] * 2
    assert shown["door"]["port"] == "s1-eth2"
    for method, body in (("PUT", member(h3)), ("DELETE", None)):
        answer = net.rest.request(method, "/v1/members/door", body)
        assert answer.status == 409 and answer.is_problem
    assert view(net, h2)["static"] == ["door"]

    # Out of the file: what REST had set is there again.
    net.daemon.configure(LONG)
    net.daemon.process.signal(signal.SIGHUP)
    net.wait_members(h3, h4)
    door, = net.rest.list("members")
    assert (door["origin"], door["port"]) == ("api", h3.port_name)
    stream.wait()
    expect_all(receiver.wait_for(4000).stop(), 4000,
               source="192.168.168.55")


def test_as_a_person_does_it(net):
    """With ofmcastctl alone."""
    ctl = net.daemon.ctl
    recorder, h3, *_ = net.hosts
    out = ctl("member", "add", "recorder", "--switch", "1", "--port",
              recorder.port_name, "--group", GROUP, "--source",
              "192.168.168.55,10.1.0.99")
    assert out == "member recorder created: applied\n"
    net.wait_groups([recorder], [recorder])  # One for each source.
    receiver = h3.receive(GROUP, PORT)
    net.wait_groups([h3], [recorder, h3], [recorder, h3])
    assert "226.2.2.2 only 10.1.0.99,192.168.168.55" in ctl("show",
                                                            "members")
    lines = ctl("show", "groups").splitlines()
    assert any(recorder.port_name in line and "static(recorder)" in line
               for line in lines)
    assert any(h3.port_name in line and h3.ip in line for line in lines)
    assert h3.mac in ctl("show", "hosts")
    host, = json.loads(ctl("--json", "show", "hosts"))["hosts"]
    assert (host["ips"], host["port_name"]) == ([h3.ip], h3.port_name)
    assert "static" not in ctl("show", "queriers")
    ctl("member", "add", "uplink", "--switch", "1", "--port",
        net.hosts[3].port_name, "--router")
    assert f"{net.hosts[3].port_name} static(uplink)" in ctl("show",
                                                             "queriers")
    wire = recorder.tap()
    net.stream(rate=1000, count=500).wait()
    expect_all(wire.wait_for(500).stop(), 500, source="192.168.168.55")
    assert ctl("member", "rm", "recorder") == "member recorder removed\n"
    receiver.stop()
    with pytest.raises(LabError, match="exit 3"):
        ctl("member", "rm", "recorder")
    with pytest.raises(LabError, match="multicast"):
        ctl("member", "add", "x", "--switch", "1", "--port", "2", "--group",
            "10.1.1.1")


def test_ipv6(ofmcast):
    """A device that speaks no MLD, of whose two sources it gets one."""
    net = Net(ofmcast, ["h2", "h3", "h4"], ipv6=True)
    recorder, other, second = net.hosts
    group = "ff15::7:7"
    put(net, "six", member(recorder, group=group,
                           sources=[net.extender.ip6]))
    shown = view(net, recorder, group)
    assert (shown["origin"], shown["static"]) == ("static", ["six"])
    assert shown["sources"] == [net.extender.ip6]
    wire, elsewhere = recorder.tap(group=group), other.tap(group=group)

    streams = [net.extender.send(group, PORT, 1000, 2000, stream=1,
                                 source=net.extender.ip6),
               second.send(group, PORT, 1000, 2000, stream=2,
                           source=second.ip6)]
    for stream in streams:
        stream.wait()

    result = wire.wait_for(2000).stop()
    expect_all(result, 2000, source=net.extender.ip6, group=group)
    assert [s["id"] for s in result["streams"]] == [1]
    expect_nothing(elsewhere.stop())
    net.rest.delete("/v1/members/six")
    assert view(net, recorder, group) is None
