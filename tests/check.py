# SPDX-License-Identifier: Apache-2.0
"""What ./check runs once everything is installed; see there."""

import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILDS = "build-check"
PYTHON = "/usr/bin/python3"  # Debian's: it has pytest, scapy and mininet.
# A test waits for timers more than it computes, and has a switch of its own.
SIDE_BY_SIDE = "-n", str(2 * (os.cpu_count() or 1))
CONFIGURATIONS = {
    "gcc": ["CC=gcc", "--enable-werror"],
    "clang": ["CC=clang", "--enable-werror"],
    "sanitize": ["CC=gcc", "--enable-werror", "--enable-sanitizers",
                 "CFLAGS=-O1 -g"],
    "fuzz": ["CC=clang", "--enable-werror", "--enable-fuzzer",
             "CFLAGS=-O1 -g"]}


class Check:
    """Counts, and says what is going on."""

    def __init__(self, options):
        self.options = options
        self.passed = self.failed = 0
        self.failures = []

    def section(self, title):
        print(f"\n=== {title} ===", flush=True)
        return Section(self, title)

    def count(self, what, passed, failed):
        self.passed += passed
        self.failed += failed
        if failed:
            self.failures.append(what)

    def run(self, argv, log=None, env=None):
        """True if the command succeeds.  With 'log' its output goes there,
        and its end is shown if it fails."""
        env = {**os.environ, **(env or {})}
        if not log:
            return subprocess.call(argv, cwd=TOP, env=env,
                                   stdin=subprocess.DEVNULL) == 0
        with open(os.path.join(TOP, log), "w") as f:
            status = subprocess.call(argv, cwd=TOP, env=env, stdout=f,
                                     stdin=subprocess.DEVNULL,
                                     stderr=subprocess.STDOUT)
        if status:
            show_end(log)
        return status == 0

    def step(self, what, *argv, **how):
        good = self.run(list(argv), **how)
        print(f"{'ok' if good else 'FAILED'}: {what}", flush=True)
        self.count(what, good, not good)
        return good

    # Parts.

    def build(self, name):
        return self.step(f"build with {' '.join(CONFIGURATIONS[name])}",
                         "lab/build", f"{BUILDS}/{name}",
                         *CONFIGURATIONS[name])

    def make_check(self, folder):
        """make check there; counts each test."""
        log = f"{folder}/check.log"
        self.run(["make", "-C", folder, "check", f"-j{os.cpu_count()}"],
                 log=log)
        counts = dict(re.findall(r"^# (\w+): +(\d+)$", read(log), re.M))
        n = {k: int(v) for k, v in counts.items()}
        passed = n.get("PASS", 0) + n.get("XFAIL", 0)
        # A skipped test is one that did not do its work.
        failed = n.get("TOTAL", 0) - passed
        if not n:
            passed, failed = 0, 1  # It did not even build.
        if failed and os.path.exists(f"{folder}/test-suite.log"):
            show_end(f"{folder}/test-suite.log", 100)
        print(f"{'FAILED' if failed else 'ok'}: make check in {folder}:"
              f" {passed} passed, {failed} not", flush=True)
        self.count(f"make check in {folder}", passed, failed)

    def unit(self):
        for name in "gcc", "clang":
            with self.section(f"unit tests, {name}"):
                if self.build(name):
                    self.make_check(f"{BUILDS}/{name}")

    def sanitize(self):
        with self.section("unit tests, AddressSanitizer and UBSan"):
            if self.build("sanitize"):
                self.make_check(f"{BUILDS}/sanitize")

    def pytest(self, what, build, *argv):
        report = os.path.join(TOP, BUILDS, f"{what.replace(' ', '-')}.xml")
        if os.path.exists(report):
            os.remove(report)
        if self.options.k:
            argv += ("-k", self.options.k)
        status = subprocess.call(
            [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider",
             "--tb=short", "--durations=5", f"--junitxml={report}", *argv],
            cwd=TOP, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1",
                 "OFMCAST_BUILD": os.path.join(TOP, BUILDS, build)})
        if status == 5 and self.options.k:
            return  # No test of that name here.
        try:
            suite = xml.etree.ElementTree.parse(report).getroot()[0]
            total, bad = int(suite.get("tests")), sum(
                int(suite.get(k)) for k in ("failures", "errors", "skipped"))
        except (OSError, IndexError, xml.etree.ElementTree.ParseError):
            total, bad = 1, 1
        if status and not bad:
            bad = 1
        self.count(what, total - bad, bad)

    def system(self):
        with self.section("system tests: Open vSwitch, namespaces"):
            if not self.build("gcc"):
                return
            self.pytest("system tests", "gcc", "tests/system", *SIDE_BY_SIDE)
        with self.section("mininet"):
            self.pytest("mininet tests", "gcc", "tests/mininet")
        with self.section("system tests with the sanitizers"):
            if self.build("sanitize"):
                self.pytest("sanitized system tests", "sanitize",
                            "tests/system", *SIDE_BY_SIDE)
        if not self.options.k:
            self.demos()

    def demos(self):
        with self.section("the demo"):
            folder = os.path.join(TOP, BUILDS, "gcc")
            memcheck = ("valgrind --quiet --leak-check=full"
                        " --errors-for-leak-kinds=definite"
                        " --error-exitcode=99")
            for what, argv, env in (
                    ("the demo", [], {}),
                    ("its control experiment", ["--without-route"], {}),
                    ("the demo of a fabric", ["--fabric"], {}),
                    ("the demo under valgrind", [],
                     {"OFMCAST_WRAP": memcheck})):
                self.step(what, PYTHON, "lab/demo.py", "--seconds", "1.5",
                          *argv, log=f"{BUILDS}/demo.log",
                          env={"OFMCAST_BUILD": folder, **env})

    def fuzz(self):
        seconds = self.options.fuzz_seconds
        with self.section(f"fuzzing, {seconds} s a target"):
            if not self.build("fuzz"):
                return
            folder = f"{BUILDS}/fuzz/tests/fuzz"
            self.step("build the fuzz targets", "make", "-C",
                      f"{BUILDS}/fuzz", f"-j{os.cpu_count()}", "check",
                      "TESTS=", log=f"{BUILDS}/fuzz/targets.log")
            targets = sorted(
                t for t in glob.glob(os.path.join(TOP, folder, "fuzz-*"))
                if os.access(t, os.X_OK) and "." not in os.path.basename(t))
            self.count("no fuzz target", 0, not targets)
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as e:
                list(e.map(self.fuzz_one, targets))

    def fuzz_one(self, target):
        name = os.path.basename(target)[len("fuzz-"):]
        finds = os.path.join(TOP, BUILDS, "fuzz", f"finds-{name}")
        os.makedirs(finds, exist_ok=True)
        # New inputs go to the first folder: never to the committed corpus.
        with tempfile.TemporaryDirectory() as scratch:
            self.step(f"fuzz {name} (finds would be in"
                      f" {os.path.relpath(finds, TOP)})", target,
                      f"-max_total_time={self.options.fuzz_seconds}",
                      "-timeout=20", "-rss_limit_mb=4096",
                      f"-artifact_prefix={finds}/", scratch,
                      os.path.join(TOP, "tests/fuzz/corpus", name),
                      log=f"{BUILDS}/fuzz/{name}.log")

    def dist(self):
        with self.section("the tarball"):
            if not self.build("gcc"):
                return
            where = os.path.join(TOP, BUILDS, "dist")
            shutil.rmtree(where, ignore_errors=True)
            os.makedirs(f"{where}/build")
            if not self.step("make dist", "make", "-C", f"{BUILDS}/gcc",
                             "dist", log=f"{BUILDS}/dist/dist.log"):
                return
            [tarball] = glob.glob(f"{TOP}/{BUILDS}/gcc/ofmcast-*.tar.xz")
            steps = f"""
                set -e
                tar -xJf {tarball} -C {where}
                cd {where}/build
                ../ofmcast-*/configure --prefix=/usr
                make -j{os.cpu_count()}
                make install DESTDIR={where}/root
                test -x {where}/root/usr/sbin/ofmcastd
                test -x {where}/root/usr/bin/ofmcastctl
                {where}/root/usr/sbin/ofmcastd --help
                {where}/root/usr/bin/ofmcastctl --help
                """
            if self.step("build and install it out of tree", "sh", "-c",
                         steps, log=f"{BUILDS}/dist/build.log"):
                self.make_check(f"{BUILDS}/dist/build")


class Section:
    def __init__(self, check, title):
        self.title = title

    def __enter__(self):
        self.start = time.monotonic()

    def __exit__(self, *exception):
        print(f"--- {self.title}: {time.monotonic() - self.start:.0f} s",
              flush=True)


def read(path):
    try:
        with open(os.path.join(TOP, path), errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def show_end(path, n=40):
    print("\n".join("  | " + line for line in read(path).splitlines()[-n:]))
    print(f"  (the whole of it is {path})", flush=True)


PARTS = ["unit", "sanitize", "system", "fuzz", "dist"]


def main():
    parser = argparse.ArgumentParser(prog="./check")
    parser.add_argument("parts", nargs="*", metavar="PART",
                        help=" ".join(PARTS) + "; default: all")
    parser.add_argument("--fuzz-seconds", type=int, default=10)
    parser.add_argument("-k", metavar="EXPRESSION")
    options = parser.parse_args()
    for part in list(options.parts):
        if part.startswith("K="):
            options.k = part[2:]
            options.parts.remove(part)
        elif part not in PARTS:
            parser.error(f"no such part: {part}")
    os.makedirs(os.path.join(TOP, BUILDS), exist_ok=True)
    check = Check(options)
    start = time.monotonic()
    for part in options.parts or PARTS:
        getattr(check, part)()
    print(f"\n{time.monotonic() - start:.0f} s in all")
    for what in check.failures:
        print(f"FAILED: {what}")
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed or not check.passed else 0


if __name__ == "__main__":
    sys.exit(main())
