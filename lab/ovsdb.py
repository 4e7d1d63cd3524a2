# SPDX-License-Identifier: Apache-2.0
"""The database of a lab's Open vSwitch, and its programs' control sockets, by
their own protocol (RFC 7047): what every test does, without starting ovs-vsctl
and ovs-appctl for it."""

import contextlib
import json
import os
import socket

from procs import STATE, LabError, run, state_lock, wait_until

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


def empty_database():
    """A file as ovsdb-tool and 'ovs-vsctl init' make it; made once."""
    path = os.path.join(STATE, f"empty-{os.stat(SCHEMA).st_mtime_ns}.db")
    with state_lock():
        if not os.path.exists(path):
            fresh = path + ".new"
            with contextlib.suppress(FileNotFoundError):
                os.remove(fresh)
            run("ovsdb-tool", "create", fresh, SCHEMA)
            run("ovsdb-tool", "transact", fresh, json.dumps(
                ["Open_vSwitch",
                 {"op": "insert", "table": "Open_vSwitch", "row": {}}]))
            os.rename(fresh, path)
    return path


def listens(path):
    """Somebody does at this socket."""
    with socket.socket(socket.AF_UNIX) as s:
        return not s.connect_ex(path)


def ask(path, method, *params):
    """JSON-RPC; the result."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(path)
        s.sendall(json.dumps({"id": 0, "method": method,
                              "params": params}).encode())
        text = b""
        while True:
            piece = s.recv(1 << 20)
            text += piece
            with contextlib.suppress(ValueError):
                answer = json.loads(text)
                break
            if not piece:
                raise ConnectionError(f"{path} hung up")
    if answer["error"] is not None:
        raise LabError(f"{method}: {answer['error']}")
    return answer["result"]


def apply(path, *operations):
    """A transaction, until ovs-vswitchd has done what it says."""
    select = {"op": "select", "table": "Open_vSwitch", "where": [],
              "columns": ["next_cfg", "cur_cfg"]}
    results = ask(path, "transact", "Open_vSwitch", *operations, mutate(
        "Open_vSwitch", [], ["next_cfg", "+=", 1]), select)
    for result in results:
        if result and result.get("error"):
            raise LabError(f"ovsdb: {result}")
    wanted = results[-1]["rows"][0]["next_cfg"]
    wait_until(lambda: ask(path, "transact", "Open_vSwitch", select)[0]
               ["rows"][0]["cur_cfg"] >= wanted, 60, "ovs-vswitchd is done")


def insert(table, uuid_name, /, **row):
    return {"op": "insert", "table": table, "uuid-name": uuid_name, "row": row}


def mutate(table, where, *mutations):
    return {"op": "mutate", "table": table, "where": where,
            "mutations": mutations}


def named(*names):
    return ["set", [["named-uuid", name] for name in names]]


def port(name, at, **interface):
    """A port with its interface; 'at' is a name within the transaction."""
    return [insert("Interface", f"i{at}", name=name, **interface),
            insert("Port", f"p{at}", name=name, interfaces=named(f"i{at}"))]


def add_bridge(path, name, other_config, controller=None, **row):
    operations = port(name, 0, type="internal")
    if controller:
        operations.append(insert("Controller", "c", **controller))
        row["controller"] = named("c")
    apply(path, *operations,
          insert("Bridge", "b", name=name, ports=named("p0"),
                 other_config=["map", list(other_config.items())], **row),
          mutate("Open_vSwitch", [], ["bridges", "insert", named("b")]))


def add_ports(path, ports):
    """[(bridge, name, number), ...]"""
    operations, of_bridge = [], {}
    for at, (bridge, name, number) in enumerate(ports):
        operations += port(name, at, ofport_request=number)
        of_bridge.setdefault(bridge, []).append(f"p{at}")
    for bridge, added in of_bridge.items():
        operations.append(mutate("Bridge", [["name", "==", bridge]],
                                 ["ports", "insert", named(*added)]))
    apply(path, *operations)
