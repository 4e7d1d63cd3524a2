# SPDX-License-Identifier: Apache-2.0
"""Source filters, enforced in the switch: who asked for which source gets
that, and nothing else, whatever others do meanwhile."""

import pytest
from procs import LabError, wait_until
from scene import LONG, PORT, Net, expect_nothing, streams_of

# Two senders' addresses, by family, and a group that both send to.
SOURCES = {4: ("10.1.0.77", "10.1.0.66"), 6: ("fd00:1::77", "fd00:1::66")}
GROUPS = {4: "226.2.2.2", 6: "ff05::2:2"}
SSM = {4: "232.1.1.1", 6: "ff35::1:1"}
RATE = 2000


@pytest.fixture
def config():
    return LONG


@pytest.fixture(params=[4, 6], ids=["ipv4", "ipv6"])
def family(request):
    return request.param


@pytest.fixture
def net(ofmcast, family):
    return Net(ofmcast, ["h2", "h3", "h4", "h5"], ipv6=family == 6)


def send_both(net, family, group, rate=1000, count=1000):
    """The same stream from both sources at once: streams 1 and 2."""
    return [net.extender.send(group, PORT, rate=rate, count=count,
                              source=source, stream=i + 1)
            for i, source in enumerate(SOURCES[family])]


def by_stream(result):
    """{stream: packets}, each once."""
    assert (result["duplicated"], result["damaged"]) == (0, 0)
    return {s["id"]: s["unique"] for s in result["streams"]}


def entries(net, group):
    """{source or "*": ports} of the channel's entries."""
    ports = net.s1.group_ports()
    found = {}
    for line in net.s1.flows("table=40"):
        match, _, actions = line.partition(" actions=")
        fields = dict(f.partition("=")[::2] for f in match.split(","))
        to = fields.get("nw_dst") or fields.get("ipv6_dst")
        source = fields.get("nw_src") or fields.get("ipv6_src") or "*"
        if to == group and "group:" in actions and "in_port" not in fields:
            i = int(actions.rpartition("group:")[2])
            found[source] = ports.get(i)
    return found


def wait_entries(net, group, wanted):
    wanted = {s: sorted(h.port for h in hosts) for s, hosts in wanted.items()}
    try:
        wait_until(lambda: entries(net, group) == wanted, 10, "")
    except LabError:
        raise LabError(f"entries {wanted} are expected, there are"
                       f" {entries(net, group)}") from None


def test_each_gets_the_sources_that_it_asked_for(net, family):
    """On its wire, not only in its socket."""
    one, two = SOURCES[family]
    group = GROUPS[family]
    h2, h3, h4, h5 = net.hosts
    receivers = [h2.receive(group, PORT, source=one),
                 h3.receive(group, PORT),
                 h4.receive(group, PORT, exclude=one)]
    wait_entries(net, group, {"*": [h3, h4], one: [h2, h3]})
    wires = [h.tap(group=group) for h in net.hosts]

    for stream in send_both(net, family, group):
        stream.wait()

    for found in receivers, wires:
        for r, n in zip(found, (1000, 2000, 1000)):
            r.wait_for(n)
        got = [by_stream(r.stop()) for r in found[:3]]
        assert got == [{1: 1000}, {1: 1000, 2: 1000}, {2: 1000}]
    expect_nothing(wires[3].stop())


def test_a_source_that_all_block_costs_a_drop(net, family):
    """No packet-in for each packet, no copy to anybody."""
    one, _ = SOURCES[family]
    group = GROUPS[family]
    h2, h3, *_ = net.hosts
    receivers = [h.receive(group, PORT, exclude=one) for h in (h2, h3)]
    wait_entries(net, group, {"*": [h2, h3], one: []})
    wires = [h.tap(group=group) for h in (h2, h3)]
    before = net.rest.counter(net.s1, "packet_ins")

    n = 2 * RATE
    for stream in send_both(net, family, group, rate=RATE, count=n):
        stream.wait()

    for r in receivers + wires:
        assert by_stream(r.wait_for(n).stop()) == {2: n}
    # Reports, and the first packets of the streams: how many those are until
    # the daemon has answered is the machine's matter.
    assert net.rest.counter(net.s1, "packet_ins") - before < n / 10


def test_filters_that_change_cost_nobody_else_a_packet(net, family):
    """All changes that a host can make, under a stream of 2000 packets a
    second from each of two sources."""
    one, two = SOURCES[family]
    group = GROUPS[family]
    h2, h3, h4, h5 = net.hosts
    changing = h2.receive(group, PORT, source=one)
    # On the wire: a socket gets its new list of sources and their new meaning
    # one after the other, and Linux may drop what comes in between.
    wire = h2.tap(group=group)
    steady = {h3: h3.receive(group, PORT),
              h4: h4.receive(group, PORT, exclude=two),
              h5: h5.receive(group, PORT, source=two)}
    wait_entries(net, group,
                 {"*": [h3, h4], one: [h2, h3, h4], two: [h3, h5]})
    streams = send_both(net, family, group, RATE, 0)

    # h2 asks for 'one' all the time; what comes and goes is the rest.
    changes = [("allow", two), ("block", two), ("exclude",), ("block", two),
               ("allow", two), ("exclude", two), ("include", one, two),
               ("include", one)]
    for verb, *sources in 3 * changes:
        getattr(changing, verb)(*sources)
        # So that each is compiled, and some last-member times run out.
        taken = changing.received
        wait_until(lambda: changing.received > taken + RATE / 8, 10,
                   "the stream flows")

    n, m = [stream.stop()["sent"] for stream in streams]
    expected = {h3: {1: n, 2: m}, h4: {1: n}, h5: {2: m}}
    for host, receiver in steady.items():
        total = sum(expected[host].values())
        assert by_stream(receiver.wait_for(total).stop()) == expected[host]
    changing.stop()
    wait_until(lambda: streams_of(wire.progress()[0])[1]["unique"] >= n, 10,
               "all of it has been on the wire")
    assert by_stream(wire.stop())[1] == n


def test_the_first_and_the_last_filter(net, family):
    """The (S,G) entry comes and goes above the (*,G) one: who gets both
    sources misses none and gets none twice."""
    one, _ = SOURCES[family]
    group = GROUPS[family]
    h2, h3, h4, _ = net.hosts
    steady = [h.receive(group, PORT) for h in (h3, h4)]
    wait_entries(net, group, {"*": [h3, h4]})
    streams = send_both(net, family, group, RATE, 0)
    for _ in range(3):
        joined = h2.receive(group, PORT, source=one)
        wait_entries(net, group, {"*": [h3, h4], one: [h2, h3, h4]})
        joined.stop()
        wait_entries(net, group, {"*": [h3, h4]})
    n, m = [stream.stop()["sent"] for stream in streams]

    for receiver in steady:
        assert by_stream(receiver.wait_for(n + m).stop()) == {1: n, 2: m}


def test_a_restart_leaves_filters_alone(net, family):
    """The daemon is killed and comes back under a stream: it changes nothing,
    and nobody loses a packet."""
    one, two = SOURCES[family]
    group = GROUPS[family]
    h2, h3, h4, h5 = net.hosts
    receivers = [h2.receive(group, PORT, source=one),
                 h3.receive(group, PORT),
                 h4.receive(group, PORT, exclude=one),
                 h5.receive(group, PORT, source=two)]
    wanted = {"*": [h3, h4], one: [h2, h3], two: [h3, h4, h5]}
    wait_entries(net, group, wanted)
    n = 4 * RATE
    streams = send_both(net, family, group, RATE, n)
    receivers[1].wait_for(RATE)

    net.daemon.kill()
    net.daemon.start().wait_synced(net.s1)

    # Beyond the answers to its query.
    receivers[1].wait_for(int(1.8 * n))
    assert net.rest.counter(net.s1, "group_mods") == 0
    wait_entries(net, group, wanted)
    for stream in streams:
        stream.wait()
    expected = [{1: n}, {1: n, 2: n}, {2: n}, {2: n}]
    for receiver, want in zip(receivers, expected):
        total = sum(want.values())
        assert by_stream(receiver.wait_for(total).stop()) == want


def test_ssm_groups_have_no_any_source_members(net, family):
    """232/8 and ff3x::/32 (RFC 4607)."""
    one, _ = SOURCES[family]
    group = SSM[family]
    h2, h3, h4, _ = net.hosts
    specific = h2.receive(group, PORT, source=one)
    others = [h3.receive(group, PORT), h4.receive(group, PORT, exclude=one)]
    wait_until(lambda: entries(net, group).get(one) == [h2.port], 10,
               "the join of one source")
    wires = [h.tap(group=group) for h in (h3, h4)]

    for stream in send_both(net, family, group):
        stream.wait()

    assert by_stream(specific.wait_for(1000).stop()) == {1: 1000}
    for r in others + wires:
        expect_nothing(r.stop())
