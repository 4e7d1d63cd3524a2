# SPDX-License-Identifier: Apache-2.0
"""ofmcastctl import and export against the stub: exit codes, what is printed,
what is asked of the server.  What files mean is tests/unit/test-import."""

import glob
import json
import os
import re
import shlex

import pytest
from conftest import Ctl

OK, FAILED, USAGE, AWAY = 0, 1, 2, 5
TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
ROUTE = "mroute from eth0 group 225.1.2.%d to eth1\n"
NAME = "smcroute-1.225.1.2.%d-eth0"


@pytest.fixture
def smcroute(ctl, tmp_path):
    """Imports a text as smcroute.conf."""
    def run(text, *options, code=OK):
        path = tmp_path / "smcroute.conf"
        path.write_text(text)
        done = ctl.run("import", "--format", "smcroute", *options, str(path))
        assert done.returncode == code, (done.stdout, done.stderr)
        return done
    return run


def test_usage(ctl, tmp_path):
    for argv in (["import"], ["import", "x"],
                 ["import", "--format", "frr", "x"],
                 ["import", "--format", "smcroute"],
                 ["import", "--format", "smcroute", "--prefix", "a.b", "x"],
                 ["import", "--format", "smcroute", "--address", "eth0", "x"],
                 ["import", "--format", "smcroute", "--address",
                  "eth0=10.0.0.1", "x"],
                 ["import", "--format", "socat", "--address",
                  "eth0=239.0.0.1", "x"],
                 ["import", "--format", "ofmcast", "--switch", "1", "x"],
                 ["import", "--format", "ofmcast", "--prefix", "a", "x"],
                 ["export", "x"]):
        done = ctl.run(*argv)
        assert done.returncode == USAGE, (argv, done.stderr)
        assert done.stderr.startswith("ofmcastctl: ") and done.stdout == ""


def test_a_wrong_switch_is_usage(smcroute):
    smcroute(ROUTE % 3, "--switch", "first", code=USAGE)


def test_help_names_the_formats(ctl):
    done = ctl.run("import", "--help")
    assert done.returncode == OK
    for word in ("smcroute", "pymfcd", "mcr", "igmpproxy", "socat", "ofmcast",
                 "--dry-run", "--replace", "--address", "--prefix"):
        assert word in done.stdout


def test_errors_need_no_daemon(tmp_path):
    """They are told all, before anybody is asked."""
    path = tmp_path / "a.conf"
    path.write_text("one\n" + ROUTE % 3 + "two\x1b[2J\n")
    away = Ctl("http://127.0.0.1:1")
    done = away.run("import", "--format", "smcroute", str(path), "/none")
    assert done.returncode == FAILED
    assert done.stderr.split("\n")[:4] == [
        f"{path}:1: unknown directive 'one'",
        f"{path}:3: unknown directive 'two?[2J'",
        "/none: cannot be read: No such file or directory",
        "ofmcastctl: 3 errors; nothing was written"]
    path.write_text(ROUTE % 3)
    assert away.run("import", "--format", "smcroute",
                    str(path)).returncode == AWAY
    assert away.run("export").returncode == AWAY


def test_the_only_connected_switch(smcroute, stub):
    """The stub has two, of which one is away."""
    smcroute(ROUTE % 3)
    route = stub.ask("GET", f"/v1/routes/{NAME % 3}").json
    assert route["match"]["dpid"] == "0000000000000001"
    smcroute(ROUTE % 3, "--switch", "0xabcdef", "--prefix", "lab")
    route = stub.ask("GET", "/v1/routes/lab.225.1.2.3-eth0").json
    assert route["to"] == [{"dpid": "0000000000abcdef", "port": "eth1"}]


def test_the_default_prefix_has_the_switch(smcroute, stub):
    smcroute(ROUTE % 3, "--switch", "abcdef", code=USAGE)
    smcroute(ROUTE % 3, "--switch", "0000000000abcdef")
    assert stub.ask(
        "GET", "/v1/routes/smcroute-abcdef.225.1.2.3-eth0").status == 200


def test_a_dry_run_says_what_differs(smcroute, stub):
    smcroute(ROUTE % 3 + ROUTE % 4 + ROUTE % 5)
    before = stub.ask("GET", "/v1/routes").json
    done = smcroute(ROUTE % 3 + "mroute from eth0 group 225.1.2.4 to eth2\n"
                    + ROUTE % 6, "--dry-run", "--replace")
    assert done.stdout.split("\n")[:2] == [
        f"~ route {NAME % 4}  ({done.args[-1]}:2)",
        "      * > 225.1.2.4 at 0000000000000001:eth0, to "
        "0000000000000001:eth2"]
    assert '      to was [{"dpid":"0000000000000001","port":"eth1"}]' \
        in done.stdout
    assert '         is  [{"dpid":"0000000000000001","port":"eth2"}]' \
        in done.stdout
    assert f"\n+ route {NAME % 6}  " in done.stdout
    assert f"\n- route {NAME % 5}\n" in done.stdout
    assert "1 to add, 1 to change, 1 the same; nothing was written" \
        in done.stdout
    assert "1 to remove that the file has not" in done.stdout
    assert stub.ask("GET", "/v1/routes").json == before
    # Without --replace what is too much is only counted.
    done = smcroute(ROUTE % 3, "--dry-run")
    assert "\n- " not in "\n" + done.stdout
    assert "2 that an earlier import made and the file has not: left" \
        in done.stdout


def test_json(smcroute, ctl):
    done = smcroute("phyint eth0 mrdisc\n" + ROUTE % 3, "--json", "--dry-run")
    assert done.stderr == ""
    shown = json.loads(done.stdout)
    [added] = shown["added"]
    assert (added["kind"], added["name"], added["line"]) \
        == ("route", NAME % 3, 2)
    assert added["after"]["match"]["port"] == "eth0"
    assert [n["line"] for n in shown["notes"]] == [1]
    assert shown["dry_run"] and "results" not in shown
    shown = json.loads(smcroute(ROUTE % 3, "--json").stdout)
    assert [(r["name"], r["error"]) for r in shown["results"]] \
        == [(NAME % 3, "")]


def test_notes_do_not_hinder(smcroute):
    done = smcroute("phyint eth0 mrdisc\n" + ROUTE % 3)
    assert ":1: note: mrdisc is not carried over" in done.stderr


def test_refused(ctl, stub, tmp_path):
    """The stub refuses names that begin with "reject" and "invalid"."""
    path = tmp_path / "export.json"
    items = [{"name": n, "match": {"group": f"239.1.1.{i}"}}
             for i, n in enumerate(["good", "reject-1", "invalid-1", "last"],
                                   1)]
    path.write_text('{"ofmcast": 1, "routes": [\n'
                    + ",\n".join(map(json.dumps, items)) + "]}")
    done = ctl.run("import", "--format", "ofmcast", str(path))
    assert done.returncode == FAILED
    assert f"{path}:3: route reject-1: " in done.stderr
    assert f"{path}:4: route invalid-1: " in done.stderr
    assert "/to/0" in done.stderr
    assert "2 added, 0 changed, 0 the same" in done.stdout
    assert "2 refused" in done.stdout
    assert [r["name"] for r in stub.ask("GET", "/v1/routes").json["routes"]] \
        == ["good", "last"]


def test_export_and_import_again(ctl, stub, start, tmp_path):
    """From one daemon into another."""
    for name, body in (("r1", {"match": {"group": "239.1.1.1"}}),
                       ("r2", {"match": {"group": "239.1.1.2"}, "to": []})):
        assert stub.ask("PUT", f"/v1/routes/{name}", body).status == 201
    assert stub.ask("PUT", "/v1/members/m1", {
        "dpid": "1", "port": "eth1", "group": "239.1.1.1"}).status == 201
    exported = ctl.run("export")
    assert exported.returncode == OK
    shown = json.loads(exported.stdout)
    assert list(shown) == ["ofmcast", "routes", "members", "flows"]
    assert [r["name"] for r in shown["routes"]] == ["r1", "r2"]
    assert "status" not in shown["routes"][0]
    other = Ctl(start().url)
    done = other.run("import", "--format", "ofmcast", "-",
                     stdin=exported.stdout)
    assert done.returncode == OK, done.stderr
    assert other.run("export").stdout == exported.stdout


def test_a_piece_of_configuration(ctl, tmp_path):
    path = tmp_path / "igmpproxy.conf"
    path.write_text("mut_init\nphyint eth0 upstream\nphyint eth1 downstream\n")
    done = ctl.run("import", "--format", "igmpproxy", str(path))
    assert done.returncode == OK
    assert "+ member igmpproxy-1.upstream-eth0: " in done.stdout
    assert ('ports:\n  - {dpid: "0000000000000001", port: "eth1", role: host,'
            ' delivery: unicast}\n') in done.stdout


@pytest.mark.parametrize("kind", ["smcroute", "pymfcd", "mcr", "igmpproxy",
                                  "socat"])
def test_samples_come_back(start, kind, tmp_path):
    """The golden samples: imported, exported, imported elsewhere; what was
    accepted is the same the next time."""
    sample = {"pymfcd": "state", "socat": "script"}.get(kind, "example")
    path = f"{TOP}/tests/golden/import/{kind}/{sample}.in"
    with open(path, encoding="utf-8") as f:
        text = f.read().replace("include /etc", "# include /etc")
    one, two = Ctl(start().url), Ctl(start().url)
    first = one.run("import", "--format", kind, "--json", "-", stdin=text)
    shown = json.loads(first.stdout)
    refused = [r for r in shown["results"] if r["state"] == "refused"]
    assert first.returncode == (FAILED if refused else OK)
    assert len(shown["added"]) > len(refused)

    exported = one.run("export").stdout
    done = two.run("import", "--format", "ofmcast", "-", stdin=exported)
    assert done.returncode == OK, done.stderr
    assert two.run("export").stdout == exported
    again = json.loads(two.run("import", "--format", kind, "--json",
                               "--dry-run", "-", stdin=text).stdout)
    assert len(again["same"]) == len(shown["added"]) - len(refused)
    assert [r["name"] for r in again["added"]] \
        == [r["name"] for r in refused]
    assert again["changed"] == again["left"] == []


def commands():
    """What the pages for people from other systems say to type."""
    for path in glob.glob(f"{TOP}/doc/predecessors/*.md"):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for code in re.findall(r"`([^`]*ofmcastctl [^`]*)`", text):
            command = code[code.index("ofmcastctl "):]
            yield os.path.basename(path), re.split(" [>|] ", command)[0]


def test_the_pages_name_commands_that_exist():
    """With nobody to answer, none is a usage error."""
    away = Ctl("http://127.0.0.1:1")
    found = list(commands())
    assert len(found) >= 30
    for page, command in found:
        argv = shlex.split(command)[1:]
        done = away.run(*argv, stdin="{}")
        assert done.returncode in (FAILED, AWAY), (page, command, done.stderr)
