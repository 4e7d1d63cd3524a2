# SPDX-License-Identifier: Apache-2.0
"""ofmcastctl: what it prints, and its exit codes, on which scripts rely."""

import json
import os
import pty
import select
import signal
import subprocess

import pytest
from conftest import BUILD, Ctl

OK, FAILED, USAGE, NOT_FOUND, AWAY = 0, 1, 2, 3, 5
HDMI = ("route", "add", "hdmi", "--source", "192.168.168.55", "--group",
        "226.2.2.2", "--set", "source=10.1.0.10", "--set", "ttl=16")


def good(result):
    assert result.returncode == OK, result.stderr
    assert result.stderr == ""
    return result.stdout


def refused(result, code):
    assert result.returncode == code, (result.stdout, result.stderr)
    assert result.stderr.startswith("ofmcastctl: ")
    assert result.stdout == ""
    return result.stderr


def rows(text):
    """A table as a list of dictionaries; columns are cut at the titles."""
    head, *lines = text.rstrip("\n").split("\n")
    titles = head.split("  ")
    titles = [t.strip() for t in titles if t.strip()]
    return [dict(zip(titles, (c.strip() for c in line.split("  ")
                              if c.strip()))) for line in lines]


def test_tables(ctl):
    switches = rows(good(ctl.run("show", "switches")))
    assert [s["DPID"] for s in switches] \
        == ["0000000000000001", "0000000000abcdef"]
    assert [s["STATE"] for s in switches] == ["ready", "away"]
    assert [s["PORTS"] for s in switches] == ["3", "0"]
    groups = rows(good(ctl.run("show", "groups")))
    assert groups[0]["GROUP"] == "226.2.2.2"
    assert groups[0]["PORT"] == "s1-eth2"
    assert groups[0]["EXPIRES"] == "4m15s"
    streams = rows(good(ctl.run("show", "streams")))
    assert streams[0]["RATE"] == "5.0 kpps"
    assert streams[0]["BITRATE"] == "56.0 Mbit/s"
    assert [s["ROUTE"] for s in streams] == ["hdmi", "-"]
    queriers = rows(good(ctl.run("show", "queriers")))
    assert [(q["PROTOCOL"], q["QUERIER"]) for q in queriers] \
        == [("IGMP", "ours"), ("MLD", "ours"), ("IGMP", "other")]
    assert queriers[2]["VERSION"] == "v2 (hosts fall back)"
    assert queriers[2]["ROUTER PORTS"] \
        == ("s1-eth3 query 4m10s, s1-eth4 static(uplink), "
            "s1-eth5 static(core)+pim 1m40s")
    assert good(ctl.run("show", "routes")) == "no routes\n"


def test_columns_are_aligned(ctl):
    lines = good(ctl.run("show", "switches")).split("\n")
    at = lines[0].index("STATE")
    assert [line[at - 2:at] for line in lines if line] == ["  "] * 3
    assert lines[1][at:].startswith("ready")


def test_one_of_them(ctl):
    shown = good(ctl.run("show", "switches", "1"))
    assert "s1-eth2" in shown
    assert "port-groups 7, rate 18446744073709551615" in shown
    assert "226.2.2.2" in good(ctl.run("show", "groups", "0", "226.2.2.2"))
    refused(ctl.run("show", "groups", "0", "239.1.1.1"), NOT_FOUND)
    refused(ctl.run("show", "switches", "99"), NOT_FOUND)


TOPOLOGY = """\
6 switches, 5 links, 3 hosts, 2 parts; at rest

roots
  5  ready, root of 2 channels
      s5-eth101 ↓ 1 s1-eth101        s5-eth102 ↓ 2 s2-eth101
  6  syncing, root of 0 channels
      s6-eth101 ↓ 1 s1-eth102        102 ↓ 2 s2-eth102

1 link from a root
  1  ready, 2 hosts
      s1-eth101 ↑ 5 s5-eth101        s1-eth102 ↑ 6 s6-eth101
  2  ready, 1 host
      s2-eth101 ↑ 5 s5-eth102        s2-eth102 ↑ 6 102
      s2-eth103 ↓ abcdef bad�"name

2 links from a root
  abcdef  away
      bad�"name ↑ 2 s2-eth103

linked with no root
  7  ready, no links
"""
TREE = """\
226.2.2.2: stable, root 5
switch 5, 1000 packets
├─ s5-eth101 → s1-eth101  switch 1, 1000 packets: to s1-eth1, s1-eth2
└─ s5-eth102 ← s2-eth101  switch 2, 1001 packets (source): to 3
   └─ s2-eth103 → bad�"name  switch abcdef, 0 packets, away
"""


def test_the_fabric_is_drawn(ctl):
    assert good(ctl.run("show", "topology")) == TOPOLOGY
    assert good(ctl.run("show", "tree", "0", "226.2.2.2")) == TREE
    refused(ctl.run("show", "tree", "0", "239.1.1.1"), NOT_FOUND)
    refused(ctl.run("show", "tree", "x", "239.1.1.1"), FAILED)
    shown = json.loads(good(ctl.run("show", "topology", "--json")))
    assert len(shown["switches"]) == 6 and len(shown["links"]) == 5
    shown = json.loads(good(ctl.run("show", "tree", "0", "226.2.2.2", "-j")))
    assert [s["depth"] for s in shown["switches"]] == [0, 1, 1, 2]


def test_a_large_fabric_is_a_table(start):
    out = good(Ctl(start("127.0.0.1", 0, 19).url).run("show", "topology"))
    table = rows(out.split("\n\n")[1])
    assert len(table) == 25
    assert table[0] == {"TIER": "0", "SWITCH": "5", "STATE": "ready",
                        "HOSTS": "0", "ROOT OF": "2", "LINKS": "2",
                        "TO": "1 2"}


def test_no_control_characters(start):
    """Nor colours where nobody looks."""
    stub = start()
    out = good(Ctl(stub.url).run("show", "switches", "1"))
    assert not any(ord(c) < 32 and c != "\n" for c in out)


def test_json(ctl):
    shown = json.loads(good(ctl.run("--json", "show", "groups")))
    assert shown["groups"][0]["group"] == "226.2.2.2"
    shown = json.loads(good(ctl.run("show", "switches", "1", "--json")))
    assert shown["counters"]["messages_in"] == "0xffffffffffffffff"
    shown = json.loads(good(ctl.run(*HDMI, "-j")))
    assert shown["set"] == {"source": "10.1.0.10", "ttl": 16}


def test_all_pages(start):
    ctl = Ctl(start("127.0.0.1", 0, 2500).url)
    shown = json.loads(good(ctl.run("show", "groups", "--json")))
    assert len(shown["groups"]) == 2501 and "next" not in shown


def test_routes(ctl, tmp_path):
    assert good(ctl.run(*HDMI)) == "route hdmi created: applied\n"
    assert good(ctl.run(*HDMI)) == "route hdmi written: applied\n"
    row, = rows(good(ctl.run("show", "routes")))
    assert row["MATCH"] == "192.168.168.55 > 226.2.2.2"
    assert row["SET"] == "source=10.1.0.10 ttl=16"
    assert row["TO"] == "members"
    assert "10.1.0.10" in good(ctl.run("route", "show", "hdmi"))
    assert good(ctl.run("route", "rm", "hdmi")) == "route hdmi removed\n"
    refused(ctl.run("route", "rm", "hdmi"), NOT_FOUND)
    refused(ctl.run("route", "show", "hdmi"), NOT_FOUND)


def test_targets(ctl):
    good(ctl.run("route", "add", "r", "group=226.2.2.2", "--dpid", "1",
                 "--port", "s1-eth1", "--udp-dst", "5004", "--to", "members",
                 "--to", "00:00:00:00:00:00:00:02:s2-eth5,group=239.1.1.2,"
                 "udp_dst=6000,ttl=4"))
    route = json.loads(good(ctl.run("route", "show", "r", "--json")))
    assert route["match"]["udp_dst"] == 5004
    assert route["match"]["port"] == "s1-eth1"
    assert route["to"][0] == {"members": True}
    assert route["to"][1]["dpid"] == "0000000000000002"
    assert route["to"][1]["port"] == "s2-eth5"
    assert route["to"][1]["set"] == {"group": "239.1.1.2", "udp_dst": 6000,
                                     "ttl": 4}
    good(ctl.run("route", "add", "more", "--group", "226.2.2.5", "--vlan",
                 "0", "--set", "source_pool=10.1.0.16/28", "--to",
                 "vlan=10,ttl=4", "--to", "1:eth*,when=joined,dscp=46"))
    more = json.loads(good(ctl.run("route", "show", "more", "-j")))
    assert more["set"] == {"source_pool": "10.1.0.16/28"}
    assert more["to"] == [
        {"vlan": 10, "set": {"ttl": 4}},
        {"dpid": "0000000000000001", "port": "eth*", "when": "joined",
         "set": {"dscp": 46}}]
    assert "vlan 10 (ttl=4), 0000000000000001:eth* if joined (dscp=46)" \
        in good(ctl.run("route", "show", "more"))
    good(ctl.run("route", "add", "replies", "--group", "226.2.2.6",
                 "--source", "192.168.168.55", "--set", "source=10.1.0.10",
                 "--set", "reply_to=true"))
    replies = json.loads(good(ctl.run("route", "show", "replies", "-j")))
    assert replies["set"] == {"source": "10.1.0.10", "reply_to": True}
    assert "source=10.1.0.10 reply_to=true" in good(ctl.run("route", "show",
                                                            "replies"))
    refused(ctl.run("route", "add", "replies", "--group", "226.2.2.6",
                    "--set", "source=10.1.0.10", "--set", "reply_to=true"),
            FAILED)
    good(ctl.run("route", "add", "six", "--group", "226.2.2.4", "--proto",
                 "6"))
    assert "226.2.2.4 tcp" in good(ctl.run("route", "show", "six")) \
        or "proto 6" in good(ctl.run("route", "show", "six"))
    good(ctl.run("route", "add", "stop", "--group", "226.2.2.3", "--to",
                 "nobody"))
    assert json.loads(good(ctl.run("route", "show", "stop", "-j")))["to"] \
        == []


def test_routes_from_files(ctl, tmp_path):
    body = json.dumps({"match": {"group": "226.2.2.2"}})
    file = tmp_path / "route.json"
    file.write_text(body)
    assert "created" in good(ctl.run("route", "add", "a", str(file)))
    assert "created" in good(ctl.run("route", "add", "b", "-", stdin=body))
    text = refused(ctl.run("route", "add", "c", str(tmp_path / "none")),
                   FAILED)
    assert "No such file" in text
    refused(ctl.run("route", "add", "c", str(file), "--group", "226.1.1.1"),
            USAGE)
    refused(ctl.run("route", "add", "c", "-", stdin="{"), FAILED)


def test_groups_with_filters_and_origins(ctl):
    first, second = rows(good(ctl.run("show", "groups")))
    assert first["ORIGIN"] == "igmp+static(recorder,spare)"
    assert first["DELIVERY"] == "unicast"
    assert first["HOSTS"] == "10.1.0.2 not 10.1.0.9"
    assert (second["MODE"], second["SOURCES"]) == ("include", "10.1.0.9")
    assert (second["ORIGIN"], second["HOSTS"]) == ("restored", "-")


def test_hosts(ctl):
    first, second = rows(good(ctl.run("show", "hosts")))
    assert first["MAC"] == "02:00:00:00:00:02"
    assert first["ADDRESSES"] == "10.1.0.2,fe80::2"
    assert (first["IGMP"], first["MLD"]) == ("v3", "v2")
    assert (first["GROUPS"], first["LAST SEEN"]) == ("5", "1m01s")
    assert (second["IGMP"], second["MLD"]) == ("-", "v1")
    assert second["NOTE"] == "on several ports"
    shown = json.loads(good(ctl.run("show", "hosts", "--json")))
    assert [h["duplicate"] for h in shown["hosts"]] == [False, True]
    refused(ctl.run("show", "hosts", "x"), USAGE)


WHERE = ("--switch", "1", "--port", "s1-eth7")
RECORDER = ("member", "add", "recorder", *WHERE, "--group", "239.1.1.1")


def test_members(ctl):
    assert good(ctl.run("show", "members")) == "no members\n"
    assert good(ctl.run(*RECORDER)) == "member recorder created: applied\n"
    assert good(ctl.run(*RECORDER)) == "member recorder written: applied\n"
    good(ctl.run("member", "add", "uplink", *WHERE, "--vlan", "10",
                 "--router"))
    recorder, uplink = rows(good(ctl.run("show", "members")))
    assert recorder["GETS"] == "239.1.1.1"
    assert (recorder["STATE"], recorder["ORIGIN"]) == ("applied", "api")
    assert (recorder["VLAN"], uplink["VLAN"]) == ("-", "10")
    assert uplink["GETS"] == "every group (router port)"
    shown = good(ctl.run("member", "show", "uplink"))
    assert "s1-eth7" in shown and "router" in shown and "applied" in shown
    assert "s1-eth7" in good(ctl.run("show", "members", "recorder"))
    assert good(ctl.run("member", "rm", "recorder")) \
        == "member recorder removed\n"
    refused(ctl.run("member", "rm", "recorder"), NOT_FOUND)
    refused(ctl.run("member", "show", "recorder"), NOT_FOUND)


def test_member_filters(ctl):
    good(ctl.run(*RECORDER, "--source", "10.1.0.5,10.1.0.4", "--source",
                 "10.1.0.3"))
    shown = json.loads(good(ctl.run("member", "show", "recorder", "-j")))
    assert shown["mode"] == "include"
    assert shown["sources"] == ["10.1.0.3", "10.1.0.4", "10.1.0.5"]
    good(ctl.run(*RECORDER, "--exclude", "--source", "10.1.0.5"))
    row, = rows(good(ctl.run("show", "members")))
    assert row["GETS"] == "239.1.1.1 not 10.1.0.5"


def test_members_from_files(ctl, tmp_path):
    body = json.dumps({"dpid": 1, "port": 2, "group": "239.1.1.1"})
    file = tmp_path / "member.json"
    file.write_text(body)
    assert "created" in good(ctl.run("member", "add", "a", str(file)))
    assert "created" in good(ctl.run("member", "add", "b", "-", stdin=body))
    refused(ctl.run("member", "add", "c", str(file), *WHERE), USAGE)
    text = refused(ctl.run("member", "add", "c", "/nowhere"), FAILED)
    assert "No such file" in text


@pytest.mark.parametrize("args, said", [
    ((), "--switch"), (("--switch", "1"), "--port"), (WHERE, "--group"),
    ((*WHERE, "--router", "--group", "239.1.1.1"), "every group"),
    ((*WHERE, "--router", "--source", "10.1.0.1"), "every group"),
    ((*WHERE, "--group", "239.1.1.1", "--exclude"), "--source"),
    ((*WHERE, "--group", "239.1.1.1", "--source", ","), "source"),
    ((*WHERE, "--group", "239.1.1.1", "--group", "239.1.1.2"), "twice"),
    ((*WHERE, "--group", "239.1.1.1", "--vlan", "ten"), "number")])
def test_members_that_say_too_little_or_too_much(ctl, args, said):
    assert said in refused(ctl.run("member", "add", "m", *args), USAGE)


def test_members_that_are_refused(ctl):
    text = refused(ctl.run("member", "add", "m", *WHERE, "--group",
                           "10.1.1.1"), FAILED)
    assert "multicast" in text and "/group" in text
    refused(ctl.run("member", "add", "m", *WHERE, "--group", "232.1.1.1"),
            FAILED)
    text = refused(ctl.run("member", "add", "config", *WHERE, "--router"),
                   FAILED)
    assert "configuration" in text


def test_flows(ctl):
    text = "table=0,udp,nw_dst=226.2.2.2,actions=drop"
    assert good(ctl.run("flow", "add", "f1", "1", text)) \
        == "flow f1 created: applied\n"
    good(ctl.run("flow", "add", "--group", "g5", "1",
                 "group_id=5,type=all,bucket=output:2"))
    kinds = [row["KIND"] for row in rows(good(ctl.run("show", "flows")))]
    assert kinds == ["flow", "group"]
    assert text in good(ctl.run("flow", "show", "f1"))
    good(ctl.run("flow", "rm", "f1"))
    refused(ctl.run("flow", "rm", "f1"), NOT_FOUND)


def test_pending_is_said(ctl):
    result = ctl.run("flow", "add", "slow", "1", "actions=drop", "-t", "1")
    assert good(result) == ("flow slow created: pending\n"
                            "  0000000000000001 pending: no answer yet\n")


def test_refusals_name_the_reason(ctl):
    text = refused(ctl.run("flow", "add", "reject", "1", "x"), FAILED)
    assert "BAD_OUT_GROUP" in text and "/flow" in text
    text = refused(ctl.run("route", "add", "r", "--group", "10.0.0.1"),
                   FAILED)
    assert "/match/group" in text
    refused(ctl.run("route", "add", "a b", "--group", "226.1.1.1"), FAILED)


@pytest.mark.parametrize("args", [
    (), ("show",), ("show", "nothing"), ("bogus",), ("route",),
    ("route", "add"), ("route", "add", "r"), ("route", "rm"),
    ("route", "rm", "a", "b"), ("show", "groups", "0"),
    ("show", "streams", "x"), ("show", "topology", "x"),
    ("show", "tree"), ("show", "tree", "0"),
    ("show", "members", "a", "b"), ("member",),
    ("member", "rm"), ("member", "add"),
    ("flow", "add", "f", "1"), ("verify", "x"),
    ("show", "events", "x"), ("--nonsense",), ("show", "--nonsense"),
    ("-t", "x", "show", "groups"), ("show", "groups", "--watch=x"),
    ("route", "add", "r", "--set", "ttl"), ("route", "add", "r", "x=1", "y"),
    ("route", "add", "r", "--set", "ttl=many"),
    ("route", "add", "r", "--to", "somewhere"),
    ("route", "add", "r", "--to", "1:"), ("route", "add", "r", "--vlan", ""),
    ("route", "add", "r", "--wait", "never"), ("--api", "x:y", "verify"),
    ("--api", "https://127.0.0.1", "verify"), ("--api", "", "verify")])
def test_usage(ctl, args):
    refused(ctl.run(*args), USAGE)


def test_usage_of_several_lines(ctl):
    text = refused(ctl.run("show"), USAGE)
    assert "?" not in text
    assert text.splitlines()[-1].strip() == "events"


def test_daemon_away(ctl):
    text = refused(ctl.run("--api", "http://127.0.0.1:1", "show", "groups"),
                   AWAY)
    assert "Connection refused" in text and "ofmcastd" in text
    assert "--api" in text
    refused(ctl.run("show", "groups", env={
        "OFMCAST_API": "http://[::1]:1"}), AWAY)
    refused(ctl.run("show", "events", "--api", "127.0.0.1:1"), AWAY)


def test_something_else_listens(ctl, start):
    import socket
    import threading
    listener = socket.create_server(("127.0.0.1", 0))

    def answer():
        s, _ = listener.accept()
        s.sendall(b"220 mail.example ESMTP\r\n")
        s.recv(1000)
        s.close()

    thread = threading.Thread(target=answer)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    text = refused(ctl.run("--api", url, "show", "groups"), AWAY)
    assert "does not speak HTTP" in text
    thread.join()
    listener.close()


def test_help(ctl):
    assert "route add" in good(ctl.run("--help"))
    assert "--set" in good(ctl.run("route", "add", "--help"))
    assert "--watch" in good(ctl.run("show", "-h"))
    assert "--router" in good(ctl.run("member", "add", "--help"))
    assert good(ctl.run("--version")).startswith("ofmcastctl ")


def test_verify(ctl):
    out = good(ctl.run("verify"))
    assert "0000000000000001: as it should be" in out
    assert "away" in out


def test_events(stub, ctl):
    for options in ((), ("--json",)):
        process = ctl.start(*options, "show", "events")
        line = line_of(process, lambda: stub.emit("hello"))
        if options:
            assert json.loads(line)["event"] == "hello"
            assert json.loads(line)["data"] == {"n": 1}
        else:
            assert line.split()[1:] == ["hello", "n=1"]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=5)


def line_of(process, emit):
    """The next line that it prints.  Its stream is up when the server has a
    listener, which only a line shows."""
    while True:
        emit()
        if select.select([process.stdout], [], [], 0.1)[0]:
            return process.stdout.readline()


def test_events_over_a_restart(start):
    first = start()
    process = Ctl(first.url).start("show", "events")
    assert "hello" in line_of(process, lambda: first.emit("hello"))
    first.stop()
    assert "trying again" in process.stderr.readline()
    second = start("127.0.0.1", first.port)
    # It names an event of the run before, and is told so.
    text = ""
    while "again" not in text:
        text += line_of(process, lambda: second.emit("again"))
    assert "lost lost=true" in text
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=5)


def test_watch(stub, ctl):
    process = ctl.start("show", "switches", "-w", "0.1")
    text = ""
    while text.count("DPID") < 3:
        text += process.stdout.readline()
    assert "\033" not in text
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=5)


def test_on_a_terminal(stub):
    """There are colours, unless NO_COLOR is set."""
    for env, colours in (({}, True), ({"NO_COLOR": "1"}, False)):
        master, slave = pty.openpty()
        subprocess.run([f"{BUILD}/ofmcastctl", "--api", stub.url, "show",
                        "switches"], stdout=slave, check=True,
                       env={**os.environ, **env})
        text = os.read(master, 65536).decode()
        assert ("\033[32mready\033[0m" in text) == colours
        assert ("\033" in text) == colours
        os.close(master)
        os.close(slave)


def test_output_that_cannot_be_written(ctl):
    with open("/dev/full", "w") as full:
        result = subprocess.run([f"{BUILD}/ofmcastctl", "show", "switches"],
                                stdout=full, stderr=subprocess.PIPE,
                                env=ctl.env)
    assert result.returncode == FAILED


def test_taps_of_long_names_are_their_own(ctl):
    """Two groups that differ in their last digit alone: the second tap does
    not end the first."""
    for last in "12":
        good(ctl.run("tap", f"ff15:1111:2222:3333:4444:5555:6666:777{last}",
                     "--switch", "0000000000000001", "--port", "s1-eth2"))
    found = json.loads(good(ctl.run("show", "members", "--json")))
    assert len([m for m in found["members"]
                if m["name"].startswith("tap-")]) == 2


def test_output_that_is_lost_is_a_failure(ctl):
    """More than stdio keeps: the last write alone would be fine."""
    for i in range(40):
        good(ctl.run("route", "add", f"r{i}", f"group=239.1.1.{i}"))
    done = subprocess.run(
        ["sh", "-c", f"'{BUILD}/ofmcastctl' export > /dev/full"],
        capture_output=True, text=True, timeout=30, check=False, env=ctl.env)
    assert done.returncode == FAILED
    assert "cannot write the output" in done.stderr
