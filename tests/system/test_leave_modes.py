# SPDX-License-Identifier: Apache-2.0
"""How a port is left: leave: query, tracked and immediate."""

import pytest
from procs import wait_until
from scene import (GROUP, LAST_MEMBER, LONG, PORT, V4, V6, Net, expect_nothing,
                   settings, wait_silence)
from wire import Wire

MODES = ["query", "tracked", "immediate"]
# Where hosts are asked first a leave takes ten seconds; where nobody is asked
# it takes no time but that of a busy machine.
PATIENT = LONG.replace("last_member_interval: 0.3", "last_member_interval: 5")
AT_ONCE = 5


def configs(*modes, text=LONG):
    return [settings(text, leave=mode) for mode in modes]


def families(f):
    return f.name


def versions(index):
    return ["older", "newer"][index]


def parametrize(config_modes, indexes=(0, 1), text=LONG):
    """Each mode, in both families, in the older and the newer version."""
    def decorate(test):
        test = pytest.mark.parametrize(
            "config", configs(*config_modes, text=text),
            ids=config_modes)(test)
        test = pytest.mark.parametrize("family", [V4, V6], ids=families)(test)
        return pytest.mark.parametrize("index", indexes, ids=versions)(test)
    return decorate


@pytest.fixture
def net(ofmcast):
    """Nobody but the extender; each test says who shares what."""
    return Net(ofmcast, [], ipv6=True)


def shared(net, family, index, *names):
    hosts = net.lab.add_shared(net.s1, *names, ipv6=True)
    for host in hosts:
        family.force(host, family.versions[index])
    return hosts


def macs(net, family, host):
    """The hosts behind a port that are known to be members."""
    found = net.rest.members(net.s1, family.group).get(host.port)
    return sorted(h["mac"] for h in found["hosts"]) if found else []


@parametrize(MODES)
def test_one_of_two_leaves_and_the_other_loses_nothing(net, family, index,
                                                       config):
    stayer, leaver = shared(net, family, index, "stayer", "leaver")
    staying = stayer.receive(family.group, PORT)
    net.wait_members(stayer)
    # It is the last to report, and so leaves aloud in the older versions.
    leaving = leaver.receive(family.group, PORT)
    wait_until(lambda: macs(net, family, stayer)
               == sorted([stayer.mac, leaver.mac]), 5, "both are known")
    n = 6000
    stream = net.stream(rate=3000, count=n, group=family.group)
    staying.wait_for(500)

    leaving.leave()  # Long before the end.
    stream.wait()

    result = staying.wait_for(n).stop()
    assert (result["unique"], result["duplicated"], result["missing"]) \
        == (n, 0, 0)
    if config != settings(LONG, leave="immediate") or index:
        net.wait_members()  # The last one has gone as well.
    # Else it was not asked, and leaves in silence: in the older versions only
    # the last one to report says so (RFC 2236 3).


def leave_unasked(net, family, index):
    leaver, idle = shared(net, family, index, "leaver", "idle")
    leaving = leaver.receive(family.group, PORT)
    net.wait_members(leaver)
    wire = Wire(idle)
    stream = net.stream(rate=2000, count=0, group=family.group)
    tap = idle.tap().wait_for(500)

    left = leaving.leave()["t_ns"] / 1e9
    stopped = wait_silence(tap)

    assert stopped - left < AT_ONCE
    net.wait_members()
    assert wire.queries(family.group) == []
    stream.stop()


@parametrize(["tracked", "immediate"], indexes=[1], text=PATIENT)
def test_a_host_leaves_and_nobody_is_asked(net, family, index):
    leave_unasked(net, family, index)


@parametrize(["immediate"], indexes=[0], text=PATIENT)
def test_immediate_asks_nobody_in_the_older_versions_either(net, family,
                                                            index):
    leave_unasked(net, family, index)


@parametrize(["query"], indexes=[0, 1])
def test_query_asks_before_it_believes(net, family, index):
    leaver, idle = shared(net, family, index, "leaver", "idle")
    leaving = leaver.receive(family.group, PORT)
    net.wait_members(leaver)
    wire = Wire(idle)
    stream = net.stream(rate=2000, count=0, group=family.group)
    tap = idle.tap().wait_for(500)

    left = leaving.leave()["t_ns"] / 1e9
    stopped = wait_silence(tap)

    assert LAST_MEMBER - 0.2 < stopped - left < LAST_MEMBER + 3
    wait_until(lambda: len(wire.queries(family.group)) >= 2, 5,
               "last_member_count")
    assert len(wire.queries(family.group)) == 2
    stream.stop()


@parametrize(["tracked"], indexes=[0])
def test_tracked_asks_where_hosts_may_hide_behind_others(net, family, index):
    """A host of an older version may not have reported, because it heard
    another one do so: it is not known, and must not lose anything."""
    hidden, speaker = shared(net, family, index, "hidden", "speaker")
    receivers = [h.receive(family.group, PORT) for h in (hidden, speaker)]
    net.wait_members(speaker)
    forget(net, family, hidden)
    n = 6000
    stream = net.stream(rate=3000, count=n, group=family.group)
    receivers[0].wait_for(500)
    wire = Wire(hidden)

    receivers[1].leave()
    stream.wait()

    result = receivers[0].wait_for(n).stop()
    assert (result["unique"], result["duplicated"]) == (n, 0)
    assert wire.queries(family.group)


def forget(net, family, host):
    """The daemon restarts and hears of the others only."""
    host.mute()
    try:
        assert net.daemon.stop(10) == 0
        net.daemon.start().wait_synced(net.s1)
        wait_until(lambda: macs(net, family, host), 5, "somebody reports")
        assert host.mac not in macs(net, family, host)
    finally:
        host.unmute()


PER_PORT = PATIENT.replace("interval: 5", "interval: 1.5") + """\
ports:
  - {dpid: 1, port: s1-eth2, leave: immediate}
  - {dpid: 1, port: 3, leave: query}
port_defaults: {leave: tracked}
"""


@pytest.mark.parametrize("config", [PER_PORT], ids=[""])
def test_each_port_has_its_own(ofmcast):
    """By name, by number, and for the rest."""
    net = Net(ofmcast, ["h2", "h3", "h4"])
    receivers = [h.receive(GROUP, PORT) for h in net.hosts]
    net.wait_members(*net.hosts)
    wires = [Wire(h) for h in net.hosts]
    taps = [h.tap() for h in net.hosts]
    stream = net.stream(rate=1000, count=0)
    times = []
    for receiver, tap in zip(receivers, taps):
        tap.wait_for(200)
        left = receiver.leave()["t_ns"] / 1e9
        times.append(wait_silence(tap) - left)
    stream.stop()

    assert times[0] < 1.5 and times[2] < 1.5
    assert 3 - 0.2 < times[1] < 3 + 3
    wait_until(lambda: len(wires[1].queries(GROUP)) >= 2, 5, "both queries")
    assert [len(w.queries(GROUP)) for w in wires] == [0, 2, 0]


def test_a_reload_changes_the_mode(ofmcast, lab):
    net = Net(ofmcast, ["h2"])
    host = net.hosts[0]
    receiver = host.receive(GROUP, PORT)
    net.wait_members(host)
    n = 4000
    stream = net.stream(rate=2000, count=n)
    receiver.wait_for(500)

    ofmcast.reload(settings(LONG, leave="immediate"))
    stream.wait()

    assert receiver.wait_for(n).progress()[0]["missing"] == 0
    wire = Wire(host)
    receiver.stop()
    net.wait_members()
    assert wire.queries(GROUP) == []
    expect_nothing(host.tap().stop())
