# SPDX-License-Identifier: Apache-2.0
"""doc/scenarios.md tells the truth: each test that it names is there, and each
of test_scenarios_*.py is named."""

import ast
import os
import re

from conftest import HERE, scenarios


def functions():
    """{"test_x.py::test_y", ...}"""
    found = set()
    for name in os.listdir(HERE):
        if name.startswith("test_") and name.endswith(".py"):
            with open(os.path.join(HERE, name)) as f:
                found |= {f"{name}::{node.name}"
                          for node in ast.parse(f.read()).body
                          if isinstance(node, ast.FunctionDef)}
    return found


def test_the_table_names_tests_that_exist():
    table = scenarios()
    assert list(table) == [f"t{i:02}" for i in range(1, 29)
                           if i not in (22, 23)]
    named = {test for tests in table.values() for test in tests}
    assert not named - functions()


def test_each_test_of_a_scenario_is_in_its_row():
    table = scenarios()
    for test in functions():
        number = re.search(r"^test_scenarios_.*::test_(t\d\d)_", test)
        assert not number or test in table[number[1]], test
