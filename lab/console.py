# SPDX-License-Identifier: Apache-2.0
"""What the demo says to a person."""

import sys
import textwrap
import time

from procs import wait_until


class Console:
    """Headings, a table that is redrawn in place on a terminal, verdicts."""

    def __init__(self):
        self.live = sys.stdout.isatty()
        self.step_number = 0
        self.failed = 0
        self.passed = 0

    def paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.live else text

    def say(self, text=""):
        print(text, flush=True)

    def step(self, text):
        self.step_number += 1
        self.say("\n" + self.paint("1", f"{self.step_number}. {text}"))

    def command(self, text):
        self.say(self.paint("36", "   $ " + text))

    def output(self, text):
        for line in textwrap.dedent(text).rstrip().splitlines():
            self.say("     " + line)

    def verdict(self, good, text):
        word = self.paint("32", "PASS") if good else self.paint("31", "FAIL")
        self.passed += bool(good)
        self.failed += not good
        self.say(f"   {word}  {text}")

    def watch(self, rows, seconds):
        """Shows a table for some time: live on a terminal, else its end."""
        end = time.monotonic() + seconds
        shown = 0

        def draw():
            nonlocal shown
            lines = rows()
            if self.live or time.monotonic() > end:
                if shown:
                    print(f"\033[{shown}A", end="")
                for line in lines:
                    print("   " + line + ("\033[K" if self.live else ""))
                sys.stdout.flush()
                shown = len(lines)
            return time.monotonic() > end
        wait_until(draw, seconds + 5, "the table")

    def stopped(self, daemon):
        """Stops it, and says how it took that."""
        status = daemon.stop(20)
        self.verdict(status == 0, "ofmcastd stopped cleanly")
        if status:
            self.output(daemon.process.log())

    def sum_up(self):
        self.say()
        self.say(self.paint("1", f"{'FAIL' if self.failed else 'PASS'}:"
                            f" {self.passed} checks held, {self.failed}"
                            " did not"))
