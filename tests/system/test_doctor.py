# SPDX-License-Identifier: Apache-2.0
"""The doctor: each finding is silent, is provoked, has its evidence, and goes
away when it is cured."""

import json
import os
import signal

import pytest
from frames import TO_EX, TO_IN, old_message, record, v3_query, v3_report
from procs import LabError, wait_until
from rest import Daemon
from scene import GROUP, LONG, PORT, ROUTE, SHORT, Net, settings
from test_fragments import datagrams

# What a look of the doctor may take to notice.
SOON = 8

# Members whom nobody asks are forgotten only after 7.5 s, while the findings
# that come and go with queries still do so soon.
PATIENT = SHORT.replace("robustness: 2", "robustness: 7")


class Doctor:
    def __init__(self, daemon):
        self.daemon = daemon
        self.rest = daemon.rest

    def found(self, check, where=""):
        return [f for f in self.rest.list("doctor")
                if f["id"] == check and where in f["where"]]

    def expect_silent(self, check):
        assert self.found(check) == []

    def wait(self, check, where="", evidence=""):
        """Waits until the finding is there; it."""
        try:
            # It, and not the next answer: by then it may be over.
            [finding] = wait_until(lambda: self.found(check, where), SOON,
                                   "")
        except LabError:
            raise LabError(f"no {check} {where}, there is"
                           f" {self.rest.list('doctor')}") from None
        assert evidence in finding["evidence"], finding
        assert finding["text"] and finding["cure"]
        return finding

    def wait_cured(self, check, where=""):
        wait_until(lambda: not self.found(check, where), SOON,
                   f"{check} {where} is cured")

    def run(self, *options):
        """ofmcastctl doctor: its exit status and what it printed."""
        done = self.daemon.ctl_done("doctor", *options)
        return done.returncode, done.stdout


def tell_rmem(size, tmp_path, monkeypatch):
    """Daemons that start from now on see this as the kernel's default."""
    told = tmp_path / "rmem_default"
    told.write_text(f"{size}\n")
    script = tmp_path / "run"
    script.write_text("#!/bin/sh -e\n"
                      f"mount --bind {told} /proc/sys/net/core/rmem_default\n"
                      'exec "$@"\n')
    script.chmod(0o755)
    wrap = os.environ.get("OFMCAST_WRAP", "")
    monkeypatch.setenv("OFMCAST_WRAP", f"unshare -m {script} {wrap}")


@pytest.fixture
def big_buffers(tmp_path, monkeypatch):
    tell_rmem(16 << 20, tmp_path, monkeypatch)


@pytest.fixture
def doctor(ofmcast):
    return Doctor(ofmcast)


def join(host, group=GROUP, vlan=0, source="10.1.0.2", kind=TO_EX,
         sources=()):
    """Once: no kernel answers queries for it.  So where it has to last the
    configuration is LONG."""
    host.send_frames(v3_report(source, [record(kind, group, sources)]))


@pytest.mark.usefixtures("big_buffers")
def test_nothing_is_wrong_where_nothing_is(request):
    """The main job at work: no warning, no error; exit 0."""
    net, doctor = map(request.getfixturevalue, ("net", "doctor"))
    member = net.hosts[0]
    net.put_route()
    receiver = member.receive(GROUP, PORT)
    net.wait_members(member)
    net.stream(rate=1000, count=2000).wait()
    receiver.wait_for(2000)
    try:
        wait_until(lambda: doctor.run()[0] == 0, SOON, "exit status 0")
    except LabError:
        raise LabError(doctor.run()[1]) from None
    bad = [f for f in net.rest.list("doctor") if f["severity"] != "note"]
    assert bad == []
    code, text = doctor.run("--json")
    assert code == 0 and json.loads(text)["doctor"] is not None


@pytest.mark.parametrize("config", [settings(PATIENT, querier="false")],
                         ids=[""])
def test_d1_no_querier(net, doctor):
    asker, member, *_ = net.hosts
    doctor.expect_silent("D1")
    receiver = member.receive(GROUP, PORT)
    finding = doctor.wait("D1", "vlan 0", '"querier" is false')
    assert finding["severity"] == "error"
    assert doctor.run()[0] == 2
    asker.send_frames(v3_query("10.1.0.1"))
    doctor.wait_cured("D1")
    receiver.stop()


@pytest.mark.parametrize("config",
                         [settings(LONG, querier_address="1.1.1.1")],
                         ids=[""])
def test_d2_querier_address(net, doctor, ofmcast):
    doctor.expect_silent("D2")
    join(net.hosts[0])
    doctor.wait("D2", "vlan 0", "are in 10.1.0.0/24")
    code, text = doctor.run()
    assert code == 1 and "1.1.1.1" in text
    ofmcast.reload(settings(LONG, querier_address="10.1.0.250"))
    doctor.wait_cured("D2")


def test_d3_two_queriers(net, doctor):
    """0.0.0.0 asks beside us, and takes part in no election."""
    rival, member, *_ = net.hosts
    join(member)
    doctor.expect_silent("D3")
    for _ in range(3):
        rival.send_frames(v3_query("0.0.0.0"))
    doctor.wait("D3", "vlan 0", rival.port_name)
    doctor.wait_cured("D3")  # It has ceased.


def test_d3_an_election_that_goes_on(net, doctor, ofmcast):
    low, *_ = net.hosts
    doctor.expect_silent("D3")
    for _ in range(2):
        # In version 2, which tells no interval: ours is in force.
        low.send_frames(old_message(0x11, "10.0.0.1", "224.0.0.1", "0.0.0.0",
                                    response=5))
        wait_until(lambda: not igmp_querier(net)["ours"], 5, "it has won")
        wait_until(lambda: igmp_querier(net)["ours"], 10, "it is forgotten")
    doctor.wait("D3", "vlan 0", "changes in the last 5 minutes")


def igmp_querier(net):
    [found] = [q for q in net.rest.list("queriers") if q["family"] == 4]
    return found


def test_d4_an_older_querier(net, doctor):
    rival, member, *_ = net.hosts
    join(member)
    doctor.expect_silent("D4")
    rival.send_frames(old_message(0x11, "10.1.0.200", "224.0.0.1", "0.0.0.0",
                                  response=5))
    doctor.wait("D4", "vlan 0", "version 2")
    doctor.wait_cured("D4")


def test_d4_an_old_host_beside_filters(net, doctor):
    old, new = net.lab.add_shared(net.s1, "old", "new")
    new.receive(GROUP, PORT, source="192.168.168.55")
    net.wait_members(new)
    doctor.expect_silent("D4")
    old.force_igmp(2)
    receiver = old.receive(GROUP, PORT)
    doctor.wait("D4", GROUP, "version 2")
    receiver.stop()
    old.die()
    doctor.wait_cured("D4")


def test_d5_querier_timers(net, doctor):
    rival, member, *_ = net.hosts
    join(member)
    doctor.expect_silent("D5")
    # QQIC and robustness as v3_query() has them: not ours.
    rival.send_frames(v3_query("10.1.0.1"))
    doctor.wait("D5", "vlan 0", "its query interval is")


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_d6_shared_mac(net, doctor):
    a, b, *_ = net.hosts
    join(a, "224.1.1.1")
    net.wait_members(a)
    doctor.expect_silent("D6")
    join(b, "239.129.1.1")
    doctor.wait("D6", "239.129.1.1", "01:00:5e:01:01:01")
    join(b, "239.129.1.1", kind=TO_IN)
    doctor.wait_cured("D6")


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_d6_a_mac_that_switches_flood(net, doctor):
    a, *_ = net.hosts
    join(a, "239.1.0.1")
    net.wait_members(a)
    doctor.expect_silent("D6")
    join(a, "239.0.0.1")
    doctor.wait("D6", "239.0.0.1", "01:00:5e:00:00:01")
    join(a, "239.0.0.1", kind=TO_IN)
    doctor.wait_cured("D6")


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_d7_ttl(net, doctor):
    router, member, *_ = net.hosts
    join(member)
    net.put_route()
    net.stream(rate=100, count=10).wait()
    wait_until(lambda: net.rest.list("streams"), 5, "a stream")
    doctor.expect_silent("D7")
    net.rest.put("/v1/members/uplink", {"dpid": "1", "port": router.port_name,
                                        "router": True})
    doctor.wait("D7", GROUP, "TTL of its first packet 1")
    net.put_route({**ROUTE, "set": {"source": "10.1.0.10", "ttl": 16}})
    doctor.wait_cured("D7")


def test_d8_foreign_source(net, doctor):
    member = net.hosts[0]
    doctor.expect_silent("D8")
    member.receive(GROUP, PORT)
    net.wait_members(member)
    net.stream(rate=100, count=10).wait()
    doctor.wait("D8", "192.168.168.55", "no route sets another source")
    net.put_route()
    doctor.wait_cured("D8")


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_d9_the_other_vlan(net, doctor):
    member = net.hosts[0]
    join(member)
    net.wait_members(member)
    net.stream(rate=100, count=10).wait()
    wait_until(lambda: net.rest.list("streams"), 5, "a stream")
    doctor.wait_cured("D9")
    net.stream(rate=100, count=10, group="239.7.7.7", vlan=10).wait()
    finding = doctor.wait("D9", "239.7.7.7")
    assert finding["severity"] == "note"  # Nobody wants it.
    join(member, "239.7.7.7")
    wait_until(lambda: doctor.wait("D9", "vlan 10 stream")["severity"]
               == "warning", SOON, "those who wait for it are elsewhere")
    assert "vlan 0" in doctor.wait("D9", "vlan 10 stream")["text"]


def test_d12_group_size(net, doctor):
    port = net.hosts[0].port_name
    doctor.expect_silent("D12")

    def route(n):
        return {**ROUTE, "to": [
            {"dpid": "1", "port": port,
             "set": {"udp_dst": 5000 + i,
                     "group": f"239.1.{i // 250}.{i % 250 + 1}"}}
            for i in range(n)]}

    net.put_route(route(800))
    doctor.wait("D12", "route to 226.2.2.2", "at most 65531")
    net.put_route(route(100))
    doctor.wait_cured("D12")


@pytest.mark.parametrize("size,is_found", [(16777216, False), (212992, True)])
def test_d13_receive_buffer(lab, config, tmp_path, monkeypatch, size,
                            is_found):
    tell_rmem(size, tmp_path, monkeypatch)
    daemon = Daemon(lab, config).start()
    Net(daemon, ["h2"])
    if is_found:
        Doctor(daemon).wait("D13", "this machine", str(size))
    else:
        Doctor(daemon).expect_silent("D13")
    assert daemon.stop(20) == 0


def test_d14_missing(net, doctor):
    host = net.hosts[0]
    doctor.wait_cured("D14")
    net.rest.put("/v1/members/recorder", {"dpid": "1", "port": "eth99",
                                          "group": GROUP})
    doctor.wait("D14", "member recorder", "eth99")
    net.rest.delete("/v1/members/recorder")
    doctor.wait_cured("D14")
    net.rest.put("/v1/members/recorder", {"dpid": "1",
                                          "port": host.port_name,
                                          "group": GROUP})
    net.s1.ofctl("mod-port", host.port_name, "down")
    doctor.wait("D14", f"port {host.port_name}", "recorder")
    net.s1.ofctl("mod-port", host.port_name, "up")
    doctor.wait_cured("D14")


def test_d14_a_switch_that_is_away(net, doctor):
    doctor.wait_cured("D14")
    net.s1.set_controller("tcp:127.0.0.1:1")
    assert doctor.wait("D14", "switch 1", "away for")["severity"] == "error"
    net.s1.set_controller(net.lab.controller)
    doctor.wait_cured("D14")


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_d15_duplicate_source(net, doctor):
    twin = net.hosts[0]
    join(net.hosts[1])
    net.wait_members(net.hosts[1])
    net.stream(rate=100, count=10).wait()
    wait_until(lambda: net.rest.list("streams"), 5, "a stream")
    doctor.expect_silent("D15")
    net.put_route({"match": {"dpid": "1", "port": twin.port_name,
                             "source": "192.168.168.55", "group": GROUP},
                   "set": {"source": "10.1.0.11"}}, name="twin")
    twin.send(GROUP, PORT, 100, 10, source="192.168.168.55").wait()
    wait_until(lambda: len(net.rest.list("streams")) == 2, 5, "both")
    doctor.expect_silent("D15")  # A route tells them apart.
    net.rest.delete("/v1/routes/twin")
    doctor.wait("D15", "192.168.168.55", twin.port_name)


@pytest.mark.parametrize("config", [PATIENT + "port_defaults: "
                                    "{delivery: unicast}\n"], ids=[""])
def test_d16_suppression(net, doctor):
    """A host that does not answer while its neighbour does."""
    quiet, loud = net.lab.add_shared(net.s1, "quiet", "loud")
    for host in quiet, loud:
        host.force_igmp(2)
        host.receive(GROUP, PORT)
    wait_until(lambda: len(net.rest.members(net.s1, GROUP).get(
        loud.port, {"hosts": []})["hosts"]) == 2, 5, "both are known")
    doctor.expect_silent("D16")
    quiet.mute()
    doctor.wait("D16", GROUP, quiet.mac)
    quiet.unmute()
    doctor.wait_cured("D16")


def test_d17_route_cycle(net, doctor, ofmcast):
    other = Net(ofmcast, ["h6"], name="s2", dpid=2)
    forth = {"match": {"group": "239.1.1.1"},
             "to": [{"dpid": "1", "port": net.hosts[0].port_name,
                     "set": {"group": "239.2.2.2"}}]}
    back = {"match": {"group": "239.2.2.2"},
            "to": [{"dpid": "2", "port": other.hosts[0].port_name,
                    "set": {"group": "239.1.1.1"}}]}
    net.put_route(forth, name="forth")
    doctor.expect_silent("D17")
    net.put_route(back, name="back")
    finding = doctor.wait("D17", "route", "makes 239.2.2.2 on switch 1")
    assert finding["severity"] == "error"
    back["match"]["vlan"] = 10
    net.put_route(back, name="back")
    doctor.wait_cured("D17")


def test_d18_upstream_silent(net, doctor):
    uplink, member, *_ = net.hosts
    member.receive("239.5.5.5", PORT)
    net.wait_members(member)
    doctor.expect_silent("D18")
    net.rest.put("/v1/members/uplink", {"dpid": "1", "port": uplink.port_name,
                                        "router": True})
    doctor.wait("D18", "239.5.5.5", uplink.port_name)
    uplink.send("239.5.5.5", PORT, 100, 10, source="10.9.9.9").wait()
    doctor.wait_cured("D18")


@pytest.mark.parametrize("config", [PATIENT], ids=[""])
def test_d19_bad_messages(net, doctor):
    host = net.hosts[0]
    join(host)
    net.wait_members(host)
    doctor.expect_silent("D19")
    good = v3_report("10.1.0.2", [record(TO_EX, GROUP)])
    host.send_frames(good[:-1] + bytes([good[-1] ^ 1]))
    doctor.wait("D19", "IGMP bad-checksum", host.port_name)
    doctor.wait_cured("D19")


@pytest.mark.parametrize("config", [SHORT], ids=[""])
def test_d21_datapath(net, doctor):
    """A switch here has the userspace datapath, by a sign; what fragments may
    do follows the configuration."""
    def configure(more):
        net.daemon.configure(SHORT + more)
        net.daemon.process.signal(signal.SIGHUP)

    def put():
        return net.rest.request("PUT", "/v1/routes/hdmi",
                                ROUTE | {"fragments": "pass"})

    doctor.expect_silent("D21")
    shown = net.rest.switch(net.s1)
    assert (shown["datapath"], shown["datapath_seen"]) == ("netdev", "netdev")
    refused = put()
    assert refused.status == 422
    assert refused.json["pointer"] == "/fragments"
    assert "route neutral" in refused.json["detail"]
    assert "datapath: kernel" in refused.json["detail"]

    configure("switches: [{dpid: 1, datapath: kernel}]\n")
    finding = doctor.wait("D21", "switch 1", "8 bands")
    assert finding["severity"] == "error"
    assert net.rest.switch(net.s1)["datapath"] == "kernel"
    assert put().status == 201
    status = net.rest.get("/v1/routes/hdmi")["status"][0]
    assert status["fragments"] == "pass"

    configure("")
    doctor.wait_cured("D21")
    status = net.rest.get("/v1/routes/hdmi")["status"][0]
    assert status["fragments"] == "drop"


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_d22_port_losses(net, doctor):
    """A port whose other end takes no packets of that size; all views of
    ports show the same numbers."""
    member = net.hosts[0]
    net.put_route()
    receiver = member.receive(GROUP, PORT)
    net.wait_members(member)
    doctor.expect_silent("D22")

    def sent():
        ports = {p["port"]: p for p in net.rest.switch(net.s1)["ports"]}
        return {n: int(value, 16) for n, value
                in ports[member.port].get("counters", {}).items()}

    # What was lost before they are first read is no finding.
    wait_until(sent, 20, "the port's counters are known")
    member.run("ip", "link", "set", "dev", member.iface, "mtu", "200")
    net.stream(rate=1000, count=3000).wait()

    finding = doctor.wait("D22", f"port {member.port_name}, out", "drops")
    assert finding["severity"] == "warning"
    # How many of the 3,000: what the kernel tells, which is less, and the
    # first look may have been in their midst.
    wait_until(lambda: sent()["tx_dropped"] >= 10, 20, "more are counted")
    dropped = sent()["tx_dropped"]
    explained = net.rest.get(
        f"/v1/explain?dpid=1&in_port={net.extender.port}"
        f"&source=192.168.168.55&group={GROUP}&to_port={member.port}")
    [output] = explained["outputs"]
    assert int(output["port_counters"]["tx_dropped"], 16) >= dropped
    shown = net.daemon.ctl("show", "ports", "1")
    row, = [r.split() for r in shown.splitlines() if member.port_name in r]
    assert int(row[11]) >= dropped
    receiver.stop()


def test_d20_link_local(net, doctor):
    doctor.expect_silent("D20")
    net.rest.put("/v1/flows/mdns", {
        "dpid": "1",
        "flow": "table=0,priority=5,ip,nw_dst=224.0.0.251,actions=drop"})
    doctor.wait("D20", "flow mdns", "nw_dst=224.0.0.251")
    net.rest.delete("/v1/flows/mdns")
    doctor.wait_cured("D20")
    net.rest.put("/v1/flows/mdns6", {
        "dpid": "1",
        "flow": "table=0,priority=5,ipv6,ipv6_dst=ff02::fb,actions=drop"})
    doctor.wait("D20", "flow mdns6", "ipv6_dst=ff02::fb")
    net.rest.delete("/v1/flows/mdns6")
    doctor.wait_cured("D20")


def test_findings_are_metrics_and_events(net, doctor):
    body = net.rest.request("GET", "/metrics").body
    assert ('ofmcast_doctor_findings{id="D20",name="link-local",'
            'severity="none"} 0') in body
    net.rest.put("/v1/flows/mdns", {
        "dpid": "1",
        "flow": "table=0,priority=5,ip,nw_dst=224.0.0.251,actions=drop"})
    doctor.wait("D20", "flow mdns")
    assert ('ofmcast_doctor_findings{id="D20",name="link-local",'
            'severity="warning"} 1') in net.rest.request("GET",
                                                          "/metrics").body


@pytest.mark.parametrize("config", [SHORT], ids=[""])
def test_d10_fragments(net, doctor):
    """Datagrams in pieces through a rewriting that would damage them."""
    member = net.hosts[0]
    member.receive(GROUP, PORT)
    net.wait_members(member)
    net.put_route()
    net.stream(rate=100, count=10).wait()
    doctor.expect_silent("D10")
    frames, _ = datagrams()
    net.extender.send_frames(*frames)
    doctor.wait("D10", "route hdmi", "fragments so far")
    net.put_route({**ROUTE, "set": {"ttl": 9}})
    doctor.wait_cured("D10")


def with_mtu(mtu):
    return LONG + "ports: [{dpid: 1, port: s1-eth2, mtu: " + f"{mtu}" + "}]\n"


@pytest.mark.parametrize("config", [with_mtu(1500)], ids=[""])
def test_d11_mtu(net, doctor, ofmcast):
    member = net.hosts[0]
    assert member.port_name == "s1-eth2"
    join(member)
    net.wait_members(member)
    net.stream(rate=100, count=10, size=1200).wait()
    wait_until(lambda: net.rest.list("streams"), 5, "a stream")
    doctor.expect_silent("D11")
    ofmcast.reload(with_mtu(1000))
    doctor.wait("D11", f"port {member.port_name}", "the MTU of the port is")
    ofmcast.reload(with_mtu(1400))
    doctor.wait_cured("D11")
