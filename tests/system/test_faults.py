# SPDX-License-Identifier: Apache-2.0
"""Bad input from hosts, peers and people; the daemon goes on."""

import random
import signal
import socket
import struct

import pytest
from frames import TO_EX, record, v3_report
from procs import in_netns, run, wait_until, write
from rest import OPENFLOW_PORT, Daemon, program
from scene import GROUP, LONG, PORT, SHORT

GOOD = "239.6.0.1"


def bad_reports(ip):
    """Each would join 239.6.6.6 if it were believed."""
    join = record(TO_EX, "239.6.6.6")
    whole = v3_report(ip, [join])
    return {
        "checksum": v3_report(ip, [join], break_checksum=True),
        "ttl": v3_report(ip, [join], ttl=2),
        "more records than there are": v3_report(ip, [join], count=2),
        "65535 records": v3_report(ip, [join], count=65535),
        "more sources than there are": v3_report(
            ip, [join[:2] + struct.pack("!H", 400) + join[4:]]),
        "more auxiliary data than there is": v3_report(
            ip, [join[:1] + b"\xff" + join[2:]]),
        "cut short": whole[:-6],
        "no multicast group": v3_report(ip, [record(TO_EX, "10.6.6.6")]),
        "a local group": v3_report(ip, [record(TO_EX, "224.0.0.6")])}


def test_bad_reports_join_nothing_and_good_ones_go_on(net):
    host = net.hosts[0]
    for frame in bad_reports(host.ip).values():
        host.send_frames(frame)
    host.send_frames(v3_report(host.ip, [record(TO_EX, GOOD)]))

    wait_until(lambda: net.rest.member_ports(net.s1, GOOD) == [host.port], 5,
               "the good report is heard")
    assert [g["group"] for g in net.rest.list("groups")] == [GOOD]


def test_noise_from_a_host(net):
    """Damaged copies of a report, and a flood of them."""
    host = net.hosts[0]
    rng = random.Random(7)
    report = bytearray(v3_report(host.ip, [record(TO_EX, "239.6.6.6")] * 5))
    frames = []
    for _ in range(5000):
        frame = bytearray(report)
        for _ in range(rng.randrange(1, 8)):
            # Not the headers: else it would not come to the daemon.
            frame[rng.randrange(34, len(frame))] = rng.randrange(256)
        frames.append(frame[:rng.randrange(38, len(frame) + 1)])
    host.send_frames(*frames)

    other = net.hosts[1]
    receiver = other.receive(GROUP, PORT)
    wait_until(lambda: net.rest.member_ports(net.s1, GROUP) == [other.port],
               10, "another host's join is heard")
    receiver.stop()


def connect(net):
    with in_netns(net.daemon.netns):
        return socket.create_connection(("127.0.0.1", OPENFLOW_PORT), 5)


HELLO = struct.pack("!BBHI", 4, 0, 8, 1)


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\n\r\n", b"\0" * 64, b"\xff" * 4096,
    struct.pack("!BBHI", 4, 0, 3, 1), struct.pack("!BBHI", 1, 0, 8, 1),
    HELLO + struct.pack("!BBHI", 4, 6, 8, 2),
    HELLO + struct.pack("!BBHI", 4, 10, 65535, 3) + b"\0" * 65527],
    ids=["http", "zeros", "ones", "short-length", "openflow-1.0",
         "short-features", "long-packet-in"])
def test_a_peer_that_does_not_speak_openflow(net, data):
    """It is cut off; the switch beside it does not notice."""
    since = net.rest.switch(net.s1)["counters"]["messages_out"]
    with connect(net) as peer:
        peer.sendall(data)
        peer.settimeout(2)
        try:
            while peer.recv(4096):
                pass
        except ConnectionResetError:
            pass
        except socket.timeout:
            pass  # It waits for the rest of a message, which is fine.
    assert net.rest.switch(net.s1)["connected"]
    assert int(net.rest.switch(net.s1)["counters"]["messages_out"], 0) \
        >= int(since, 0)
    assert net.daemon.process.running


def test_many_silent_peers(net):
    peers = [connect(net) for _ in range(200)]
    host = net.hosts[0]
    receiver = host.receive(GROUP, PORT)
    net.wait_members(host)
    for peer in peers:
        peer.close()
    receiver.stop()


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_a_link_that_goes_down_takes_its_member_along(net):
    h2, h3, *_ = net.hosts
    receivers = [h.receive(GROUP, PORT) for h in (h2, h3)]
    net.wait_members(h2, h3)
    h2.run("ip", "link", "set", h2.iface, "down")
    net.wait_members(h3)
    for r in receivers:
        r.stop()


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_a_port_that_is_deleted(net):
    h2, h3, *_ = net.hosts
    receivers = [h.receive(GROUP, PORT) for h in (h2, h3)]
    net.wait_members(h2, h3)
    net.lab.vsctl("del-port", "s1", h2.port_name)
    net.wait_members(h3)
    for r in receivers:
        r.stop()


def test_it_starts_where_nothing_but_loopback_has_ipv4(lab):
    """As at boot, before DHCP has answered."""
    lab.home.run("ip", "link", "add", "six", "type", "veth", "peer", "name",
                 "six-peer")
    lab.home.sysctl(**{"net.ipv6.conf.six.disable_ipv6": 0})
    lab.home.run("ip", "link", "set", "six", "up")
    lab.home.run("ip", "addr", "add", "fd00::1/64", "dev", "six")
    assert Daemon(lab).start().stop() == 0


@pytest.mark.parametrize("text, where", [
    ("colour: red\n", ":1:1:"),
    ("l2: normal\nvlans:\n  default: {query_interval: -1}\n", ":3:"),
    ("l2: [", ":"),
    ("openflow: {listen: \"tcp:nowhere\"}\n", ":1:")],
    ids=["key", "value", "yaml", "address"])
def test_a_bad_configuration_is_refused_with_its_place(tmp_path, text, where):
    path = str(tmp_path / "bad.yaml")
    write(path, text)
    with pytest.raises(Exception) as refusal:
        run(program("ofmcastd"), "--check-config", "--config", path)
    assert f"bad.yaml{where}" in str(refusal.value)


def test_a_reload_with_a_bad_configuration_changes_nothing(net):
    host = net.hosts[0]
    receiver = host.receive(GROUP, PORT)
    net.wait_members(host)
    net.daemon.configure("colour: red\n")
    net.daemon.process.signal(signal.SIGHUP)
    wait_until(lambda: "colour" in net.daemon.process.log(), 5,
               "the daemon says what is wrong")
    assert net.rest.ready()
    net.wait_members(host)
    receiver.stop()


def test_a_reload_changes_the_timers(net):
    net.daemon.configure(SHORT.replace("query_interval: 1,",
                                       "query_interval: 7.5,"))
    net.daemon.process.signal(signal.SIGHUP)
    # Of IGMP and of MLD.
    wait_until(lambda: [q["query_interval_s"]
                        for q in net.rest.list("queriers")] == [7.5] * 2, 5,
               "the new interval")
