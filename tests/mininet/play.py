#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plays the main job in mininet; run by test_mininet.py in a lab's namespace.

    play.py TOPOLOGY [NUMBER...] < what.json

Starts the topology, joins on the hosts in "join" one after the other, sends
"count" packets from h1, and prints what each of them got.
"""

import json
import os
import signal
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "lab"))

from mininet.net import Mininet  # noqa: E402
from procs import wait_until  # noqa: E402
from topo import McastController, topos  # noqa: E402


def member_ports(switch):
    text = subprocess.run(
        ["ovs-ofctl", "-O", "OpenFlow13", "dump-groups", switch.name],
        capture_output=True, text=True).stdout
    return text.count("output:")


def play(net, what):
    tools = os.path.join(os.environ["OFMCAST_BUILD"], "lab")
    receivers = {}
    for name in what["join"]:
        receivers[name] = net[name].popen(
            [f"{tools}/mcrecv", "--iface", f"{name}-eth0", "--group",
             "226.2.2.2", "--port", "5004", "--count", str(what["count"])],
            stdout=subprocess.PIPE, text=True)
    wait_until(lambda: sum(map(member_ports, net.switches))
               == len(receivers), 15, "all have joined")
    taps = {name: net[name].popen(
        [f"{tools}/mcrecv", "--iface", f"{name}-eth0", "--raw"],
        stdout=subprocess.PIPE, text=True) for name in what["watch"]}
    for tap in taps.values():
        tap.stdout.readline()  # Ready.
    net["h1"].cmd(f"{tools}/mcsend --iface h1-eth0 --group 226.2.2.2"
                  f" --rate 2000 --count {what['count']}")
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
