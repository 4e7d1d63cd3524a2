# SPDX-License-Identifier: Apache-2.0
"""No space where the state is kept."""

import os

import pytest
from procs import run, wait_until
from rest import Daemon
from scene import ROUTE


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


def test_a_full_disk_refuses_writes_until_there_is_space(ofmcast):
    rest = ofmcast.rest
    rest.put("/v1/routes/old", ROUTE)
    filler = os.path.join(ofmcast.state, "filler")
    fill(filler)
    new = {"match": {"group": "239.1.1.1"}, "set": {"ttl": 3}}
    assert rest.request("PUT", "/v1/routes/new", new).status == 507
    assert [r["name"] for r in rest.list("routes")] == ["old"]
    assert not rest.ready()

    os.remove(filler)
    wait_until(rest.ready, 5, "it is ready again, without another write")
    rest.put("/v1/routes/new", new)
    ofmcast.kill()
    ofmcast.start()
    assert [r["name"] for r in rest.list("routes")] == ["new", "old"]
