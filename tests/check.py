# SPDX-License-Identifier: Apache-2.0
"""What ./check runs once everything is installed; see there."""

import argparse
import concurrent.futures
import contextlib
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILDS = "build-check"
PYTHON = "/usr/bin/python3"  # Debian's: it has pytest, scapy and mininet.
CPUS = os.cpu_count() or 1
# A test waits for timers more than it computes, and has a switch of its own.
SIDE_BY_SIDE = "-n", str(2 * CPUS), "--dist", "loadgroup"
# So many tests of a whole check may fail beside others and pass alone.
MAX_UNSTABLE = 3
NO_TESTS = 5  # pytest's exit status.
# Those of one compiler share what configure has found out about it.
CONFIGURATIONS = {
    "gcc": ["CC=gcc", "--enable-werror", "--cache-file=../gcc.cache"],
    "sanitize": ["CC=gcc", "--enable-werror", "--enable-sanitizers",
                 "--cache-file=../gcc.cache"],
    "fuzz": ["CC=clang", "--enable-werror", "--enable-fuzzer",
             "--cache-file=../clang.cache"]}
FUZZ_TARGETS = sorted(path[:-len(".c")] for path in glob.glob(
    "tests/fuzz/fuzz-*.c", root_dir=TOP))
# "NAME tests": with the programs that make check runs, which the system tests
# do not wait for.  Clang's are not run: they are built for its warnings.
TESTS_TOO = " tests"
LIBRARIES = [f"lib{name}.a" for name in (
    "base", "igmp", "topo", "ofp", "controller", "api", "import")]
TARGETS = {"fuzz": " ".join(LIBRARIES + FUZZ_TARGETS)}
# The steps of the parts, in the order in which they run, each with the builds
# that it needs.  What tests wait for first is built first, and the rest behind
# the system tests, which leave a third of the processors idle.
STEPS = [("system", "system", ["gcc"]),
         ("unit", "unit", ["gcc tests"]),
         ("sanitize", "sanitize", ["sanitize tests"]),
         ("system", "system_sanitized", ["gcc", "sanitize"]),
         ("system", "demos", ["gcc"]),
         ("fuzz", "fuzz", ["fuzz", "fuzz tests"]),
         ("dist", "dist", ["gcc", "dist"])]
# The tests that run meanwhile come first, by each scheduler.
BEHIND_ALL = ["sh", "-c", "echo 19 2>/dev/null > /proc/self/autogroup ||:;"
              " exec nice -n 19 \"$@\"", "sh"]
DIST = f"{BUILDS}/dist"


class Builds:
    """Everything is built one after the other, while tests wait for their
    timers; what is needed is waited for."""

    def __init__(self, parts):
        self.stopped, self.running = False, None
        os.makedirs(os.path.join(TOP, BUILDS), exist_ok=True)
        names = [name for part, _, builds in STEPS if part in parts
                 for name in builds]
        self.executor = concurrent.futures.ThreadPoolExecutor(1)
        self.jobs = {name: self.executor.submit(self._build, name)
                     for name in dict.fromkeys(names)}

    def wait(self, name):
        """[(what was done, True if it succeeded, its log), ...]"""
        return self.jobs[name].result()

    def stop(self):
        self.stopped = True
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.running.pid, signal.SIGKILL)
        self.executor.shutdown(cancel_futures=True)

    def _build(self, name):
        done = []
        for what, log, argv in self._steps(name):
            good = not self.stopped and self._run(log, argv, name)
            done.append((what, good, log))
            if not good:
                break
        return done

    def _steps(self, name):
        if name != "dist":
            folder = name.removesuffix(TESTS_TOO)
            options = CONFIGURATIONS[folder]
            tests = "the tests " if name != folder else ""
            return [(f"build {tests}with {' '.join(options)}",
                     f"{BUILDS}/{name.replace(' ', '-')}.log",
                     ["lab/build", f"{BUILDS}/{folder}", *options])]
        shutil.rmtree(os.path.join(TOP, DIST), ignore_errors=True)
        os.makedirs(os.path.join(TOP, DIST, "build"))
        return [("make dist", f"{DIST}/dist.log",
                 ["make", "-C", f"{BUILDS}/gcc", "dist"]),
                ("build and install it out of tree", f"{DIST}/build.log",
                 ["sh", "-c", DIST_STEPS])]

    def _run(self, log, argv, name):
        targets = "check TESTS=" if name.endswith(TESTS_TOO) \
            else TARGETS.get(name, "all")
        with open(os.path.join(TOP, log), "w") as f:
            self.running = subprocess.Popen(
                [*BEHIND_ALL, *argv], cwd=TOP, stdout=f, stderr=f,
                stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, "TARGETS": targets})
            return self.running.wait() == 0


DIST_STEPS = f"""
set -e
cd {DIST}
tar -xJf ../gcc/ofmcast-*.tar.xz
cd build
../ofmcast-*/configure --prefix=/usr CFLAGS=-O1 --disable-dependency-tracking
make -j{CPUS} check TESTS=
make install DESTDIR="$PWD/../root"
cd ../root/usr
test -x sbin/ofmcastd
test -x bin/ofmcastctl
sbin/ofmcastd --help
bin/ofmcastctl --help
"""


class Check:
    """Counts, and says what is going on."""

    def __init__(self, options, builds):
        self.options = options
        self.builds = builds
        self.passed = self.failed = 0
        self.failures = []
        self.unstable = []
        self.built = set()

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
        """Waits for it; True if it could be built.  It counts once, however
        often it is asked for."""
        steps = self.builds.wait(name)
        for what, good, log in steps if name not in self.built else ():
            if not good:
                show_end(log)
            print(f"{'ok' if good else 'FAILED'}: {what}", flush=True)
            self.count(what, good, not good)
        self.built.add(name)
        return all(good for _, good, _ in steps)

    def make_check(self, folder, *variables):
        """make check there; counts each test."""
        log = f"{folder}/check.log"
        self.run(["make", "-C", folder, "check", f"-j{CPUS}", *variables],
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
        with self.section("unit tests, gcc"):
            if self.build("gcc tests"):
                self.make_check(f"{BUILDS}/gcc")

    def sanitize(self):
        with self.section("unit tests, AddressSanitizer and UBSan"):
            if self.build("sanitize tests"):
                self.make_check(f"{BUILDS}/sanitize", "SOURCE_TESTS=")

    def pytest(self, what, build, *argv):
        """Runs them side by side, and once more alone what then failed, if
        that is little: the machine may be shared, and a stream that it did
        not carry in time is no finding.  What passes only alone is named in
        the end: a race of the test, or of ours, is to be looked for there."""
        if self.options.k:
            argv += ("-k", self.options.k)
        status, total, bad = self.pytest_once(what, build, *argv,
                                              *SIDE_BY_SIDE)
        if status == NO_TESTS and self.options.k:
            return  # No test of that name here.
        failed = max(len(bad), int(status != 0))
        if bad and len(bad) <= MAX_UNSTABLE - len(self.unstable):
            print(f"\nonce more, alone: {', '.join(bad)}", flush=True)
            status, _, still_bad = self.pytest_once(f"{what} again", build,
                                                    *bad)
            failed = max(len(still_bad), int(status != 0))
            self.unstable += [test for test in bad if test not in still_bad
                              and (still_bad or not status)]
        self.count(what, total - failed, failed)

    @staticmethod
    def pytest_once(what, build, *argv):
        """(pytest's status, how many ran, which did not pass)"""
        report = os.path.join(TOP, BUILDS, f"{what.replace(' ', '-')}.xml")
        if os.path.exists(report):
            os.remove(report)
        status = subprocess.call(
            [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider",
             "--tb=short", "--durations=5", f"--junitxml={report}",
             "-o", "junit_family=xunit1", *argv],
            cwd=TOP, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1",
                 "OFMCAST_BUILD": os.path.join(TOP, BUILDS, build),
                 "OFMCAST_TOOLS": os.path.join(TOP, BUILDS, "gcc")})
        try:
            suite = xml.etree.ElementTree.parse(report).getroot()[0]
        except (OSError, IndexError, xml.etree.ElementTree.ParseError):
            return status or 1, 1, []
        # A skipped test is one that did not do its work.  xdist adds a group.
        bad = {case.get("file") + "::"
               + re.sub("@[a-z]+$", "", case.get("name"))
               for case in suite.iter("testcase")
               if {"failure", "error", "skipped"} & {e.tag for e in case}}
        return status, int(suite.get("tests")), sorted(bad)

    def system(self):
        with self.section("system tests: Open vSwitch, namespaces, mininet"):
            if self.build("gcc"):
                self.pytest("system tests", "gcc", "tests/mininet",
                            "tests/system")

    def system_sanitized(self):
        with self.section("system tests with the sanitizers"):
            if self.build("gcc") and self.build("sanitize"):
                self.pytest("sanitized system tests", "sanitize",
                            "tests/system", "-m", "not control and not plain")

    def demos(self):
        if self.options.k or not self.build("gcc"):
            return
        folder = os.path.join(TOP, BUILDS, "gcc")
        memcheck = ("valgrind --quiet --leak-check=full"
                    " --errors-for-leak-kinds=definite --error-exitcode=99")
        demos = [("the demo", [], {}),
                 ("its control experiment", ["--without-route"], {}),
                 ("the demo of a fabric", ["--fabric"], {}),
                 ("the demo under valgrind", [], {"OFMCAST_WRAP": memcheck})]
        with self.section("the demo"):
            # Two at a time: they wait more than they compute.
            with concurrent.futures.ThreadPoolExecutor(2) as e:
                list(e.map(lambda at, demo: self.step(
                    demo[0], PYTHON, "lab/demo.py", "--seconds", "1.5",
                    *demo[1], log=f"{BUILDS}/demo-{at}.log",
                    env={"OFMCAST_BUILD": folder, **demo[2]}),
                    range(len(demos)), demos))

    def fuzz(self):
        seconds = self.options.fuzz_seconds
        with self.section(f"fuzzing, {seconds} s a target"):
            if not self.build("fuzz") or not self.build("fuzz tests"):
                return
            self.count("no fuzz target", 0, not FUZZ_TARGETS)
            with concurrent.futures.ThreadPoolExecutor(CPUS) as e:
                list(e.map(self.fuzz_one, FUZZ_TARGETS))

    def fuzz_one(self, target):
        name = os.path.basename(target)[len("fuzz-"):]
        finds = os.path.join(TOP, BUILDS, "fuzz", f"finds-{name}")
        os.makedirs(finds, exist_ok=True)
        # New inputs go to the first folder: never to the committed corpus.
        with tempfile.TemporaryDirectory() as scratch:
            self.step(f"fuzz {name} (finds would be in"
                      f" {os.path.relpath(finds, TOP)})",
                      f"{BUILDS}/fuzz/{target}",
                      f"-max_total_time={self.options.fuzz_seconds}",
                      "-timeout=20", "-rss_limit_mb=4096",
                      f"-artifact_prefix={finds}/", scratch,
                      os.path.join(TOP, "tests/fuzz/corpus", name),
                      log=f"{BUILDS}/fuzz/{name}.log")

    def dist(self):
        with self.section("the tarball"):
            if self.build("gcc") and self.build("dist"):
                self.make_check(f"{DIST}/build")


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


PARTS = list(dict.fromkeys(part for part, _, _ in STEPS))


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
    start = time.monotonic()
    parts = options.parts or PARTS
    builds = Builds(parts)
    check = Check(options, builds)
    try:
        for part, step, _ in STEPS:
            if part in parts:
                getattr(check, step)()
    finally:
        builds.stop()
    print(f"\n{time.monotonic() - start:.0f} s in all")
    for test in check.unstable:
        print(f"UNSTABLE: {test} failed beside other tests, passed alone")
    for what in check.failures:
        print(f"FAILED: {what}")
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed or not check.passed else 0


if __name__ == "__main__":
    sys.exit(main())
