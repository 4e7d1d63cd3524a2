# SPDX-License-Identifier: Apache-2.0
"""Queries come from where the hosts are, else some do not answer them."""

import ipaddress

import pytest
from procs import wait_until
from scene import GROUP, MEMBERSHIP, PORT, SHORT, Net, settings
from wire import Wire

SUBNET = ipaddress.ip_network("10.1.0.0/24")


@pytest.fixture
def net(ofmcast):
    """Hosts whose way to the rest of the world is another interface, and who
    check sources."""
    net = Net(ofmcast, [], ipv6=False)
    net.hosts = net.lab.add_hosts(net.s1, "h2", "h3")
    for host in net.hosts:
        host.run("ip", "link", "add", "uplink", "up", "type", "veth", "peer",
                 "name", "world")
        host.run("ip", "link", "set", "dev", "world", "up")
        host.run("ip", "addr", "add", "172.16.0.2/24", "dev", "uplink")
        host.run("ip", "route", "add", "default", "via", "172.16.0.1")
        host.rp_filter(1)
    return net


def querier(net):
    [found] = [q for q in net.rest.list("queriers")
               if q["vlan"] == 0 and q.get("family", "ipv4") in (4, "ipv4")]
    return found


def address(net):
    return ipaddress.ip_address(querier(net)["address"] or "0.0.0.0")


@pytest.mark.parametrize(
    "config", [settings(SHORT, querier_address="1.1.1.1")], ids=[""])
def test_an_address_from_elsewhere_is_not_answered(net):
    """The control of what follows."""
    host = net.hosts[0]
    receiver = host.receive(GROUP, PORT)
    net.wait_members(host)
    net.wait_members(seconds=3 * MEMBERSHIP)
    receiver.stop()


def test_an_address_is_chosen_in_the_hosts_subnet(net):
    """It was probed, nobody has it, and hosts answer to it."""
    arp = net.extender.spawn("arp", "tcpdump", "-lnni", net.extender.iface,
                             "-Q", "in", "arp")
    wait_until(lambda: "listening" in arp.log(), 5, "tcpdump")
    wires = [Wire(h) for h in net.hosts]
    receivers = [h.receive(GROUP, PORT) for h in net.hosts]
    net.wait_members(*net.hosts)
    wait_until(lambda: address(net) in SUBNET, 20, "an address is chosen")
    chosen = str(address(net))

    assert chosen not in [h.ip for h in (net.extender, *net.hosts)]
    wait_until(lambda: arp.output().count(f"who-has {chosen} ") >= 3, 5,
               "it was probed")
    for wire in wires:
        wait_until(lambda w=wire: chosen in [q.source for q in w.queries("")],
                   5, "queries come from it")
    n = int(3 * MEMBERSHIP * 1000)
    net.stream(rate=1000, count=n, source=net.extender.ip).wait()
    for receiver in receivers:
        result = receiver.wait_for(n).stop()
        assert (result["unique"], result["duplicated"]) == (n, 0)


def test_somebody_else_may_have_it(net):
    """A host that comes with the address gets it; another one is chosen."""
    host, other = net.hosts
    receiver = host.receive(GROUP, PORT)
    net.wait_members(host)
    wait_until(lambda: address(net) in SUBNET, 20, "an address is chosen")
    chosen = address(net)

    other.run("ip", "addr", "add", f"{chosen}/24", "dev", other.iface)
    other.run("ping", "-c", "1", "-W", "2", "-I", str(chosen), host.ip)

    wait_until(lambda: address(net) in SUBNET and address(net) != chosen, 20,
               "another address is chosen")
    # Nobody answers for it but its owner.
    host.run("ip", "neigh", "flush", "dev", host.iface)
    host.run("ping", "-c", "1", "-W", "2", str(chosen))
    assert other.mac in host.run("ip", "neigh", "show", str(chosen))
    assert receiver.running
