# SPDX-License-Identifier: Apache-2.0
"""Network namespaces and what is set in them, by system calls.

A test sets up five of them and more, and starting ip, sysctl and ethtool for
each setting took most of its time: a process costs 10 to 30 ms of cpu.
"""

import contextlib
import ctypes
import fcntl
import ipaddress
import os
import socket
import struct
import subprocess

NETNS = "/run/netns"  # As ip netns has them.

CLONE_NEWNET = 0x40000000
MS_BIND, MNT_DETACH = 4096, 2
SIOCSIFFLAGS, SIOCGIFFLAGS = 0x8914, 0x8913
SIOCSIFADDR, SIOCSIFNETMASK = 0x8916, 0x891c
SIOCETHTOOL, ETHTOOL_STXCSUM = 0x8946, 0x17
IFF_UP = 1

# linux/rtnetlink.h, if_link.h, if_addr.h, veth.h.
RTM_NEWLINK, RTM_NEWADDR = 16, 20
NLMSG_ERROR = 2
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 1, 4, 0x200, 0x400
IFLA_IFNAME, IFLA_MASTER, IFLA_LINKINFO, IFLA_NET_NS_FD = 3, 10, 18, 28
IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 1, 2, 1
IFA_ADDRESS, IFA_LOCAL, IFA_F_NODAD = 1, 2, 2

libc = ctypes.CDLL(None, use_errno=True)


def _checked(result, what):
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


@contextlib.contextmanager
def _back_home():
    """The thread is in its namespace again at the end, whatever happens."""
    with open("/proc/thread-self/ns/net") as here:
        try:
            yield
        finally:
            if libc.setns(here.fileno(), CLONE_NEWNET):
                os._exit(70)


@contextlib.contextmanager
def in_netns(name):
    """This thread in another network namespace, for opening a socket or
    starting a program."""
    with open(os.path.join(NETNS, name)) as there, _back_home():
        _checked(libc.setns(there.fileno(), CLONE_NEWNET), f"setns {name}")
        yield


def add_netns(name):
    """As "ip netns add" does."""
    if not os.path.ismount(NETNS):  # The first one on this machine.
        subprocess.run(["ip", "netns", "add", name], check=True)
        return
    path = os.path.join(NETNS, name)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0))
    try:
        with _back_home():
            _checked(libc.unshare(CLONE_NEWNET), "unshare")
            _checked(libc.mount(b"/proc/thread-self/ns/net", path.encode(),
                                b"none", MS_BIND, None), f"mount {path}")
    except BaseException:
        os.remove(path)
        raise


def remove_netns(name):
    """As "ip netns del" does; nothing if there is none."""
    path = os.path.join(NETNS, name)
    libc.umount2(path.encode(), MNT_DETACH)
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)


# What follows is done in the namespace that the thread is in.


def sysctl(values):
    """{"net.ipv4.ip_forward": 1}"""
    for key, value in values.items():
        with open(f"/proc/sys/{key.replace('.', '/')}", "w") as f:
            f.write(str(value))


def set_up(*ifaces):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for iface in ifaces:
            flags, = struct.unpack_from(
                "h", fcntl.ioctl(s, SIOCGIFFLAGS, _request(iface)), 16)
            fcntl.ioctl(s, SIOCSIFFLAGS,
                        _request(iface, struct.pack("h", flags | IFF_UP)))


def set_address(iface, address):
    """Its first address, "10.1.0.2/24"."""
    own = ipaddress.ip_interface(address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for what, value in ((SIOCSIFADDR, own.ip),
                            (SIOCSIFNETMASK, own.netmask)):
            fcntl.ioctl(s, what, _request(iface, struct.pack(
                "=HH4s8x", socket.AF_INET, 0, value.packed)))


def add_address6(iface, address):
    """"fd00:1::2/64", good at once."""
    own = ipaddress.ip_interface(address)
    _netlink(RTM_NEWADDR, struct.pack(
        "BBBBI", socket.AF_INET6, own.network.prefixlen, IFA_F_NODAD, 0,
        socket.if_nametoindex(iface))
        + _attribute(IFA_LOCAL, own.ip.packed)
        + _attribute(IFA_ADDRESS, own.ip.packed))


def add_veth(name, peer, peer_netns, master=None):
    """ip link add NAME up [master MASTER] type veth peer name PEER netns
    PEER_NETNS"""
    with open(os.path.join(NETNS, peer_netns)) as there:
        far = struct.pack("BxHiII", 0, 0, 0, 0, 0) \
            + _attribute(IFLA_IFNAME, peer.encode() + b"\0") \
            + _attribute(IFLA_NET_NS_FD, struct.pack("I", there.fileno()))
        info = _attribute(IFLA_INFO_KIND, b"veth") + _attribute(
            IFLA_INFO_DATA, _attribute(VETH_INFO_PEER, far))
        link = struct.pack("BxHiII", 0, 0, 0, IFF_UP, IFF_UP) \
            + _attribute(IFLA_IFNAME, name.encode() + b"\0") \
            + _attribute(IFLA_LINKINFO, info)
        if master:
            link += _attribute(IFLA_MASTER, struct.pack(
                "I", socket.if_nametoindex(master)))
        _netlink(RTM_NEWLINK, link)


def _attribute(kind, value):
    """struct rtattr"""
    size = 4 + len(value)
    return struct.pack("HH", size, kind) + value + bytes(-size % 4)


def _netlink(kind, body):
    """Asks the kernel to make something, and reads what it says."""
    flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_EXCL | NLM_F_CREATE
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                       socket.NETLINK_ROUTE) as s:
        s.send(struct.pack("IHHII", 16 + len(body), kind, flags, 1, 0) + body)
        _, answer, _, _, _, number = struct.unpack_from("IHHIIi",
                                                        s.recv(65536))
    if answer != NLMSG_ERROR or number:
        raise OSError(-number, f"netlink: {os.strerror(-number)}")


def write_checksums(*ifaces):
    """Checksums are whole when a packet leaves: ethtool -K IFACE tx off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for iface in ifaces:
            command = ctypes.create_string_buffer(
                struct.pack("II", ETHTOOL_STXCSUM, 0), 8)
            fcntl.ioctl(s, SIOCETHTOOL, _request(iface, struct.pack(
                "P", ctypes.addressof(command))))


def _request(iface, value=b""):
    """struct ifreq"""
    return struct.pack("16s24s", iface.encode(), value)
