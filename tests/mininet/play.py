#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plays the main job in mininet; run by test_mininet.py in a lab's namespace.

    play.py TOPOLOGY [NUMBER...] < what.json

Starts the topology, joins on the hosts in "join" one after the other, sends
"count" packets from h1, and prints what each of them got.
"""

import json
import os
import re
import signal
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "lab"))

from mininet.net import Mininet  # noqa: E402
from procs import wait_until  # noqa: E402
from topo import McastController, topos  # noqa: E402


def groups_of(switch):
    return subprocess.run(
        ["ovs-ofctl", "-O", "OpenFlow13", "dump-groups", switch.name],
        capture_output=True, text=True).stdout


def flood_of(switch):
    """The number of the group of broadcast, with l2: fabric."""
    text = subprocess.run(
        ["ovs-ofctl", "-O", "OpenFlow13", "dump-flows", switch.name,
         "table=51"], capture_output=True, text=True).stdout
    return set(re.findall(r"group:(\d+)", text))


def has_joined(net, hosts):
    """Does each host's port stand in a group of its switch?"""
    for name in hosts:
        link = net[name].defaultIntf().link
        ends = {link.intf1.node: link.intf1, link.intf2.node: link.intf2}
        switch = next(n for n in ends if n in net.switches)
        port = switch.ports[ends[switch]]
        flood = flood_of(switch)
        if not any(re.search(rf"output:({port}|\"?{ends[switch]}\"?)\b", line)
                   for line in groups_of(switch).splitlines()
                   if not flood & set(re.findall(r"group_id=(\d+)", line))):
            return False
    return True


def play(net, what):
    tools = os.path.join(os.environ["OFMCAST_BUILD"], "lab")
    receivers = {}
    for name in what["join"]:
        receivers[name] = net[name].popen(
            [f"{tools}/mcrecv", "--iface", f"{name}-eth0", "--group",
             "226.2.2.2", "--port", "5004", "--count", str(what["count"])],
            stdout=subprocess.PIPE, text=True)
    wait_until(lambda: has_joined(net, receivers), 15, "all have joined")
    taps = {name: net[name].popen(
        [f"{tools}/mcrecv", "--iface", f"{name}-eth0", "--raw"],
        stdout=subprocess.PIPE, text=True) for name in what["watch"]}
    for tap in taps.values():
        tap.stdout.readline()  # Ready.
    net["h1"].cmd(f"{tools}/mcsend --iface h1-eth0 --group 226.2.2.2"
                  f" --rate 2000 --burst-ms 5 --count {what['count']}")
    results = {}
    for name, process in receivers.items():
        out, _ = process.communicate(timeout=20)
        results[name] = json.loads(out.splitlines()[-1])
    for name, process in taps.items():
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
        results[name] = json.loads(out.splitlines()[-1])
    return results


def main():
    what = json.load(sys.stdin)
    topology = topos[sys.argv[1]](*map(int, sys.argv[2:]))
    net = Mininet(topo=topology, ipBase="10.1.0.0/24", build=False,
                  controller=None, waitConnected=True)
    net.addController("c0", controller=McastController)
    try:
        net.build()
        net.start()
        json.dump(play(net, what), sys.stdout)
    finally:
        net.stop()


if __name__ == "__main__":
    main()
