# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the system tests: ofmcastd against a real Open vSwitch.

A test names what it needs:

    ofmcast   a running daemon in a lab of its own (ofmcast.lab, ofmcast.rest)
    net       one switch s1 with an extender and the hosts h2 to h5, connected

and says with @pytest.mark.parametrize("config", ...) or a fixture of that name
if it needs other settings than SHORT.  Nothing here or in a test sleeps: wait
for what must become true with wait_until().

With the sanitizers ./check leaves out two kinds of tests:

    @pytest.mark.control   no program of ours runs; that is looked at
    @pytest.mark.plain     ours does what it does in another test, and only
                           the switch has more, or something else, to do
"""

import os
import re
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "lab"))
sys.path.insert(0, HERE)

# What these assert fails as what a test asserts does: with the values.
pytest.register_assert_rewrite("fabric_scene", "scene", "wire")

from fabric_scene import Scene  # noqa: E402
from lab import Lab, Node  # noqa: E402
from procs import exit_on_signals  # noqa: E402
from rest import Daemon, programs_used  # noqa: E402
from scene import SHORT, Net  # noqa: E402


Node.send_options = {"burst_ms": 5}
Node.receive_options = {"lazy_ms": 10}

SCENARIOS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "doc",
                         "scenarios.md")


def scenarios():
    """{"t07": ["test_x.py::test_y", ...]}: what doc/scenarios.md names."""
    with open(SCENARIOS) as f:
        rows = re.findall(r"^\| (T\d+) \|(.*)$", f.read(), re.M)
    return {name.lower()[:1] + name[1:].zfill(2):
            re.findall(r"test_\w+\.py::test_\w+", row) for name, row in rows}


@pytest.hookimpl(tryfirst=True)  # Before -k chooses.
def pytest_collection_modifyitems(items):
    """-k t07 finds the tests of scenario T7, wherever they stand."""
    named = {}
    for name, tests in scenarios().items():
        for test in tests:
            named.setdefault(test, set()).add(name)
    for item in items:
        function = getattr(item, "originalname", item.name)
        item.extra_keyword_matches |= named.get(
            f"{item.path.name}::{function}", set())


def pytest_configure(config):
    exit_on_signals()
    config.addinivalue_line("markers", "control: runs no program of ours")
    config.addinivalue_line("markers", "plain: not with the sanitizers too")
    if os.getuid() and os.environ.get("OFMCAST_REQUIRE_TOOLS") == "1":
        raise pytest.UsageError("the system tests need root")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Attaches logs, flows and groups to the report of a failed test."""
    outcome = yield
    report = outcome.get_result()
    lab = getattr(item, "funcargs", {}).get("lab")
    if report.failed and lab and call.when != "teardown":
        for title, text in lab.evidence().items():
            report.sections.append((title, text))


@pytest.fixture
def config():
    return SHORT


@pytest.fixture
def lab(request):
    if os.getuid():
        pytest.skip("needs root")
    programs_used.clear()
    with Lab() as lab:
        yield lab
    is_control = bool(request.node.get_closest_marker("control"))
    assert is_control != bool(programs_used), \
        f"mark.control, or not: of ours it ran {programs_used or 'nothing'}"


@pytest.fixture
def ofmcast(lab, config):
    """A running daemon; at the end it must stop cleanly, with nothing to say
    for a sanitizer."""
    daemon = Daemon(lab, config).start()
    yield daemon
    if daemon.process.running:
        status = daemon.stop(20)
        assert status == 0, (f"ofmcastd ended with {status}\n"
                             + daemon.process.log())
    for process in lab.processes:
        assert "Sanitizer" not in process.log(), process.log()
        assert "runtime error:" not in process.log(), process.log()


@pytest.fixture
def net(ofmcast):
    return Net(ofmcast, ["h2", "h3", "h4", "h5"])


@pytest.fixture
def line(ofmcast):
    """Three switches with two hosts each; 'config' says l2: fabric."""
    return Scene(ofmcast).build("line", 3, hosts=2)


@pytest.fixture
def ring(ofmcast):
    return Scene(ofmcast).build("ring", 4, hosts=2)
