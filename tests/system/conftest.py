# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the system tests: ofmcastd against a real Open vSwitch.

A test names what it needs:

    ofmcast   a running daemon in a lab of its own (ofmcast.lab, ofmcast.rest)
    net       one switch s1 with an extender and the hosts h2 to h5, connected

and says with @pytest.mark.parametrize("config", ...) or a fixture of that name
if it needs other settings than SHORT.  Nothing here or in a test sleeps: wait
for what must become true with wait_until().
"""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "lab"))
sys.path.insert(0, HERE)

# What these assert fails as what a test asserts does: with the values.
pytest.register_assert_rewrite("fabric_scene", "scene", "wire")

from lab import Lab  # noqa: E402
from procs import exit_on_signals  # noqa: E402
from rest import Daemon  # noqa: E402
from scene import SHORT, Net  # noqa: E402


def pytest_configure(config):
    exit_on_signals()
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
def lab():
    if os.getuid():
        pytest.skip("needs root")
    with Lab() as lab:
        yield lab


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
