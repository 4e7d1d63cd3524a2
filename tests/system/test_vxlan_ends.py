# SPDX-License-Identifier: Apache-2.0
"""Which ends of a tunnel are heard, and what explain says of them."""

import json

import pytest
from procs import wait_until
from scene import GROUP, LONG, PORT, SHORT, expect_all, expect_nothing
from test_vxlan import TunnelNet, join
from vxlan_scene import VX_PORT, Outer, peers_of, tunnel, vteps


@pytest.fixture
def net(ofmcast):
    return TunnelNet(ofmcast)


def refused(net):
    text = net.rest.request("GET", "/metrics").body
    return sum(int(line.split()[-1]) for line in text.splitlines()
               if line.startswith("ofmcast_tunnel_refused_total"))


@pytest.mark.parametrize("config", [tunnel(LONG, max_peers=1)], ids=[""])
def test_one_end_too_many_is_not_heard(net):
    """Until there is room: the first has left."""
    p1, p2, _ = net.peers
    first = join(p1.inner[100])
    net.wait_vteps(p1)
    before = refused(net)
    second = join(p2.inner[100])
    wait_until(lambda: refused(net) > before, 5, "it is refused")
    net.wait_buckets(p1)
    net.stream(rate=1000, count=50).wait()
    expect_all(first.wait_for(50).stop(), 50, source="192.168.168.55")
    wait_until(lambda: peers_of(net.rest, net.s1) == {}, 5, "it has left")
    expect_nothing(second.stop())

    second = join(p2.inner[100])
    net.wait_vteps(p2)
    net.wait_buckets(p2)
    net.stream(rate=1000, count=50, stream=1).wait()
    expect_all(second.wait_for(50).stop(), 50, source="192.168.168.55")


@pytest.mark.parametrize("config", [tunnel(SHORT)], ids=[""])
def test_what_was_learned_before_learning_ended_goes(net):
    """An end that stands in the switch's groups when the daemon starts with
    learn: false is not heard any more, though it answers each query."""
    p1, *_ = net.peers
    join(p1.inner[100])
    net.wait_vteps(p1)
    net.wait_buckets(p1)
    net.daemon.kill()
    net.daemon.configure(tunnel(SHORT, learn="false"))
    net.daemon.start()
    net.daemon.wait_synced(net.s1)
    wait_until(lambda: vteps(net.rest, net.s1, GROUP) == []
               and peers_of(net.rest, net.s1) == {}, 8, "it is gone")
    wait_until(lambda: not net.s1.groups(), 5, "no copy is left")


@pytest.mark.parametrize("config", [tunnel(LONG, learn="false")], ids=[""])
def test_a_static_end_needs_no_learning(net):
    """It stays when a port comes to the switch; what it reports of other
    groups is not heard."""
    p1, *_ = net.peers
    wire = Outer(p1)
    net.rest.put("/v1/members/site-b", {
        "dpid": "1", "port": "vx0", "vtep": p1.ip, "group": GROUP})
    net.wait_buckets(p1)
    wait_until(lambda: net.underlay.knows(p1), 5, "the way is known")
    before = refused(net)
    p1.inner[100].receive("239.7.7.7", PORT)
    wait_until(lambda: refused(net) > before, 5, "it is refused")
    assert vteps(net.rest, net.s1, "239.7.7.7") == []
    net.lab.vsctl("add-port", "s1", "late", "--", "set", "interface", "late",
                  "type=internal")
    wait_until(lambda: any(p["name"] == "late" for p in
                           net.rest.switch(net.s1)["ports"]), 5, "the port")
    assert vteps(net.rest, net.s1, GROUP) == [p1.ip]
    net.stream(rate=1000, count=50).wait()
    wait_until(lambda: len(wire.packets()) == 50, 5, "all have come")


class Asker:
    def __init__(self, net, vlan):
        self.net = net
        self.vlan = vlan

    def ask(self, in_port, source, *options):
        done = self.net.daemon.ctl_done(
            "explain", "--json", "--switch", "1", "--in-port", in_port,
            "--src", source, "--group", GROUP, "--vlan", str(self.vlan),
            "--vswitchd", f"{self.net.lab.dir}/vswitchd.ctl", *options)
        found = json.loads(done.stdout)
        return found["delivered"], found["reason"], found


@pytest.mark.parametrize("config", [tunnel(LONG)], ids=[""])
def test_explain_knows_the_ends(ofmcast):
    """By the port, by the end, into the tunnel and out of it; Open vSwitch
    agrees, and live packets are seen, in a vlan whose tag the tunnel has
    not."""
    net = TunnelNet(ofmcast, ["p1", "p2"], vnis=(100, 200))
    p1, p2 = net.peers
    h2 = net.hosts[0]
    asker = Asker(net, 10)
    join(p1.inner[200])
    net.wait_vteps(p1, vlan=10)
    net.wait_buckets(p1)
    net.rest.put("/v1/members/h2", {"vlan": 10, "dpid": "1",
                                    "port": h2.port_name, "group": GROUP})
    extender = net.extender.port_name

    def to(port, in_port=extender, source="192.168.168.55"):
        return asker.ask(in_port, source, "--to", port)
    for port in "vx0", str(VX_PORT), f"vx0>{p1.ip}", f"vx0>{p1.ip}#200":
        assert to(port)[:2] == (True, "delivered"), port
    assert to(f"vx0>{p2.ip}")[:2] == (False, "never-joined")
    assert to("vx0", "vx0", "10.2.0.101")[:2] == (False, "ingress-port")
    assert to(f"vx0>{p2.ip}", "vx0", "10.2.0.101")[:2] \
        == (False, "ingress-port")
    assert to(h2.port_name, "vx0", "10.2.0.101")[:2] == (True, "delivered")
    _, _, found = to("vx0")
    assert [o["vtep"] for o in found["outputs"] if "vtep" in o] == [p1.ip]
    assert found["trace"]["agrees"], found["trace"]

    stream = net.stream(rate=200, count=0, vlan=10)
    _, _, found = asker.ask(extender, "192.168.168.55", "--live", "3")
    stream.stop()
    live = found["live"]
    assert len(live["packets"]) == 3, live
    by_ports = {r["ports"][0].get("vtep", ""): [p["out"][i]["vlan"] for p in
                                                live["packets"]]
                for i, r in enumerate(live["rewritings"])}
    assert by_ports == {p1.ip: [0] * 3, "": [10] * 3}, live

    stream = p2.inner[200].send(GROUP, PORT, 200, 0, source="10.2.0.102")
    _, _, found = asker.ask("vx0", "10.2.0.102", "--live", "3")
    stream.stop()
    live = found["live"]
    assert found["trace"]["agrees"], found["trace"]
    assert [(p["in"]["vlan"], p["out"][0]["vlan"])
            for p in live["packets"]] == [(0, 10)] * 3, live
