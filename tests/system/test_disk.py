# SPDX-License-Identifier: Apache-2.0
"""No space where the state is kept; and a death before a write is kept."""

import contextlib
import http.client
import os
import resource

import pytest
from procs import run, wait_until
from rest import Daemon
from scene import ROUTE, Net, check_restart


@pytest.fixture
def ofmcast(lab, config):
    """With 2 MB for its state."""
    daemon = Daemon(lab, config)
    run("mount", "-t", "tmpfs", "-o", "size=2m", "none", daemon.state)
    try:
        yield daemon.start()
        assert daemon.stop() == 0
    finally:
        daemon.kill()
        run("umount", daemon.state)


def fill(path):
    with open(path, "wb", buffering=0) as f:
        try:
            while f.write(bytes(4096)):
                pass
        except OSError:
            pass


def route(group, source="10.1.0.10"):
    return {"match": {"group": group}, "set": {"source": source},
            "to": [{"dpid": "1", "port": "s1-eth2"}]}


def sources(net):
    """{group: source} of the flows that rewrite."""
    return {f.partition("nw_dst=")[2].partition(" ")[0]:
            f.partition("set_field:")[2].partition("->ip_src")[0]
            for f in net.s1.flows() if "->ip_src" in f}


def test_what_is_refused_goes_from_the_switches(ofmcast):
    """A route is on its way to them while it is stored."""
    net = Net(ofmcast, ["h2"])
    net.put_route(route("239.1.1.1"), "old")
    fill(os.path.join(ofmcast.state, "filler"))
    # Too long for the pages that the file has.
    much = [{"dpid": "1", "port": f"a-port-that-is-not-there-{i}"}
            for i in range(200)]
    new = route("239.1.1.2")
    new["to"] += much
    changed = route("239.1.1.1", "10.1.0.99")
    changed["to"] += much
    for _ in range(2):  # The second time the store is known to refuse.
        for name, body in ("new", new), ("old", changed):
            answer = net.rest.request("PUT", f"/v1/routes/{name}", body)
            assert (answer.status, "state" in answer.json["detail"]) \
                == (507, True)
            assert sources(net) == {"239.1.1.1": "10.1.0.10"}
    [old] = net.rest.list("routes")
    assert (old["set"], len(old["to"])) == ({"source": "10.1.0.10"}, 1)
    check_restart(net)
    assert sources(net) == {"239.1.1.1": "10.1.0.10"}


def test_killed_before_it_is_stored(net):
    """Nobody was told that it is: so it is not."""
    net.put_route(route("239.1.1.1"), "old")
    net.put_route(route("239.1.1.3"), "stays")
    for name, body in ("new", route("239.1.1.2")), \
            ("old", route("239.1.1.1", "10.1.0.99")):
        before = sources(net)
        # Files that grow over this kill who writes them: not the log yet, but
        # the journal of the store.
        resource.prlimit(net.daemon.process.pid, resource.RLIMIT_FSIZE,
                         (4096, resource.RLIM_INFINITY))
        with contextlib.suppress(http.client.HTTPException, OSError):
            net.rest.request("PUT", f"/v1/routes/{name}", body)
            pytest.fail("it was answered")
        # The switch has what it was told; or half a bundle, which it forgets.
        net.daemon.process.wait()
        net.daemon.start().wait_synced(net.s1)
        wait_until(lambda b=before: sources(net) == b, 10, "as it was before")
    assert [r["name"] for r in net.rest.list("routes")] == ["old", "stays"]


def test_a_full_disk_refuses_writes_until_there_is_space(ofmcast):
    rest = ofmcast.rest
    rest.put("/v1/routes/old", ROUTE)
    filler = os.path.join(ofmcast.state, "filler")
    fill(filler)
    # What fits into the pages that the file has is still accepted.
    accepted = ["old"]
    new = {"match": {"group": "239.1.1.1"}, "set": {"ttl": 3}}
    while True:
        new["match"]["group"] = f"239.1.1.{len(accepted)}"
        name = f"new{len(accepted):03}"
        if rest.request("PUT", f"/v1/routes/{name}", new).status == 507:
            break
        accepted.append(name)
        assert len(accepted) < 200
    assert sorted(r["name"] for r in rest.list("routes")) \
        == sorted(accepted)
    assert not rest.ready()
    ofmcast.kill()
    ofmcast.start()
    assert sorted(r["name"] for r in rest.list("routes")) \
        == sorted(accepted)

    os.remove(filler)
    wait_until(rest.ready, 5, "it is ready again, without another write")
    rest.put(f"/v1/routes/{name}", new)
    ofmcast.kill()
    ofmcast.start()
    assert sorted(r["name"] for r in rest.list("routes")) \
        == sorted([*accepted, name])
