# SPDX-License-Identifier: Apache-2.0
"""Writes that are refused, by the daemon or by the switch, and what stays."""

import json

import pytest
from procs import LabError
from scene import GROUP, PORT, ROUTE


def refused(rest, method, path, body):
    """The status and body of an answer that must be a clear 4xx."""
    answer = rest.request(method, path, body)
    assert 400 <= answer.status < 500, (answer.status, answer.body)
    assert answer.is_problem
    problem = answer.json
    assert problem["status"] == answer.status
    assert problem["title"]
    assert rest.ready(), "the daemon is unharmed"
    return problem


GOOD_FLOW = {"dpid": "1", "flow": "table=0,priority=9,udp,nw_dst=239.9.9.9,"
             "actions=drop"}


def test_flows_with_bad_syntax(net):
    """One daemon gets them all, as it does below: what it must not do is
    change."""
    net.rest.put("/v1/flows/f1", GOOD_FLOW)
    before = net.rest.get("/v1/flows/f1")
    in_switch = [f.partition("priority=9")[2] for f in net.s1.flows("")]

    for flow in (
            "table=0,priority=9,udp,nw_dst=239.9.9.9,actions=fly",
            "table=0,priority=9,udp,nw_dst=239.9.9,actions=drop",
            "table=0,nonsense=1,actions=drop",
            "priority=9",
            ""):
        problem = refused(net.rest, "PUT", "/v1/flows/f1",
                          {"dpid": "1", "flow": flow})
        assert problem["detail"], flow
        after = net.rest.get("/v1/flows/f1")
        assert after["flow"] == before["flow"], flow
        assert [f.partition("priority=9")[2] for f in net.s1.flows("")] \
            == in_switch, flow


def test_a_flow_to_an_unknown_group_is_refused_by_the_switch(net):
    """With its reason, and what was there before is back."""
    net.rest.put("/v1/flows/f1", GOOD_FLOW)
    bad = dict(GOOD_FLOW, flow=GOOD_FLOW["flow"].replace("drop", "group:4711"))

    problem = refused(net.rest, "PUT", "/v1/flows/f1", bad)
    assert "OUT_GROUP" in problem["detail"].upper()
    # A name that was not there before does not come to be.
    refused(net.rest, "PUT", "/v1/flows/f2", bad)

    assert net.rest.get("/v1/flows/f1")["flow"] == GOOD_FLOW["flow"]
    assert [f["name"] for f in net.rest.list("flows")] == ["f1"]
    flows = net.s1.flows("")
    assert any("nw_dst=239.9.9.9 actions=drop" in f for f in flows)
    assert not any("group:4711" in f for f in flows)


def test_static_groups_and_flows(net):
    net.rest.put("/v1/flows/g5", {
        "dpid": "1", "group": f"group_id=5,type=all,bucket=output:"
        f"{net.hosts[0].port}"})
    net.rest.put("/v1/flows/f5", {
        "dpid": "1", "flow": "table=0,priority=100,udp,nw_dst=226.2.2.2,"
        "actions=set_field:10.1.0.10->ip_src,group:5"})
    assert net.s1.groups()[5]["ports"] == [net.hosts[0].port]
    receiver = net.hosts[0].receive(GROUP, PORT)

    net.stream(rate=1000, count=1000).wait()

    result = receiver.wait_for(1000).stop()
    assert result["paths"][0]["arrived"]["source"] == "10.1.0.10"
    net.rest.delete("/v1/flows/f5")
    net.rest.delete("/v1/flows/g5")
    assert 5 not in net.s1.groups()
    assert not any("group:5" in f for f in net.s1.flows(""))


def test_malformed_json(ofmcast):
    for body in (
            b"{", b"[]", b"null", b"", b"{\"match\":", b"\xff\xfe{}",
            b"{\"match\":{\"group\":\"226.2.2.2\"},}",
            b"{\"match\":{\"group\":\"226.2.2.2\"}} x",
            b"{\"match\":{\"group\":\"226.2.2.2\"},\"match\":{}}",
            b"[" * 5000 + b"]" * 5000):
        problem = refused(ofmcast.rest, "PUT", "/v1/routes/r", body)
        assert problem["status"] == 400, body[:80]
        assert ofmcast.rest.list("routes") == [], body[:80]


def bad(pointer, **changes):
    body = json.loads(json.dumps(ROUTE))
    for path, value in changes.items():
        where = body
        *parents, last = path.split("__")
        for key in parents:
            where = where[key]
        where[last] = value
    return body, pointer


SENSELESS = [
    bad("/colour", colour="red"),
    bad("/match/colour", match__colour="red"),
    bad("/match/group", match__group="10.1.0.1"),
    bad("/match/group", match__group=7),
    bad("/match/vlan", match__vlan=2 ** 53 + 1),
    bad("/match/vlan", match__vlan=1.5),
    bad("/match/vlan", match__vlan=5000),
    bad("/match/udp_dst", match__udp_dst="5004"),
    bad("/match/udp_dst", match__udp_dst=65536),
    bad("/match/source", match__source="192.168.168.55/8"),
    bad("/set/ttl", set__ttl=2 ** 53 + 1),
    bad("/set/ttl", set__ttl=0),
    bad("/set/source", set__source="226.1.1.1"),
    bad("/to/0", to=[7]),
    bad("/to/0", to=[{"colour": 1}])]


def test_bodies_that_make_no_sense(ofmcast):
    for body, pointer in SENSELESS:
        problem = refused(ofmcast.rest, "PUT", "/v1/routes/r", body)
        assert problem["pointer"].startswith(pointer), body
        assert ofmcast.rest.list("routes") == [], body


def test_a_body_of_five_megabytes(ofmcast):
    try:
        answer = ofmcast.rest.request(
            "PUT", "/v1/routes/r", b'{"match":"' + b"x" * (5 << 20) + b'"}')
        assert answer.status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # It may hang up on one who does not stop.
    assert ofmcast.rest.ready()
    assert ofmcast.rest.list("routes") == []


def test_wrong_resources_and_methods(ofmcast):
    for method, path in (
            ("GET", "/v1/nothing"), ("GET", "/v1/routes/none"),
            ("DELETE", "/v1/routes/none"), ("PUT", "/v1/routes/no%20spaces"),
            ("PUT", "/v1/routes/" + "n" * 65), ("POST", "/v1/switches"),
            ("GET", "/v1/switches/zz"), ("GET", "/v1/groups/0/10.0.0.1"),
            ("GET", "/v1/routes?limit=none")):
        body = ROUTE if method == "PUT" else None
        problem = refused(ofmcast.rest, method, path, body)
        assert problem["status"] in (400, 404, 405, 422), (method, path)


def test_what_others_installed_is_never_touched(net):
    """Foreign flows and groups stay through joins, routes and restarts."""
    net.s1.ofctl("add-group", "group_id=77,type=all,bucket=output:1")
    net.s1.ofctl("add-flow", "table=0,priority=3,udp,nw_dst=239.77.0.1,"
                 "actions=group:77")
    net.s1.ofctl("add-flow", "table=40,priority=3,cookie=0x1234,udp,"
                 "nw_dst=239.77.0.2,actions=drop")

    receiver = net.hosts[0].receive(GROUP, PORT)
    net.put_route()
    net.rest.delete("/v1/routes/hdmi")
    net.daemon.stop()
    net.daemon.start().wait_synced(net.s1)

    switch = net.rest.switch(net.s1)
    assert (switch["foreign_flows"], switch["foreign_groups"]) == (2, 1)
    assert 77 in net.s1.groups()
    foreign = [f for f in net.s1.flows("") if "nw_dst=239.77.0" in f]
    assert len(foreign) == 2
    receiver.stop()


def test_ports_that_do_not_exist_leave_a_route_pending(net):
    body = net.put_route(dict(ROUTE, to=[{"dpid": "1", "port": "s1-eth99"}]))
    assert [s["state"] for s in body["status"]] == ["pending"]


def test_the_command_line(net):
    """ofmcastctl shows what the API says."""
    receiver = net.hosts[0].receive(GROUP, PORT)
    net.put_route()
    net.wait_members(net.hosts[0])
    assert net.s1.dpid_text in net.daemon.ctl("show", "switches")
    assert GROUP in net.daemon.ctl("show", "groups")
    assert "hdmi" in net.daemon.ctl("show", "routes")
    shown = json.loads(net.daemon.ctl("--json", "show", "groups"))
    assert shown["groups"][0]["group"] == GROUP
    with pytest.raises(LabError, match="exit 3"):
        net.daemon.ctl("route", "rm", "none")
    receiver.stop()
