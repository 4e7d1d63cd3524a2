# SPDX-License-Identifier: Apache-2.0
"""Election against queriers that others have written (RFC 3376 6.6.2): the
lower address asks, the other one is quiet until it dies."""

import time

import pytest
from peers import Pimd, SnoopingBridge
from procs import wait_until
from scene import GROUP, PORT, SHORT, Net, settings
from wire import Wire

RIVAL = "10.1.0.200"
LOWER, HIGHER = "10.1.0.100", "10.1.0.250"  # Than theirs.

# Both ask every second: who is quiet for longer than twice that, has stopped.
QUIET = 2.2


class BridgeRival:
    """A Linux bridge."""

    def __init__(self, net):
        self.host = net.lab.add_segment(net.s1, "rival")
        self.bridge = SnoopingBridge(self.host, f"{RIVAL}/24")

    def start(self):
        self.bridge.start()

    def die(self):
        self.bridge.die()


class PimdRival:
    """FRR."""

    def __init__(self, net):
        self.host = net.lab.add_host(net.s1, "rival")
        self.host.run("ip", "addr", "flush", "dev", self.host.iface)
        self.host.run("ip", "addr", "add", f"{RIVAL}/24", "dev",
                      self.host.iface)
        self.pimd = None

    def start(self):
        self.pimd = Pimd(self.host)

    def die(self):
        self.pimd.die()


RIVALS = pytest.mark.parametrize("kind", [BridgeRival, PimdRival],
                                 ids=["bridge", "pimd"])


class Election:
    """Hosts, one of them a member that gets a stream over all of it, and the
    queries on another's wire and on the rival's."""

    def __init__(self, daemon, kind, ours):
        self.net = Net(daemon, ["h2", "h3"])
        self.daemon, self.ours = daemon, ours
        member, bystander = self.net.hosts
        self.receiver = member.receive(GROUP, PORT)
        self.net.wait_members(member)
        self.stream = self.net.stream(rate=1000, count=0)
        self.receiver.wait_for(1)
        self.wire = Wire(bystander)
        self.rival = kind(self.net)
        self.rival_wire = None

    def start_rival(self):
        self.rival.start()
        self.rival_wire = Wire(self.rival.host, "inout")

    def querier(self):
        [found] = [q for q in self.net.rest.list("queriers")
                   if q["family"] == 4]
        return found

    def asked(self, source, wire=None):
        """When there were general queries from this address."""
        return [q.t for q in (wire or self.wire).queries("")
                if q.source == source]

    def wait_more(self, source, n, wire=None, seconds=8):
        """Waits until it has asked 'n' times more."""
        before = len(self.asked(source, wire))
        wait_until(lambda: len(self.asked(source, wire)) >= before + n,
                   seconds, f"{n} queries of {source}")

    def wait_quiet(self, source, wire=None, seconds=8):
        """Waits until it has not asked for so long that it has stopped, or
        never begins."""
        now = time.time()
        wait_until(lambda: time.time() - max(self.asked(source, wire) or [now])
                   > QUIET, seconds, f"{source} is quiet")

    def expect_no_loss(self):
        n = self.stream.stop()["sent"]
        result = self.receiver.wait_for(n).stop()
        assert (result["unique"], result["duplicated"],
                result["missing"]) == (n, 0, 0)


@RIVALS
@pytest.mark.parametrize("config",
                         [settings(SHORT, querier_address=HIGHER)], ids=[""])
def test_we_are_quiet_while_a_lower_querier_lives(ofmcast, kind):
    e = Election(ofmcast, kind, HIGHER)
    assert e.querier()["ours"]
    e.wait_more(HIGHER, 1)

    e.start_rival()
    wait_until(lambda: not e.querier()["ours"], 8, "we have lost")
    assert e.querier()["address"] == RIVAL
    e.wait_more(RIVAL, 4)  # The hosts hear it.
    lost = e.asked(RIVAL)[0]
    assert [t for t in e.asked(HIGHER) if t > lost + 0.1] == []

    e.rival.die()
    wait_until(lambda: e.querier()["ours"], 5, "we are back")
    e.wait_more(HIGHER, 4)
    e.expect_no_loss()


@RIVALS
@pytest.mark.parametrize("config",
                         [settings(SHORT, querier_address=LOWER)], ids=[""])
def test_a_higher_querier_is_quiet_while_we_live(ofmcast, kind):
    e = Election(ofmcast, kind, LOWER)
    e.start_rival()
    e.wait_more(LOWER, 1, e.rival_wire)
    e.wait_quiet(RIVAL, e.rival_wire)
    e.wait_more(LOWER, 2, e.rival_wire)
    assert e.querier()["ours"]
    assert e.asked(RIVAL) == []  # Hosts must not hear the one who lost.

    ofmcast.kill()  # Hosts go on getting the stream.
    e.wait_more(RIVAL, 2, e.rival_wire)
    ofmcast.start().wait_synced(e.net.s1)
    e.wait_quiet(RIVAL, e.rival_wire)
    e.wait_more(LOWER, 3)
    e.expect_no_loss()


@pytest.mark.parametrize("config",
                         [settings(SHORT, querier_address=HIGHER)], ids=[""])
def test_we_take_over_at_once_when_the_queriers_port_goes_down(ofmcast):
    e = Election(ofmcast, BridgeRival, HIGHER)
    e.start_rival()
    wait_until(lambda: not e.querier()["ours"], 8, "we have lost")
    e.wait_more(RIVAL, 2)

    e.rival.host.run("ip", "link", "set", "dev", e.rival.host.iface, "down")
    wait_until(lambda: e.querier()["ours"], 1, "we are back")
    e.wait_more(HIGHER, 3)
    e.expect_no_loss()


@pytest.mark.parametrize("config",
                         [settings(SHORT, querier_address=LOWER)], ids=[""])
def test_a_pim_router_that_may_not_ask_still_gets_the_streams(ofmcast):
    """Its hellos make its port a router port, and our reports tell it who is
    there though no host's query is its own."""
    e = Election(ofmcast, PimdRival, LOWER)
    port = e.rival.host.port
    e.start_rival()
    wait_until(lambda: [r for r in e.querier()["routers"]
                        if r["port"] == port], 8, "a router port")
    e.wait_quiet(RIVAL, e.rival_wire)
    wait_until(lambda: [r for r in e.rival_wire.reports() if r.source == LOWER
                        and GROUP in [g for _, g, _ in r.records]], 5,
               "it hears of the member")
    e.rival.host.tap().wait_for(500).stop()
    e.expect_no_loss()
