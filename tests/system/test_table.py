# SPDX-License-Identifier: Apache-2.0
"""The desired and installed tables of ofp/ against a real Open vSwitch."""

import os

import pytest

from lab import Lab
from procs import run
from rest import program


@pytest.fixture
def switch():
    if os.getuid():
        pytest.skip("needs root")
    with Lab(controller=None) as lab:
        yield lab.add_switch("s1", 1)


def test_what_is_set_comes_back_as_it_was_sent(switch):
    """So that a restart, and each audit, finds nothing to do."""
    foreign_flow = "table=7,priority=77,ip,nw_dst=10.9.9.9,actions=output:9"
    switch.ofctl("add-flow", foreign_flow)
    switch.ofctl("add-group", "group_id=99,type=all,bucket=output:9")

    told = run(program("tests/system/table-probe"),
               f"{switch.lab.dir}/{switch.name}.mgmt")

    assert "audit: drift 0\n" in told
    assert "sent 0 flow mods, 0 group mods, 0 rounds\n" in told
    # What belongs to others has survived all of it.
    [flow] = switch.flows()
    assert "actions=output:9" in flow
    assert list(switch.groups()) == [99]
