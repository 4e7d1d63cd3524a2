# SPDX-License-Identifier: Apache-2.0
"""Processes and namespaces of a lab, and finding them again after a crash.

Each lab has a folder in /run/ofmcast-lab, named after the pid of its owner, as
are its namespaces.  The folder says which processes are its own, each with its
start time, so that nothing else is ever killed.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from netns import NETNS, in_netns, remove_netns

STATE = "/run/ofmcast-lab"  # One folder a lab; short, for socket paths.
RMEM = "/proc/sys/net/core/rmem_default"
RMEM_BYTES = 16 << 20
LOOK = 0.06  # Seconds; see wait_until().
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

PIPE = subprocess.PIPE


class LabError(Exception):
    """Something in the lab did not work."""


def wait_until(condition, seconds, what):
    """Returns the first true value of condition(); LabError at the end.

    On a machine that is busy everything takes longer, and so does asking: a
    look counts for at most LOOK of the seconds."""
    left = seconds
    while True:
        asked = time.monotonic()
        value = condition()
        if value:
            return value
        if left < 0:
            raise LabError(f"not within {seconds} s: {what}")
        # What is costly to ask, such as ovs-ofctl, is not asked all the time:
        # it would take the processor from what is waited for.
        time.sleep(min(max(0.01, time.monotonic() - asked), 0.1))
        left -= min(time.monotonic() - asked, LOOK)


def build_dir():
    """Where the programs are: OFMCAST_BUILD, else build/."""
    return os.path.abspath(os.environ.get("OFMCAST_BUILD")
                           or os.path.join(TOP, "build"))


def exit_on_signals():
    """Makes SIGTERM and SIGHUP unwind as Ctrl-C does, so that a lab cleans
    up."""
    def leave(number, frame):
        raise SystemExit(128 + number)
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


def run(*argv, stdin=None, env=None, netns=None):
    """Runs a command; its output, or LabError with what it said."""
    with in_netns(netns) if netns else contextlib.nullcontext():
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL if stdin is None
                             else PIPE, stdout=PIPE, stderr=PIPE, text=True,
                             env=env)
    with p:
        try:
            out, errors = p.communicate(stdin)
        except BaseException:
            p.kill()
            raise
    if p.returncode:
        raise LabError(f"{' '.join(argv)}: exit {p.returncode}\n"
                       f"{out}{errors}")
    return out


# ---------------------------------------------------------------------------
# For benchmarks: what is measured, and not what else runs on this machine.


def favour(*processes):
    """Before everything else on this machine, but behind nodes that stand
    apart: as if nothing else ran here."""
    for process in processes:
        with contextlib.suppress(OSError):
            write(f"/proc/{process.pid}/autogroup", "-20")
        for thread in os.listdir(f"/proc/{process.pid}/task"):
            os.setpriority(os.PRIO_PROCESS, int(thread), -20)


def keep_time():
    """This program does not wait for what it measures.  What it starts does
    not inherit that."""
    os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK,
                          os.sched_param(20))


# ---------------------------------------------------------------------------
# What outlives a killed run, and how it is found again.


@contextlib.contextmanager
def state_lock():
    os.makedirs(STATE, exist_ok=True)
    with open(os.path.join(STATE, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def big_socket_buffers():
    """ovs-vswitchd takes the size of a port's receive buffer from
    net.core.rmem_default when it adds the port; with the usual 200 KB it
    loses packets in bursts.  The setting is the whole machine's, so it is
    changed for as long as that takes, one lab at a time."""
    saved = os.path.join(STATE, "rmem_default")
    with state_lock():
        if not os.path.exists(saved):  # Else: a killed run left it raised.
            with open(RMEM) as f, open(saved, "w") as g:
                g.write(f.read())
        with open(saved) as f:
            old = f.read()
        try:
            write(RMEM, str(RMEM_BYTES))
        except OSError as e:
            print(f"lab: cannot raise {RMEM} ({e.strerror}): bursts may be"
                  " lost", file=sys.stderr)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                write(RMEM, old)
            os.remove(saved)


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def start_time(pid):
    """When a process started, in clock ticks; "" if there is none (a zombie is
    none).  With the pid it names a process for good."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            words = f.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if words[0] == "Z" else words[19]


def is_alive(line):
    """'line' is "pid start-time ..."."""
    words = line.split()
    return len(words) > 1 and start_time(words[0]) == words[1]


def clean_dead_labs():
    """Removes labs whose owner is gone.  Returns their names."""
    gone = []
    os.makedirs(STATE, exist_ok=True)
    for tag in sorted(os.listdir(STATE)):
        folder = os.path.join(STATE, tag)
        try:
            with open(os.path.join(folder, "owner")) as f:
                owner = f.read()
        except OSError:
            continue
        if not is_alive(owner):
            remove_lab(tag)
            gone.append(tag)
    return gone


def remove_lab(tag):
    folder = os.path.join(STATE, tag)
    with contextlib.suppress(OSError):
        with open(os.path.join(folder, "processes")) as f:
            for line in f:
                if is_alive(line):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(line.split()[0]), signal.SIGKILL)
    if os.path.isdir(NETNS):
        for name in os.listdir(NETNS):
            if name.startswith(tag + "-"):
                remove_netns(name)
    shutil.rmtree(folder, ignore_errors=True)


# ---------------------------------------------------------------------------
# Processes.


class Process:
    """A program in a namespace.  Output goes to files: no pipe to fill.
    'stdin' is text, or PIPE."""

    def __init__(self, lab, name, argv, netns, env=None, stdin=None):
        lab.n_processes += 1
        self.name = name
        self.argv = argv
        base = os.path.join(lab.dir, f"{lab.n_processes:03}-{name}")
        self.stdout, self.stderr = base + ".out", base + ".log"
        # It dies with this process, and Ctrl-C is not for it.
        enter = [lab.tool("leash")]
        piped = stdin is PIPE
        write(base + ".in", "" if piped else stdin or "")
        with open(self.stdout, "w") as out, open(self.stderr, "w") as err, \
                open(base + ".in") as into, in_netns(netns):
            self.popen = subprocess.Popen(
                enter + argv, stdin=PIPE if piped else into, stdout=out,
                stderr=err, env={**lab.env, **(env or {})},
                start_new_session=True)
        self.pid = self.popen.pid
        with open(os.path.join(lab.dir, "processes"), "a") as f:
            f.write(f"{self.pid} {start_time(self.pid)} {name}\n")
        lab.processes.append(self)

    @property
    def running(self):
        return self.popen.poll() is None

    def output(self):
        with open(self.stdout) as f:
            return f.read()

    def log(self):
        with open(self.stderr) as f:
            return f.read()

    def signal(self, number):
        if self.running:
            self.popen.send_signal(number)

    def wait(self, seconds=30):
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name} did not end in {seconds} s") from None

    def kill(self):
        self.signal(signal.SIGKILL)
        self.popen.wait()


class JsonTool(Process):
    """mcsend or mcrecv: a JSON line for each event."""

    def __init__(self, *args):
        super().__init__(*args)
        self.events, self.n_read = [], 0

    def lines(self, event=None):
        # Asked a hundred times a second: each line is read once.
        with open(self.stdout, "rb") as f:
            f.seek(self.n_read)
            complete = f.read().rpartition(b"\n")[0]
        if complete:
            self.n_read += len(complete) + 1
            self.events += [json.loads(line) for line in complete.split(b"\n")
                            if line]
        return [e for e in self.events if event in (None, e["event"])]

    def check(self):
        if self.popen.returncode:
            raise LabError(f"{' '.join(self.argv)}: exit "
                           f"{self.popen.returncode}\n{self.log()}")


class Sender(JsonTool):
    def wait(self, seconds=60):
        """Waits until all is sent; what mcsend reports."""
        super().wait(seconds)
        self.check()
        return self.lines("done")[-1]

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait()


class Receiver(JsonTool):
    def wait_ready(self):
        wait_until(lambda: not self.running or self.lines("ready"), 10,
                   "mcrecv ready")
        if not self.running:
            self.check()
        return self

    def wait(self, seconds=60):
        super().wait(seconds)
        self.check()
        done = self.lines("done")
        return done[0] if len(done) == 1 else done

    def stop(self):
        """Ends it; what arrived (a list for several interfaces)."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def leave(self):
        """Leaves the group by IGMP and keeps counting."""
        return self._then("left", lambda: self.signal(signal.SIGUSR1))

    def rejoin(self):
        return self._then("joined", lambda: self.signal(signal.SIGUSR2))

    # Changes of the source filter while packets come, by RFC 3678's API; each
    # returns when the kernel has taken it: {"t_ns": ...}.

    def allow(self, *sources):
        """ALLOW: wanted too (INCLUDE), or not blocked any more (EXCLUDE)."""
        return self._change("allow", sources)

    def block(self, *sources):
        """BLOCK: the opposite."""
        return self._change("block", sources)

    def include(self, *sources):
        """Only these: TO_IN, where it was EXCLUDE."""
        return self._change("include", sources)

    def exclude(self, *sources):
        """All but these: TO_EX, where it was INCLUDE."""
        return self._change("exclude", sources)

    def _change(self, verb, sources):
        def write_line():
            line = " ".join([verb, *map(str, sources)]) + "\n"
            self.popen.stdin.write(line.encode())
            self.popen.stdin.flush()
        return self._then("changed", write_line)

    def _then(self, event, action):
        n = len(self.lines(event))
        action()
        wait_until(lambda: not self.running or self.lines(event)[n:], 5,
                   event)
        self.check()
        return self.lines(event)[n]

    def progress(self):
        """The last progress line of each interface."""
        last = {}
        for line in self.lines("progress"):
            last[line["iface"]] = line
        return list(last.values())

    @property
    def received(self):
        """Packets so far, on the interface that got fewest."""
        return min((p["received"] for p in self.progress()), default=0)

    def wait_for(self, n, seconds=20):
        """Waits until every interface got 'n' packets."""
        try:
            wait_until(lambda: self.received >= n, seconds, "")
        except LabError:
            raise LabError(f"{self.name}: {self.received} of {n} packets in"
                           f" {seconds} s") from None
        return self
