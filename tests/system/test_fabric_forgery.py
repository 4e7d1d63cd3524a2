# SPDX-License-Identifier: Apache-2.0
"""Hosts cannot make links."""

import pytest
from events import Events
from fabric_scene import FABRIC, Scene, bytes_of, ping_all
from procs import wait_until
from wire import Wire


@pytest.fixture
def config():
    return FABRIC


@pytest.fixture
def scene(ofmcast):
    return Scene(ofmcast).build("two_bridges", hosts=2)


def probes_at(host):
    """The probes that come down a host's wire."""
    wire = Wire(host, what="ether proto 0x88cc")
    wait_until(wire.frames, 10, f"a probe at {host.name}")
    return [frame for _, frame in wire.frames()]


def test_a_replayed_probe_makes_no_link(scene):
    """At the port that it came out of, at another, and at another switch's."""
    a, b, c, _ = scene.hosts
    assert ping_all(scene.hosts) == []
    events = Events(scene.daemon)
    probe = probes_at(a)[-1]
    for host in a, b, c:
        host.send_frames(*[probe] * 3)
        events.wait("link.suspect", dpid=host.switch.dpid_text,
                    port=host.port)
    assert not events.all("link.up")
    assert scene.n_links() == 1
    assert ping_all(scene.hosts) == []


def test_a_relayed_probe_makes_no_link(scene):
    """Two hosts that carry fresh probes to each other's ports."""
    a, _, c, _ = scene.hosts
    assert ping_all(scene.hosts) == []
    events = Events(scene.daemon)
    wires = {a: Wire(a, what="ether proto 0x88cc"),
             c: Wire(c, what="ether proto 0x88cc")}
    done = {a: 0, c: 0}

    def relay():
        for near, far in (a, c), (c, a):
            frames = wires[near].frames()
            for _, frame in frames[done[near]:]:
                far.send_frames(frame)
            done[near] = len(frames)
        return done[a] > 2 and done[c] > 2
    wait_until(relay, 20, "several probes have been relayed")
    events.wait("link.suspect", reason="host-port")
    assert not events.all("link.up")
    assert scene.n_links() == 1


def test_a_modified_probe_makes_no_link(scene):
    a, b, *_ = scene.hosts
    assert ping_all(scene.hosts) == []
    events = Events(scene.daemon)
    probe = probes_at(a)[-1]
    for at in range(14, len(probe)):
        changed = probe[:at] + bytes([probe[at] ^ 1]) + probe[at + 1:]
        b.send_frames(changed)
    events.wait("link.suspect", dpid=b.switch.dpid_text, port=b.port,
                reason="forged")
    assert not events.all("link.up")
    assert scene.n_links() == 1
    assert ping_all(scene.hosts) == []


def test_what_others_say_by_lldp_is_no_matter(scene):
    """A host that runs lldpd."""
    a, *_ = scene.hosts
    events = Events(scene.daemon)
    mac = bytes_of(a.mac)
    frame = bytes.fromhex("0180c200000e") + mac + b"\x88\xcc" \
        + b"\x02\x07\x04" + mac + b"\x04\x07\x03" + mac + b"\x06\x02\0\x78" \
        + b"\0\0"
    other = Wire(scene.hosts[1], what=f"ether src {a.mac} and"
                                      " ether proto 0x88cc")
    a.send_frames(*[frame + bytes(60 - len(frame))] * 5)
    assert ping_all(scene.hosts) == []
    assert not events.all("link.")
    assert not other.frames()  # A bridge does not pass it on.
