# SPDX-License-Identifier: Apache-2.0
"""ofmcastctl import: files of other systems do here what they did there; and
export, which brings everything back."""

import json
import os
import shutil

import pytest
from procs import wait_until
from scene import GROUP, LONG, PORT, Net, expect_all, expect_nothing

N = 2000
OK, FAILED, USAGE, AWAY = 0, 1, 2, 5


@pytest.fixture
def config():
    return LONG


def ctl(net, *argv, code=OK, stdin=None):
    """ofmcastctl ARGV, which must end with 'code'."""
    done = net.daemon.ctl_done(*argv, stdin=stdin)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done


def write(net, name, text):
    path = os.path.join(net.lab.dir, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def import_text(net, kind, text, *options, code=OK):
    """By a file; {name: JSON of the import's answer}."""
    path = write(net, f"{kind}.conf", text)
    done = ctl(net, "import", "--format", kind, "--json", *options, path,
               code=code)
    return json.loads(done.stdout) if done.stdout else None


def names(net, plural="routes"):
    return sorted(r["name"] for r in net.rest.list(plural))


def states(answer):
    return sorted({r["state"] for r in answer["results"]})


def ports(net):
    """The extender's and the hosts' ports, as the files name them."""
    return [h.port_name for h in (net.extender, *net.hosts)]


def test_smcroute(net):
    """An mroute to two interfaces; another source is stopped."""
    h2, h3, h4, _ = net.hosts
    eth1, eth2, eth3, eth4, _ = ports(net)
    answer = import_text(net, "smcroute", f"""\
# Comment.
phyint {eth1} enable
phyint {eth2} enable ttl-threshold 1
mgroup from {eth1} group 225.1.2.3
mroute from {eth1} group 225.1.2.3 to {eth2} {eth3}
mroute from {eth1} source 192.168.168.66 group 225.1.2.3
""")
    assert states(answer) == ["applied"] and answer["notes"] == []
    assert names(net) == [
        f"smcroute-1.225.1.2.3-192.168.168.66-{eth1}",
        f"smcroute-1.225.1.2.3-{eth1}"]
    taps = [h.tap() for h in (h2, h3, h4)]

    first = net.extender.send("225.1.2.3", PORT, 1000, N, stream=1)
    second = net.extender.send("225.1.2.3", PORT, 1000, N, stream=2,
                               source="192.168.168.66")
    for stream in first, second:
        stream.wait()

    for tap in taps[:2]:
        expect_all(tap.wait_for(N).stop(), N, source="192.168.168.55",
                   group="225.1.2.3")
    expect_nothing(taps[2].stop())


def test_socat_to_a_port_by_the_address_it_had(net):
    h2, h3, *_ = net.hosts
    eth1, eth2, *_ = ports(net)
    answer = import_text(
        net, "socat", f"socat -u UDP4-RECV:{PORT},"
        f"ip-add-membership=239.1.1.1:{eth1} "
        "UDP4-SENDTO:239.10.10.10:6001,bind=10.1.1.2,ip-multicast-ttl=8 &\n",
        "--address", f"{eth2}=10.1.1.2")
    assert states(answer) == ["applied"]
    wire, other = h2.tap(), h3.tap()

    net.stream(rate=1000, count=N, group="239.1.1.1").wait()

    result = wire.wait_for(N).stop()
    expect_all(result, N, source="10.1.1.2", group="239.10.10.10")
    arrived = result["paths"][0]["arrived"]
    assert (arrived["port"], arrived["ttl"]) == (6001, 8)
    expect_nothing(other.stop())


def test_socat_to_whoever_joins(net):
    """And two lines that read the same stream become one route."""
    h2, h3, h4, _ = net.hosts
    eth1 = net.extender.port_name
    relay = (f"socat -u UDP4-RECV:{PORT},ip-add-membership=239.1.1.1:{eth1} "
             "UDP4-SENDTO:239.10.10.%d:6001,bind=10.1.1.2\n")
    import_text(net, "socat", relay % 10)
    assert names(net) == [f"socat-1.239.1.1.1-{PORT}-{eth1}"]
    receiver = h2.receive("239.10.10.10", 6001)
    not_yet = h3.receive("239.10.10.11", 6001)
    net.wait_groups([h2], [h3])
    bystander = h4.tap()

    net.stream(rate=1000, count=N, group="239.1.1.1").wait()

    expect_all(receiver.wait_for(N).stop(), N, source="10.1.1.2",
               group="239.10.10.10")
    expect_nothing(not_yet.stop())
    expect_nothing(bystander.stop())


def test_pymfcd(net):
    """Its functional test's entries, with packets; another source is not
    forwarded."""
    h2, h3, *_ = net.hosts
    eth1, eth2, eth3, *_ = ports(net)
    state = {"mfc_rules": [
        {"source": "10.0.1.10", "group": "239.10.20.30", "iif": eth1,
         "oifs": [eth2]},
        {"source": "10.0.1.11", "group": "239.10.20.31", "iif": eth1,
         "oifs": [eth2, eth3]}]}
    answer = import_text(net, "pymfcd", json.dumps(state, indent=2))
    assert states(answer) == ["applied"]
    wire, second = h2.tap(), h3.tap()

    streams = [net.extender.send(group, PORT, 500, N, stream=i, source=source)
               for i, (source, group) in enumerate(
                   [("10.0.1.10", "239.10.20.30"),
                    ("10.0.1.99", "239.10.20.30"),
                    ("10.0.1.11", "239.10.20.31")], 1)]
    for stream in streams:
        stream.wait()

    assert_paths(wire.wait_for(2 * N).stop(),
                 [("10.0.1.10", "239.10.20.30"),
                  ("10.0.1.11", "239.10.20.31")])
    expect_all(second.wait_for(N).stop(), N, source="10.0.1.11",
               group="239.10.20.31")


def assert_paths(result, wanted):
    """N packets of each, once."""
    assert sorted((p["arrived"]["source"], p["arrived"]["group"])
                  for p in result["paths"]) == wanted
    assert (result["unique"], result["missing"], result["duplicated"]) == \
        (len(wanted) * N, 0, 0)


def test_mcr(net):
    """One stream to two interfaces, each with its own group, port, TTL and
    source."""
    h2, h3, h4, _ = net.hosts
    eth1, eth2, eth3, *_ = ports(net)
    answer = import_text(net, "mcr", """\
{
  // JSON5: comments, bare keys, trailing commas, single quotes.
  pinning: {'%s': [0, 1]},
  multicast_ttl: 4,
  rules: [
    {
      name: 'feed',
      input: {interface: '%s', group: '239.1.1.1', port: %d},
      outputs: [
        {interface: '%s', group: '239.2.2.2', port: 6001, ttl: 16},
        {interface: '%s', group: '239.3.3.3', port: 0x1772,},
      ],
    },
  ],
}
""" % (eth1, eth1, PORT, eth2, eth3), "--address", f"{eth2}=10.1.1.2")
    assert states(answer) == ["applied"] and names(net) == ["mcr-1.feed"]
    assert [n["line"] for n in answer["notes"]] == [3, 11]
    taps = [h.tap() for h in (h2, h3, h4)]

    net.stream(rate=1000, count=N, group="239.1.1.1").wait()

    for tap, wanted in zip(taps, [("10.1.1.2", "239.2.2.2", 6001, 16),
                                  ("192.168.168.55", "239.3.3.3", 6002, 4)]):
        source, group, port, ttl = wanted
        result = tap.wait_for(N).stop()
        expect_all(result, N, source=source, group=group)
        arrived = result["paths"][0]["arrived"]
        assert (arrived["port"], arrived["ttl"]) == (port, ttl)
    expect_nothing(taps[2].stop())


def test_igmpproxy(net):
    """The upstream interface is a router port at once; the rest is a piece of
    configuration that ofmcastd takes, and that does what it says."""
    stb = net.hosts[0]
    eth1, eth2, eth3, *_ = ports(net)
    answer = import_text(net, "igmpproxy", f"""\
quickleave
mut_init
phyint {eth1} upstream
       altnet 10.0.0.0/8
phyint {eth2} downstream ratelimit 0 threshold 1
phyint {eth3} disabled
""")
    assert states(answer) == ["applied"]
    assert names(net, "members") == [f"igmpproxy-1.upstream-{eth1}"]
    net.daemon.reload(LONG + answer["config"])
    receiver = stb.receive(GROUP, PORT)
    deaf = net.hosts[1].receive(GROUP, PORT)
    wait_until(lambda: stb.port in net.rest.members(net.s1, GROUP), 10,
               "the box has joined")
    assert net.rest.members(net.s1, GROUP)[stb.port]["delivery"] == "unicast"
    wire = stb.tap(group=GROUP)

    net.stream(rate=1000, count=N).wait()

    expect_all(receiver.wait_for(N).stop(), N, source="192.168.168.55")
    assert wire.wait_for(N).stop()["macs"] == {stb.mac: N}
    expect_nothing(deaf.stop())


def test_a_dry_run_writes_nothing(net):
    eth1, eth2, *_ = ports(net)
    path = write(net, "smcroute.conf",
                 f"mroute from {eth1} group 225.1.2.3 to {eth2}\n")
    done = ctl(net, "import", "--format", "smcroute", "--dry-run", path)
    assert f"+ route smcroute-1.225.1.2.3-{eth1}  ({path}:1)" in done.stdout
    assert "1 to add, 0 to change, 0 the same; nothing was written" \
        in done.stdout
    assert names(net) == [] and net.group_ports() == {}


def test_the_difference_and_replace(net):
    eth1, eth2, eth3, *_ = ports(net)
    net.put_route()
    lines = [f"mroute from {eth1} group 225.1.2.{i} to {eth2}\n"
             for i in range(4)]
    kept = f"smcroute-1.225.1.2.%d-{eth1}"
    first = import_text(net, "smcroute", "".join(lines))
    assert [len(first[k]) for k in ("added", "changed", "same", "left")] \
        == [4, 0, 0, 0]
    again = import_text(net, "smcroute", "".join(lines))
    assert [len(again[k]) for k in ("added", "changed", "same", "left")] \
        == [0, 0, 4, 0]
    assert again["results"] == []

    text = "".join(lines[:2]) \
        + f"mroute from {eth1} group 225.1.2.2 to {eth2} {eth3}\n"
    path = write(net, "smcroute.conf", text)
    done = ctl(net, "import", "--format", "smcroute", "--dry-run",
               "--replace", path)
    assert f"~ route {kept % 2}" in done.stdout
    assert f"- route {kept % 3}" in done.stdout
    left = import_text(net, "smcroute", text)
    assert [r["name"] for r in left["changed"]] == [kept % 2]
    assert [r["name"] for r in left["left"]] == [kept % 3]
    assert len(names(net)) == 5
    gone = import_text(net, "smcroute", text, "--replace")
    assert [r["name"] for r in gone["removed"]] == [kept % 3]
    assert names(net) == ["hdmi"] + [kept % i for i in range(3)]


def test_a_renamed_rule_replaces_its_former_self(net):
    """Two routes with the same match are refused: the old one goes first."""
    eth1, eth2, *_ = ports(net)
    rules = ("{rules: [{name: '%s', input: {interface: '" + eth1
             + "', group: '239.1.1.1', port: 5001}, outputs: [{interface: '"
             + eth2 + "', group: '239.1.1.1', port: 5001}]}]}")
    import_text(net, "mcr", rules % "old")
    refused = import_text(net, "mcr", rules % "new", code=FAILED)
    assert states(refused) == ["refused"]
    answer = import_text(net, "mcr", rules % "new", "--replace")
    assert states(answer) == ["applied", "removed"]
    assert names(net) == ["mcr-1.new"]


def test_an_error_names_file_and_line_and_nothing_is_written(net):
    eth1, eth2, *_ = ports(net)
    good = f"mroute from {eth1} group 225.1.2.3 to {eth2}\n"
    main = write(net, "smcroute.conf", f"{good}include snippets/*.conf\n"
                 "mrout from eth0\n")
    os.mkdir(os.path.join(net.lab.dir, "snippets"))
    one = write(net, "snippets/10.conf", good + "\n# x\nmgroop from eth0\n")
    write(net, "snippets/20.conf", good)
    done = ctl(net, "import", "--format", "smcroute", main, code=FAILED)
    assert done.stdout == ""
    assert f"{one}:4: unknown directive 'mgroop'" in done.stderr
    assert f"{main}:3: unknown directive 'mrout'" in done.stderr
    assert "2 errors; nothing was written" in done.stderr
    assert names(net) == []


def test_what_the_daemon_refuses_is_told_with_its_line(net):
    """The others are written all the same."""
    eth1, eth2, *_ = ports(net)
    path = write(net, "smcroute.conf",
                 f"mroute from {eth1} group 224.0.0.9 to {eth2}\n"
                 f"mroute from {eth1} group 225.1.2.3 to {eth2}\n")
    done = ctl(net, "import", "--format", "smcroute", path, code=FAILED)
    assert f"{path}:1: route smcroute-1.224.0.0.9-{eth1}: " in done.stderr
    assert "link-local" in done.stderr and "/match/group" in done.stderr
    assert "1 refused" in done.stdout
    assert names(net) == [f"smcroute-1.225.1.2.3-{eth1}"]


def test_ports_that_are_not_there_are_pending(net):
    path = write(net, "smcroute.conf",
                 f"mroute from {net.extender.port_name} group 225.1.2.3 "
                 "to eth77\n")
    done = ctl(net, "import", "--format", "smcroute", path)
    assert ": pending: " in done.stdout and "eth77" in done.stdout
    assert "Whether ports of these names exist was not looked at" \
        in done.stdout


def test_of_several_switches_one_must_be_named(net):
    second = net.lab.add_switch("s2", 2)
    net.daemon.wait_synced(second)
    text = "mroute from eth0 group 225.1.2.3 to eth1\n"
    path = write(net, "smcroute.conf", text)
    done = ctl(net, "import", "--format", "smcroute", path, code=FAILED)
    assert "give --switch with one of 1, 2" in done.stderr
    ctl(net, "import", "--format", "smcroute", "--switch", "2", "-",
        stdin=text)
    [route] = net.rest.list("routes")
    assert route["name"] == "smcroute-2.225.1.2.3-eth0"
    assert route["match"]["dpid"] == second.dpid_text


def test_what_is_exported_comes_back(net):
    """Routes, members and flows, into a daemon that knows nothing."""
    h2, h3, *_ = net.hosts
    eth1, eth2, eth3, *_ = ports(net)
    import_text(net, "socat", f"socat -u UDP4-RECV:{PORT},"
                f"ip-add-membership=239.1.1.1:{eth1} UDP4-SENDTO:239.10.10.10:"
                f"6001,bind=10.1.1.2,if={eth2},tos=184\n")
    net.put_route({"match": {"group": GROUP, "vlan": 0, "udp_dst": PORT},
                   "set": {"source": "10.1.0.10", "eth_src": "auto"}})
    net.put_route({"match": {"group": "239.7.0.0/16"}, "to": []}, name="stop")
    net.rest.put("/v1/members/recorder", {
        "dpid": "1", "port": eth3, "group": GROUP,
        "sources": ["192.168.168.55", "10.0.0.9"], "mode": "exclude"})
    net.rest.put("/v1/members/uplink", {"dpid": "1", "port": "eth9",
                                        "router": True})
    net.rest.put("/v1/flows/g5", {
        "dpid": "1", "group": "group_id=5,type=all,bucket=output:2"})
    net.rest.put("/v1/flows/f5", {
        "dpid": "1", "flow": "table=0,priority=9,udp,actions=resubmit(,10)"})
    exported = ctl(net, "export").stdout
    path = write(net, "export.json", exported)
    assert len(json.loads(exported)["routes"]) == 3
    same = ctl(net, "import", "--format", "ofmcast", "--dry-run", path)
    assert "0 to add, 0 to change, 7 the same" in same.stdout

    # A group's id does not say whose it is: a fresh daemon would take a static
    # one that is still in the switch for somebody else's.
    for name in "f5", "g5":
        net.rest.delete(f"/v1/flows/{name}")
    assert net.daemon.stop(20) == 0
    shutil.rmtree(net.daemon.state)
    os.mkdir(net.daemon.state)
    net.daemon.start().wait_synced(net.s1)
    assert names(net) == names(net, "members") == names(net, "flows") == []
    ctl(net, "import", "--format", "ofmcast", path)

    assert ctl(net, "export").stdout == exported
    wire = h2.tap()
    net.stream(rate=1000, count=N, group="239.1.1.1").wait()
    expect_all(wire.wait_for(N).stop(), N, source="10.1.1.2",
               group="239.10.10.10")


def test_replace_brings_a_daemon_to_what_was_exported(net):
    eth1, eth2, *_ = ports(net)
    net.put_route()
    path = write(net, "export.json", ctl(net, "export").stdout)
    net.put_route({"match": {"group": "239.9.9.9"}}, name="later")
    net.put_route({"match": {"group": GROUP}})
    ctl(net, "import", "--format", "ofmcast", path)
    assert names(net) == ["hdmi", "later"]
    ctl(net, "import", "--format", "ofmcast", "--replace", path)
    assert names(net) == ["hdmi"]
    assert net.rest.get("/v1/routes/hdmi")["match"]["source"] \
        == "192.168.168.55"


def test_without_a_switch_there_is_none_to_choose(ofmcast):
    net = Net.__new__(Net)
    net.daemon, net.lab = ofmcast, ofmcast.lab
    path = write(net, "x.conf", "mroute from eth0 group 225.1.2.3 to eth1\n")
    done = ctl(net, "import", "--format", "smcroute", path, code=FAILED)
    assert "no switch is connected" in done.stderr
    ofmcast.stop()
    ctl(net, "import", "--format", "smcroute", path, code=AWAY)
