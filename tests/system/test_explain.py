# SPDX-License-Identifier: Apache-2.0
"""explain: the right reason in each case, proven by curing it and seeing the
packet arrive."""

import json
import socket

import pytest
from frames import ALLOW, IS_EX, TO_EX, TO_IN, record, tagged, v3_report
from procs import in_netns, wait_until
from scene import (GROUP, LONG, MEMBERSHIP, PORT, ROUTE, Net,
                   expect_nothing, settings)

SOURCE = "192.168.168.55"


class Case:
    """The extender's stream, and one host that wonders where it is."""

    def __init__(self, net):
        self.net = net
        self.rest = net.rest
        self.host = net.hosts[0]

    def ask(self, **other):
        params = {"dpid": "1", "in_port": self.net.extender.port_name,
                  "source": SOURCE, "group": GROUP,
                  "to_port": self.host.port_name, **other}
        text = "&".join(f"{k}={v}" for k, v in params.items())
        return self.rest.get(f"/v1/explain?{text}")

    def expect(self, reason, **other):
        """Waits for that reason: the switch may not have confirmed yet."""
        wait_until(lambda: self.ask(**other)["reason"] == reason, 8,
                   f"{reason}, it says {self.ask(**other)}")
        found = self.ask(**other)
        assert found["delivered"] == (reason == "delivered")
        assert found["text"]
        return found

    def send(self, count=20, **options):
        self.net.stream(rate=1000, count=count, **options).wait()

    def expect_silence(self):
        wire = self.host.tap()
        self.send()
        expect_nothing(wire.stop())

    def expect_arrival(self, group=GROUP, **options):
        """A packet arrives, and explain says so."""
        wire = self.host.tap()

        def arrives():  # A report that was just sent is not yet a group.
            self.send(group=group, **options)
            return wire.received >= 20
        wait_until(arrives, 20, "it arrives")
        wire.stop()
        other = {"group": group} if group != GROUP else {}
        return self.expect("delivered", **other)

    def join(self, group=GROUP, kind=TO_EX, sources=(), vlan_of=None):
        frame = v3_report("10.1.0.2", [record(kind, group, sources)])
        self.host.send_frames(vlan_of(frame) if vlan_of else frame)


@pytest.fixture
def case(net):
    return Case(net)


def stages(found):
    return [s["stage"] for s in found["stages"]]


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_never_joined(case):
    case.join("239.9.9.9")
    case.net.wait_members(case.host)
    found = case.expect("never-joined")
    assert "239.9.9.9 in vlan 0" in found["text"]
    assert stages(found) == ["ingress", "route", "policy"]
    case.expect_silence()
    case.join()
    found = case.expect_arrival()
    [output] = found["outputs"]
    assert (output["port"], output["origin"]) == (case.host.port, "member")
    assert "joined it in IGMPv3" in output["text"]
    assert stages(found) == ["ingress", "route", "channel"]
    assert found["stages"][-1]["flow"]["priority"] == 100


def test_expired(case):
    case.join()
    case.net.wait_members(case.host)
    case.net.wait_members(seconds=2 * MEMBERSHIP)  # It answers no query.
    found = case.expect("expired")
    assert "its membership ran out" in found["text"]
    case.expect_silence()
    # Else it runs out again while we look.
    case.net.daemon.reload(LONG)
    case.join()
    case.expect_arrival()


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_left(case):
    case.join()
    case.net.wait_members(case.host)
    case.join(kind=TO_IN)
    case.net.wait_members()
    found = case.expect("left")
    assert "s ago" in found["text"]
    case.expect_silence()
    case.join()
    case.expect_arrival()


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_excluded_source(case):
    case.join(sources=[SOURCE])
    found = case.expect("excluded-source")
    assert SOURCE in found["text"]
    case.expect_silence()
    case.join(kind=IS_EX)
    case.expect_arrival()


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_other_sources_only(case):
    case.join(kind=ALLOW, sources=["10.9.9.9"])
    found = case.expect("not-included")
    assert SOURCE in found["text"]
    case.expect_silence()
    case.join(kind=ALLOW, sources=[SOURCE])
    case.expect_arrival()


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_other_vlan(case):
    case.join(vlan_of=lambda frame: tagged(10, frame))
    case.net.wait_members(case.host)
    found = case.expect("other-vlan")
    assert "in vlan 10; the stream is in vlan 0" in found["text"]
    case.expect_silence()
    case.join()
    case.expect_arrival()


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_port_down(case):
    case.join()
    case.net.wait_members(case.host)
    case.net.s1.ofctl("mod-port", case.host.port_name, "down")
    found = case.expect("port-down")
    assert case.host.port_name in found["text"]
    case.net.s1.ofctl("mod-port", case.host.port_name, "up")
    case.expect("port-was-down")
    case.join()
    case.expect_arrival()


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_stop_filter(case):
    case.join()
    case.net.wait_members(case.host)
    case.net.put_route({"match": {"source": SOURCE, "group": GROUP},
                        "to": []}, name="stop")
    case.net.put_route({"match": {"group": "226.0.0.0/8"},
                        "set": {"ttl": 9}}, name="wide")
    found = case.expect("stop-filter")
    assert "route stop" in found["text"]
    assert "less narrow: wide" in found["stages"][1]["text"]
    case.expect_silence()
    case.rest.delete("/v1/routes/stop")
    found = case.expect_arrival()
    assert "route wide takes it" in found["stages"][1]["text"]


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_pending(case):
    """The route's port does not exist yet."""
    case.net.put_route({"match": {"dpid": "1",
                                  "port": case.net.extender.port_name,
                                  "group": GROUP},
                        "to": [{"dpid": "1", "port": "late0"}]}, name="late")
    found = case.expect("pending")
    assert "late0" in found["text"]
    late = case.net.lab.add_host(case.net.s1, "late")
    case.net.put_route({"match": {"dpid": "1",
                                  "port": case.net.extender.port_name,
                                  "group": GROUP},
                        "to": [{"dpid": "1", "port": late.port_name}]},
                       name="late")
    case.host = late
    found = case.expect_arrival()
    assert found["outputs"][0]["origin"] == "route"


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_rewritten(case):
    """It joined what goes in, and a route makes another group of it."""
    case.join()
    case.net.put_route({**ROUTE, "set": {"group": "239.1.1.1",
                                         "source": "10.1.0.10"}})
    found = case.expect("rewritten")
    assert "makes 239.1.1.1 of it" in found["text"]
    case.expect_silence()
    case.join("239.1.1.1")
    found = case.expect_arrival()
    route = [s for s in found["stages"] if s["stage"] == "route"][0]
    assert "set_field:239.1.1.1->ip_dst" in route["flow"]["actions"]


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_not_a_target(case):
    other = case.net.hosts[1]
    case.join()
    case.net.wait_members(case.host)
    to = [{"dpid": "1", "port": other.port_name}]
    case.net.put_route({**ROUTE, "to": to})
    case.expect("not-a-target")
    case.expect_silence()
    case.net.put_route({**ROUTE, "to": to + [{"members": True}]})
    case.expect_arrival()


@pytest.mark.parametrize("config", [
    LONG + "port_defaults: {deny: [226.0.0.0/8]}\n"], ids=[""])
def test_refused(case, ofmcast):
    case.join()
    found = case.expect("refused")
    assert "permission" in found["text"]
    case.expect_silence()
    ofmcast.reload(LONG)
    case.join()
    case.expect_arrival()


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_the_port_where_it_comes_from(case):
    found = case.ask(to_port=case.net.extender.port_name)
    assert found["reason"] == "ingress-port"


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_where_it_cannot_enter(case):
    assert case.ask(in_port="77")["reason"] == "no-in-port"
    assert case.ask(dpid="9", in_port="1", to_port="1")["reason"] \
        == "no-switch"
    assert case.ask(group="224.0.0.251")["reason"] == "link-local"


@pytest.mark.parametrize("config", [settings(LONG, unregistered="flood")],
                         ids=[""])
def test_flooded(case):
    """By the policy: nobody has joined, and everybody gets it."""
    case.join("239.9.9.9")
    case.net.wait_members(case.host)
    wire = case.host.tap()
    case.send()
    wire.wait_for(20)
    wire.stop()
    found = case.ask()
    assert (found["delivered"], found["reason"]) == (True, "flooded")
    code, found = crosscheck(case.net)
    assert (code, found["trace"]["agrees"]) == (0, None), found["trace"]


def test_static_members_and_routers_are_named(case):
    router = case.net.hosts[1]
    case.rest.put("/v1/members/recorder", {
        "dpid": "1", "port": case.host.port_name, "group": GROUP})
    case.rest.put("/v1/members/uplink", {
        "dpid": "1", "port": router.port_name, "router": True})
    found = case.expect_arrival()
    assert {(o["port"], o["origin"]) for o in found["outputs"]} \
        == {(case.host.port, "static"), (router.port, "mrouter")}
    assert "recorder" in found["outputs"][0]["text"]


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_the_command(net):
    """Stages in order, who gets it, exit status; hosts by their address."""
    member, other, *_ = net.hosts
    member.receive(GROUP, PORT)
    net.wait_members(member)
    net.stream(rate=1000, count=20).wait()
    wait_until(lambda: net.explain("--to", member.port_name)[0] == 0, 5,
               "delivered")
    for name in member.port_name, member.mac, "10.1.0.2":
        code, text = net.explain("--to", name)
        assert code == 0, text
        assert "delivered (delivered)" in text and "joined it in" in text
    code, text = net.explain("--to", other.port_name)
    assert code == 1 and "NOT DELIVERED (never-joined)" in text
    assert net.explain("--to", "10.1.0.99")[0] == 3
    code, text = net.explain("--udp-dst", "99999")
    assert code == 1 and "udp_dst" in text


@pytest.mark.parametrize("config", ["l2: fabric\n" + LONG], ids=[""])
def test_over_a_fabric(ofmcast):
    """The way leads over the link to the member's switch."""
    net = Net(ofmcast, ["h2"])
    far = Net(ofmcast, ["h6"], name="s2", dpid=2)
    net.lab.vsctl("add-port", "s1", "to2", "--", "set", "interface", "to2",
                  "type=patch", "options:peer=to1", "--", "add-port", "s2",
                  "to1", "--", "set", "interface", "to1", "type=patch",
                  "options:peer=to2")
    wait_until(lambda: net.rest.get("/v1/topology")["links"], 15, "a link")
    host = far.hosts[0]
    host.receive(GROUP, PORT)
    wait_until(lambda: net.rest.member_ports(far.s1, GROUP), 5, "it joined")
    case = Case(net)
    case.host = host
    wire = host.tap()
    case.send(100)
    wire.wait_for(1)
    found = case.expect("delivered", to_dpid="2")
    assert [o["origin"] for o in found["outputs"]] == ["link", "member"]
    assert [s["dpid"][-1] for s in found["stages"]][-1] == "2"


@pytest.mark.parametrize("config", [
    LONG + "ports: [{dpid: 1, port: s1-eth2, mtu: 1000}]\n"], ids=[""])
def test_mtu(case, ofmcast):
    """As the stream was seen, and as it is asked for."""
    assert case.host.port_name == "s1-eth2"
    case.join()
    case.net.wait_members(case.host)
    assert case.expect("mtu", size=1400)["text"].count("1000")
    case.expect("delivered", size=900)
    case.send(size=1200)
    case.expect("mtu")
    ofmcast.reload(LONG)
    case.expect_arrival(size=1200)


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_ttl(case):
    """A router does not pass on what has TTL 1; its port gets it."""
    case.rest.put("/v1/members/uplink", {
        "dpid": "1", "port": case.host.port_name, "router": True})
    assert case.ask(ttl=1)["reason"] == "ttl"
    case.expect("delivered", ttl=2)


def crosscheck(net, *options):
    """The command's answer, with what Open vSwitch said."""
    code, text = net.explain("--json", "--vswitchd",
                         f"{net.lab.dir}/vswitchd.ctl", *options)
    return code, json.loads(text)


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_open_vswitch_agrees(net):
    """With and without members, rewritten and dropped, with a vlan."""
    member, target, *_ = net.hosts
    code, found = crosscheck(net)
    assert (code, found["trace"]["agrees"]) == (1, True), found["trace"]
    assert "controller(" in found["trace"]["actions"]  # To learn of it.
    member.receive(GROUP, PORT)
    net.wait_members(member)
    net.put_route({**ROUTE, "set": {"source": "10.1.0.10"},
                   "to": [{"members": True}, {
                       "dpid": "1", "port": target.port_name,
                       "set": {"group": "239.1.1.1", "ttl": 9}}]})

    def agrees():
        code, found = crosscheck(net)
        assert len(found["outputs"]) == 2, found
        return code == 0 and found["trace"]["agrees"] and found
    found = wait_until(agrees, 8, "it agrees")
    assert found["trace"]["missing"] == found["trace"]["extra"] == []
    assert "src=10.1.0.10" in found["trace"]["actions"]
    assert "dst=239.1.1.1" in found["trace"]["actions"]
    code, found = crosscheck(net, "--vlan", "7", "--ttl", "1")
    assert "dl_vlan=7" in found["trace"]["flow"]
    assert "nw_ttl=1" in found["trace"]["flow"]
    assert found["trace"]["agrees"]


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_somebody_changed_the_switch(net):
    """A flow of somebody else's: explain says what ofmcast means, and that
    Open vSwitch does something else; then the packets prove it right."""
    member, stranger, *_ = net.hosts
    wire, other = member.tap(), stranger.tap()
    member.receive(GROUP, PORT)
    net.wait_members(member)
    wait_until(lambda: crosscheck(net, "--to", member.port_name)[0] == 0, 8,
               "delivered, and Open vSwitch agrees")
    net.s1.ofctl("add-flow", "table=0,priority=65000,ip,nw_dst=" + GROUP
                 + f",actions=output:{stranger.port}")
    code, found = crosscheck(net, "--to", member.port_name)
    assert (code, found["delivered"]) == (1, True)
    assert found["trace"]["agrees"] is False
    assert found["trace"]["missing"] == [member.port_name]
    assert found["trace"]["extra"] == [stranger.port_name]
    code, text = net.explain("--vswitchd", f"{net.lab.dir}/vswitchd.ctl")
    assert code == 1 and "trace DISAGREES" in text, text
    net.stream(rate=1000, count=20).wait()
    other.wait_for(20)
    other.stop()
    expect_nothing(wire.stop())
    net.s1.ofctl("del-flows", "table=0,ip,nw_dst=" + GROUP)
    wait_until(lambda: crosscheck(net)[0] == 0, 8, "it agrees again")
    # All that shall get it do, and somebody else, too.
    net.s1.ofctl("add-flow", "table=0,priority=65000,ip,nw_dst=" + GROUP
                 + f",actions=output:{stranger.port},goto_table:10")
    code, found = crosscheck(net, "--to", member.port_name)
    assert (code, found["trace"]["agrees"]) == (1, False), found["trace"]
    assert (found["trace"]["missing"], found["trace"]["extra"]) \
        == ([], [stranger.port_name])


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_no_open_vswitch_to_ask(net):
    """Somebody else's machine, or another Open vSwitch: it says so."""
    for options in ((), ("--vswitchd", "/nowhere/vswitchd.ctl")):
        code, text = net.explain(*options)
        assert code == 1 and "cannot be asked here" in text, text
    assert "trace" not in net.explain("--no-trace")[1]


UNICAST = "10.1.0.50"  # That nobody has.


def send_to(net, address):
    with in_netns(net.extender.netns), socket.socket(
            socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(20):
            s.sendto(b"x" * 100, (address, PORT))


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_what_is_sent_to_a_host_s_address(case):
    """A stream that a route takes from there, and what Open vSwitch says."""
    net, group = case.net, "239.1.1.1"
    asked = {"source": net.extender.ip, "group": UNICAST, "udp_dst": PORT}
    case.expect("no-route", **asked)
    net.put_route({"match": {"unicast": UNICAST, "udp_dst": PORT},
                   "set": {"group": group}})
    found = case.expect("never-joined", **asked)
    assert stages(found)[-2:] == ["route", "channel"]
    case.expect("no-route", **{**asked, "udp_dst": PORT + 1})
    case.join(group)
    case.expect("delivered", **asked)
    code, text = net.explain(
        "--src", net.extender.ip, "--group", UNICAST, "--udp-dst", str(PORT),
        "--vswitchd", f"{net.lab.dir}/vswitchd.ctl")
    assert code == 0 and "Open vSwitch agrees" in text, text

    wait_until(lambda: (send_to(net, UNICAST), "00:00:00:00:00:01" in
                        net.extender.run("ip", "neigh", "show", UNICAST))[1],
               15, "ARP is answered")
    wire = case.host.tap()
    send_to(net, UNICAST)
    wait_until(lambda: any(p["foreign"] >= 20 for p in wire.progress()), 10,
               "it arrives")
    wire.stop()


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_a_reply_to_a_rewritten_source(case):
    net, device = case.net, case.net.extender
    asked = {"in_port": case.host.port_name, "source": case.host.ip,
             "group": "10.1.0.10", "to_port": device.port_name}
    net.put_route()
    case.expect("no-route", **asked)
    net.put_route({**ROUTE, "set": {**ROUTE["set"], "reply_to": True}})
    found = case.expect("pending", **asked)
    assert f"{SOURCE} does not answer ARP" in found["text"]
    device.run("ip", "addr", "add", f"{SOURCE}/24", "dev", device.iface)
    found = case.expect("delivered", **asked)
    assert stages(found)[-1] == "reply"
    [output] = found["outputs"]
    assert (output["port"], output["origin"]) == (device.port, "reply")
    assert f"set_field:{SOURCE}->ip_dst" in output["actions"]
    found = case.expect("not-a-target", **{
        **asked, "to_port": net.hosts[1].port_name})
    assert "device" in found["text"]
    code, text = net.explain(
        "--in-port", case.host.port_name, "--src", case.host.ip, "--group",
        "10.1.0.10", "--vswitchd", f"{net.lab.dir}/vswitchd.ctl")
    assert code == 0 and "Open vSwitch agrees" in text, text


@pytest.mark.parametrize("config", ["l2: fabric\n" + LONG], ids=[""])
def test_a_reply_to_a_device_at_another_switch(line):
    a, _, _, _, c, _ = line.hosts
    source = "10.1.0.200"
    body = {"match": {"source": c.ip, "group": GROUP},
            "set": {"source": source, "reply_to": True}}
    line.rest.put("/v1/routes/r", body)

    def ask():
        return line.rest.get(
            f"/v1/explain?dpid={a.switch.dpid}&in_port={a.port}"
            f"&source={a.ip}&group={source}")
    wait_until(lambda: ask()["reason"] == "delivered", 20,
               f"it is found: {ask()}")
    [output] = ask()["outputs"]
    assert (int(output["dpid"], 16), output["port"]) \
        == (c.switch.dpid, c.port)
