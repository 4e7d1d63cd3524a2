# SPDX-License-Identifier: Apache-2.0
"""What no host should send, and what looks odd but is right."""

import struct

import pytest
from frames import (IS_EX, IS_IN, ROUTER_ALERT, TO_EX, TO_IN, ethernet, ipv4,
                    mld2_report, mld_record, old_message, record, tagged,
                    v3_query, v3_report)
from procs import wait_until
from scene import GROUP, LONG, PORT, V6, Net

MAC = b"\x02\0\0\0\0\x42"
HOST, HOST6 = "10.1.0.99", "fe80::99"


def with_mac(mac, frame):
    return mac + frame[6:]


def join(group, **options):
    """A good report, unless 'options' spoil it."""
    return v3_report(options.pop("source", HOST), [record(TO_EX, group)],
                     **options)


def join6(group, **options):
    return mld2_report(options.pop("source", HOST6),
                       [mld_record(TO_EX, group)], **options)


def lengthened(frame, by):
    """The IPv4 total length lies."""
    size = struct.unpack("!H", frame[16:18])[0] + by
    return frame[:16] + struct.pack("!H", size) + frame[18:]


def bad_igmp():
    """Frames that must not make anybody a member: {what: frame}"""
    lying_sources = struct.pack("!BBH4s", TO_EX, 0, 200, b"\xe9\0\0\x0c")
    lying_aux = struct.pack("!BBH4s", TO_EX, 255, 0, b"\xe9\0\0\x0d")
    return {
        "TTL 2": join("233.0.0.1", ttl=2),
        "TTL 0": join("233.0.0.1", ttl=0),
        "IGMP checksum": join("233.0.0.2", break_checksum=True),
        "IP checksum": join("233.0.0.2", break_header=1),
        "source is multicast": join("233.0.0.3", source="224.0.0.9"),
        "source is loopback": join("233.0.0.3", source="127.0.0.1"),
        "source is broadcast": join("233.0.0.3", source="255.255.255.255"),
        "other MAC": with_mac(b"\x01\0\x5e\0\0\x17", join("233.0.0.4")),
        "a fragment": join("233.0.0.6", fragment=0x2000),
        "a later fragment": join("233.0.0.6", fragment=3),
        "another protocol": join("233.0.0.7", proto=17),
        "more records than there are": v3_report(
            HOST, [record(TO_EX, "233.0.0.8")], count=9),
        "65535 records": v3_report(HOST, [], count=65535),
        "no record": v3_report(HOST, []),
        "too many sources": v3_report(HOST, [lying_sources]),
        "too much auxiliary data": v3_report(HOST, [lying_aux]),
        "longer than it is": lengthened(join("233.0.0.14"), 100),
        "shorter than it is": lengthened(join("233.0.0.15"), -9),
        "a v2 report of another group": old_message(
            0x16, HOST, "233.0.0.16", "233.0.0.17"),
        "a v2 leave of nobody": old_message(0x17, HOST, "224.0.0.2",
                                            "233.0.0.18"),
        "an empty INCLUDE": v3_report(HOST, [record(TO_IN, "233.0.0.19"),
                                             record(IS_IN, "233.0.0.20")]),
        "802.3": MAC[:0] + b"\x01\0\x5e\0\0\x16" + MAC
                 + struct.pack("!H", 46) + join("233.0.0.21")[14:],
        "VLAN 4095": tagged(4095, join("233.0.0.22")),
        "type 0": ethernet("224.0.0.22", MAC, ipv4(
            HOST, "224.0.0.22", b"\0\0\xff\xff" + b"\0" * 4)),
        **{f"group {g}": v3_report(HOST, [record(IS_EX, g)]) for g in (
            "0.0.0.0", "10.1.0.1", "224.0.0.1", "224.0.0.251",
            "255.255.255.255", "240.0.0.1", "223.255.255.255")},
    }


def good_igmp():
    """Odd, but right: {group: frame}"""
    return {
        "234.0.0.1": join("234.0.0.1", options=b""),
        "234.0.0.2": join("234.0.0.2", options=ROUTER_ALERT + b"\1" * 36),
        "234.0.0.3": join("234.0.0.3", source="0.0.0.0"),
        "234.0.0.4": tagged(0, join("234.0.0.4")),
        "234.0.0.5": join("234.0.0.5") + b"\xee" * 400,
        "234.0.0.6": old_message(0x12, HOST, "234.0.0.6", "234.0.0.6"),
        "234.0.0.7": old_message(0x16, HOST, "234.0.0.7", "234.0.0.7",
                                 options=b""),
        "234.0.0.8": v3_report(HOST, [
            record(TO_EX, "234.0.0.8"), record(TO_IN, "234.0.0.8"),
            record(TO_EX, "234.0.0.8")]),
        "239.255.255.250": join("239.255.255.250"),
        "225.0.0.1": join("225.0.0.1"),  # The MAC of 224.0.0.1.
        "234.0.0.9": v3_report(HOST, [
            record(0, "233.0.0.30"), record(7, "233.0.0.31"),
            record(255, "233.0.0.32"), record(IS_EX, "234.0.0.9")]),
    }


def bad_mld():
    return {
        "hop limit 2": join6("ff15::1", ttl=2),
        "hop limit 255": join6("ff15::1", ttl=255),
        "checksum": join6("ff15::2", break_checksum=1),
        "a global source": join6("ff15::3", source="2001:db8::1"),
        "a multicast source": join6("ff15::3", source="ff02::1"),
        "more records than there are": mld2_report(
            HOST6, [mld_record(TO_EX, "ff15::4")], count=3),
        "an empty INCLUDE": mld2_report(HOST6, [mld_record(TO_IN,
                                                           "ff15::5")]),
        "other MAC": with_mac(b"\x33\x33\0\0\0\1", join6("ff15::6")),
        **{f"group {g}": join6(g) for g in (
            "::", "fe80::1", "ff01::1", "ff00::1", "ff02::1", "ff02::fb",
            "ff02::1:ff00:1")},
    }


def good_mld():
    return {
        "ff15::a": join6("ff15::a"),
        "ff15::b": join6("ff15::b", source="::"),
        "ff15::c": tagged(0, join6("ff15::c")),
        "ff15::d": mld2_report(HOST6, [
            mld_record(9, "ff15::99"), mld_record(TO_EX, "ff15::98",
                                                  aux_words=0)[:0]
            + mld_record(TO_EX, "ff15::d", aux_words=2)]),
        "ff0e::e": join6("ff0e::e"),
    }


def prefixes(*frames):
    """Each cut off at every byte."""
    for frame in frames:
        for size in range(14, len(frame)):
            yield frame[:size]


@pytest.fixture
def net(ofmcast):
    return Net(ofmcast, ["h2", "h3"], ipv6=True)


def groups(net, host):
    """Joined from the port of 'host'; a kernel's own are no matter."""
    return {g["group"] for g in net.rest.list("groups")
            if host.port in [m["port"] for m in g["members"]]}


@pytest.mark.parametrize("config", [LONG], ids=[""])
@pytest.mark.parametrize("bad, good", [
    (bad_igmp(), good_igmp()), (bad_mld(), good_mld())], ids=["igmp", "mld"])
def test_bad_frames_do_nothing_and_odd_ones_what_they_say(net, bad, good):
    """And a member nearby does not notice."""
    culprit, member = net.hosts
    member_group = V6.group if "ff15::a" in good else GROUP
    receiver = member.receive(member_group, PORT)
    net.wait_members(member)
    n = 4000
    stream = net.stream(rate=2000, count=n, group=member_group)
    before = groups(net, culprit)

    culprit.send_frames(*bad.values())
    culprit.send_frames(*prefixes(*list(good.values())[:2]))
    culprit.send_frames(*good.values())

    wait_until(lambda: set(good) <= groups(net, culprit), 5,
               "the good ones are in")
    assert groups(net, culprit) - before == set(good)
    stream.wait()
    result = receiver.wait_for(n).stop()
    assert (result["unique"], result["duplicated"]) == (n, 0)
    assert net.rest.ready()


@pytest.mark.parametrize("config", [LONG], ids=[""])
def test_odd_queries_do_no_harm(net):
    """Of zero robustness, of no time at all, from nobody, to the wrong
    group, from ourselves."""
    culprit, member = net.hosts
    receiver = member.receive(GROUP, PORT)
    net.wait_members(member)
    ours = net.rest.list("queriers")[0]["address"] or "0.0.0.0"
    n = 6000
    stream = net.stream(rate=2000, count=n)
    receiver.wait_for(200)

    culprit.send_frames(
        v3_query("0.0.0.0"), v3_query("255.255.255.255"),
        v3_query("224.0.0.5"), v3_query("127.0.0.1"), v3_query(ours),
        old_message(0x11, HOST, "224.0.0.1", "0.0.0.0"),
        old_message(0x11, HOST, "224.0.0.1", GROUP, response=1),
        old_message(0x11, HOST, "226.9.9.9", GROUP, response=1),
        old_message(0x11, HOST, GROUP, GROUP, response=0),
        *prefixes(v3_query("10.1.0.1")))
    stream.wait()

    result = receiver.wait_for(n).stop()
    assert (result["unique"], result["duplicated"]) == (n, 0)
    assert net.rest.ready()
