# SPDX-License-Identifier: Apache-2.0
"""Kernels that speak IGMPv1, v2 and v3: joining, staying and leaving."""

import time

import pytest
from frames import BLOCK, IS_EX, IS_IN, TO_EX, record, v3_report
from procs import wait_until
from scene import (GROUP, LAST_MEMBER, LONG, MEMBERSHIP, PORT, SHORT, Net,
                   wait_silence)

# A Linux host forced to IGMPv1 answers a v3 query within 10 s, whatever it
# asks for; a v2 query within the time that it names.
V2_QUERIES = SHORT.replace("{", "{igmp_version: 2, ")


def member(net, host):
    found = net.rest.get(f"/v1/groups/0/{GROUP}")
    return [m for m in found["members"] if m["port"] == host.port][0]


@pytest.mark.parametrize("config, version", [
    (V2_QUERIES, 1), (SHORT, 2), (SHORT, 3)], ids=["v1", "v2", "v3"])
def test_a_host_joins_and_stays(net, version):
    """Beyond three membership intervals, without one lost packet."""
    host = net.hosts[0]
    host.force_igmp(version)
    receiver = host.receive(GROUP, PORT)
    net.wait_members(host)
    assert member(net, host)["version"] == version
    n = int(3.2 * MEMBERSHIP * 1000)

    net.stream(rate=1000, count=n).wait()

    result = receiver.wait_for(n).stop()
    assert (result["unique"], result["duplicated"]) == (n, 0)


def test_a_killed_host_is_gone_after_one_interval(net):
    host, other, *_ = net.hosts
    receivers = [h.receive(GROUP, PORT) for h in (host, other)]
    net.wait_members(host, other)
    stream = net.stream(rate=500, count=0)
    wire = host.tap().wait_for(1)

    host.mute()  # No leave gets out, nor any answer to a query.
    muted = time.monotonic()
    stopped = wait_silence(wire)

    # Its last report may be as old as a query interval and a response time.
    # On a busy machine it may be older, or the end of it late.
    assert MEMBERSHIP - 2 < stopped - muted < 2 * MEMBERSHIP - 0.5
    net.wait_members(other)
    stream.stop()
    assert receivers[1].stop()["missing"] == 0


@pytest.mark.parametrize("config", [LONG], ids=[""])
@pytest.mark.parametrize("version", [2, 3])
def test_a_leave_ends_the_stream_after_the_last_member_time(net, version):
    leaver, other, *_ = net.hosts
    leaver.force_igmp(version)
    leaving = leaver.receive(GROUP, PORT)
    staying = other.receive(GROUP, PORT)
    net.wait_members(leaver, other)
    stream = net.stream(rate=1000, count=0)
    wire = leaver.tap().wait_for(100)

    left = leaving.leave()["t_ns"] / 1e9
    stopped = wait_silence(wire)

    assert LAST_MEMBER - 0.2 < stopped - left < LAST_MEMBER + 3
    net.wait_members(other)
    stream.stop()
    assert staying.stop()["missing"] == 0


@pytest.mark.parametrize("version", [2, 3])
def test_a_leave_does_not_cut_off_another_host_behind_the_port(
        ofmcast, version):
    net = Net(ofmcast, [])
    leaver, stayer = net.lab.add_shared(net.s1, "leaver", "stayer")
    for host in leaver, stayer:
        host.force_igmp(version)
    leaving = leaver.receive(GROUP, PORT)
    staying = stayer.receive(GROUP, PORT)
    net.wait_members(stayer)
    n = 4000
    stream = net.stream(rate=1000, count=n)
    staying.wait_for(500)

    leaving.leave()  # Several last-member times before the end.
    stream.wait()

    result = staying.wait_for(n).stop()
    assert (result["unique"], result["duplicated"]) == (n, 0)
    # When the last one has gone as well, the group is gone.
    net.wait_members()


def joined(net, host, groups):
    ports = {g["group"]: [m["port"] for m in g["members"]]
             for g in net.rest.list("groups")}
    return all(ports.get(g) == [host.port] for g in groups)


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_a_report_of_many_records_joins_them_all(net):
    host = net.hosts[0]
    groups = [f"239.7.{i // 50}.{i % 50 + 1}" for i in range(150)]

    host.send_frames(v3_report(host.ip, [
        record(TO_EX if i % 2 else IS_EX, g) for i, g in enumerate(groups)]))

    wait_until(lambda: joined(net, host, groups), 10, "all are joined")
    net.wait_groups(*[[host]] * len(groups), seconds=10)


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_unknown_record_types_and_auxiliary_data_are_stepped_over(net):
    host = net.hosts[0]

    host.send_frames(v3_report(host.ip, [
        record(77, "239.8.0.1"),
        record(TO_EX, "239.8.0.2"),
        record(TO_EX, "239.8.0.3", aux_words=2),
        record(200, "239.8.0.4", ["10.0.0.1"], aux_words=3),
        record(BLOCK, "239.8.0.5", ["10.0.0.1"]),
        record(IS_IN, "239.8.0.6", ["10.9.9.9"]),
        record(TO_EX, "239.8.0.7")]))

    wait_until(lambda: joined(net, host, ["239.8.0.7"]), 10, "the last record")
    assert joined(net, host, ["239.8.0.2", "239.8.0.3", "239.8.0.6"])
    for group in "239.8.0.1", "239.8.0.4", "239.8.0.5":
        assert net.rest.member_ports(net.s1, group) == []


def test_a_source_specific_join_gets_that_source_alone(net):
    host = net.hosts[0]
    group = "232.1.1.1"
    receiver = host.receive(group, PORT, source="10.1.0.77")
    wait_until(lambda: joined(net, host, [group]), 5, "joined")
    net.wait_members(host)
    wire = host.tap()

    net.extender.send(group, PORT, rate=1000, count=500, source="10.1.0.66",
                      stream=1).wait()
    net.extender.send(group, PORT, rate=1000, count=1000, source="10.1.0.77",
                      stream=2).wait()

    for r in receiver, wire:
        result = r.wait_for(1000).stop()
        assert result["unique"] == 1000
        [path] = result["paths"]
        assert path["arrived"]["source"] == "10.1.0.77"
