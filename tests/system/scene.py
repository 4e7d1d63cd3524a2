# SPDX-License-Identifier: Apache-2.0
"""What most tests play: an extender, hosts, a route, and what to expect."""

import time

from procs import LabError, wait_until

# A membership ends 2 * 1 + 0.5 = 2.5 s after the last report, and 2 * 0.3 =
# 0.6 s after a leave.
SHORT = """\
vlans:
  default: {query_interval: 1, query_response_interval: 0.5, robustness: 2,
            last_member_interval: 0.3, last_member_count: 2}
"""
MEMBERSHIP = 2.5
LAST_MEMBER = 0.6

# Nothing expires while a test runs, except what a query asks for.
LONG = """\
vlans:
  default: {query_interval: 125, query_response_interval: 1, robustness: 2,
            last_member_interval: 0.3, last_member_count: 2}
"""

ROUTE = {"match": {"source": "192.168.168.55", "group": "226.2.2.2"},
         "set": {"source": "10.1.0.10"}}
GROUP = "226.2.2.2"
PORT = 5004


class Net:
    """One switch, an extender that sends, and hosts that join."""

    def __init__(self, daemon, names, name="s1", dpid=1, ipv6=False):
        self.daemon = daemon
        self.rest = daemon.rest
        self.lab = daemon.lab
        self.s1 = self.lab.add_switch(name, dpid)
        prefix = "" if name == "s1" else f"{name}-"
        self.extender, *self.hosts = self.lab.add_hosts(
            self.s1, f"{prefix}extender", *names, ipv6=ipv6)
        daemon.wait_synced(self.s1)

    def put_route(self, body=None, name="hdmi"):
        return self.rest.put(f"/v1/routes/{name}", body or ROUTE)

    def group_ports(self):
        """The ports of every group with members: {id: [port, ...]}"""
        flood = self.s1.groups_of_table(51)
        return {i: ports for i, ports in self.s1.group_ports().items()
                if ports and i not in flood}

    def wait_groups(self, *wanted, seconds=10):
        """Waits until the groups of the switch are these, each given by its
        hosts or ports; their ids, in that order."""
        ports = [sorted(getattr(h, "port", h) for h in hosts)
                 for hosts in wanted]
        try:
            wait_until(lambda: sorted(self.group_ports().values())
                       == sorted(ports), seconds, "")
        except LabError:
            raise LabError(f"groups with ports {ports} are expected, there"
                           f" are {self.group_ports()}") from None
        ids = {tuple(p): i for i, p in self.group_ports().items()}
        return [ids.get(tuple(p)) for p in ports]

    def wait_members(self, *hosts, seconds=10):
        """Waits until the switch has one group for exactly these hosts, none
        where nobody is left; its id."""
        if hosts:
            return self.wait_groups(hosts, seconds=seconds)[0]
        return self.wait_groups(seconds=seconds)

    def explain(self, *options):
        """ofmcastctl explain of the extender's stream: its exit status and
        what it says."""
        usual = {"--switch": "1", "--in-port": self.extender.port_name,
                 "--src": ROUTE["match"]["source"], "--group": GROUP}
        argv = [word for pair in usual.items() if pair[0] not in options
                for word in pair]
        done = self.daemon.ctl_done("explain", *argv, *options)
        return done.returncode, done.stdout + done.stderr

    def stream(self, rate=5000, count=10000, group=GROUP, **options):
        return self.extender.send(group, PORT, rate, count, **options)


def expect_all(result, n, source="10.1.0.10", group=GROUP, overtaken=0):
    """'result' (of a receiver) is 'n' packets, once each, in order (but for so
    many that were overtaken), with the payload as it was sent and valid
    checksums, from 'source' to 'group'."""
    wanted = {"unique": n, "missing": 0, "duplicated": 0,
              "reordered": overtaken, "damaged": 0, "foreign": 0,
              "bad_checksum": 0}
    assert {k: result[k] for k in wanted} == wanted
    assert [(p["arrived"]["source"], p["arrived"]["group"])
            for p in result["paths"]] == [(source, group)]


def expect_nothing(result):
    wanted = {"received": 0, "foreign": 0, "damaged": 0}
    assert {k: result[k] for k in wanted} == wanted


def wait_silence(tap, seconds=3 * MEMBERSHIP):
    """Waits until a running stream stops on this wire; when the last packet
    was there, in monotonic seconds."""
    def silent():
        [now] = tap.progress()
        return now["last_ns"] and now["t_ns"] - now["last_ns"] > 250e6
    wait_until(silent, seconds, "the stream stops on this wire")
    return tap.progress()[0]["last_ns"] / 1e9


def settings(text, **keys):
    """'text' (such as SHORT) with keys added for every vlan."""
    added = ", ".join(f"{k}: {v}" for k, v in keys.items())
    return text.replace("{", "{" + added + ", ", 1)


# The same play in both families; 'versions' are the protocol's own.
class Family:
    def __init__(self, name, group, sources, versions, force):
        self.name = name
        self.group = group
        self.sources = sources  # Neighbours: mcsend --sources.
        self.versions = versions
        self.force = force


V4 = Family("ipv4", GROUP, [f"10.1.0.{i}" for i in (70, 71, 72)], (2, 3),
            lambda host, version: host.force_igmp(version))
V6 = Family("ipv6", "ff15::2:2", [f"fd00:1::7{i}" for i in range(3)], (1, 2),
            lambda host, version: host.force_mld(version))


def expect_unmodified(daemon, *switches):
    """Since it was started the daemon has modified nothing in them.  Sources
    that were silent for 10 s after its start are asked for anew, which
    modifies flows (RESTORE_QUIET_MS): where a busy machine took that long to
    come here, there is no telling."""
    counters = [daemon.rest.switch(s)["counters"] for s in switches]
    in_time = time.monotonic() - daemon.started < 9
    assert [int(c["group_mods"], 0) for c in counters] == [0] * len(counters)
    if in_time:
        assert [int(c["flow_mods"], 0) for c in counters] \
            == [0] * len(counters)


def check_restart(net):
    """A daemon that was killed finds all as it shall be."""
    net.daemon.kill()
    net.daemon.start().wait_synced(net.s1)
    wait_until(lambda: all(s["state"] == "applied"
                           for r in net.rest.list("routes")
                           for s in r["status"]), 10, "applied")
    expect_unmodified(net.daemon, net.s1)


def streams_of(result):
    """{id: what arrived of it} of a receiver's result."""
    return {s["id"]: s for s in result["streams"]}


def expect_whole(stream, first=None, last=None):
    """Each packet once from its first to its last, which may be given."""
    assert stream["unique"] == stream["last"] - stream["first"] + 1
    assert first is None or stream["first"] <= first
    assert last is None or stream["last"] >= last
