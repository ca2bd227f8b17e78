"""What the system knows of a process: its title, its children, and where it listens. Of Linux, as the servers are."""

from __future__ import annotations

import ipaddress
from pathlib import Path

LISTENING = "0A"
UNCONNECTED = "07"


def titles(pid: int) -> str:
    """Names and command lines of a process and of its children, as everybody on the machine may see them."""
    files = [Path(f"/proc/{each}/{name}") for each in (pid, *children(pid)) for name in ("comm", "cmdline")]
    return "\n".join(file.read_bytes().replace(b"\0", b" ").decode(errors="replace") for file in files)


def _text(path: Path) -> str:
    """What a file of the system says; nothing where its thread has just ended."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def children(pid: int) -> list[int]:
    """Processes that a process has started, and those that they have."""
    direct = [int(each) for task in Path(f"/proc/{pid}/task").iterdir() for each in _text(task / "children").split()]
    return [*direct, *(more for each in direct for more in children(each))]


def listening(pid: int) -> set[str]:
    """Addresses at which a process and its children take connections, or datagrams from anybody, as `host:port`."""
    inodes = {inode for each in (pid, *children(pid)) for inode in _sockets(each)}
    found = set()
    for name, state in (("tcp", LISTENING), ("tcp6", LISTENING), ("udp", UNCONNECTED), ("udp6", UNCONNECTED)):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == state and words[9] in inodes:
                host, port = words[1].split(":")
                found.add(f"{_host(host)}:{int(port, 16)}")
    return found


def is_loopback(address: str) -> bool:
    """Whether nobody outside this machine reaches an address `host:port`."""
    host = ipaddress.ip_address(address.rpartition(":")[0])
    return (getattr(host, "ipv4_mapped", None) or host).is_loopback


def _sockets(pid: int) -> set[str]:
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(file.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def _host(hexadecimal: str) -> str:
    """An address as the kernel writes it: words of four bytes, each in the machine's order."""
    words = [bytes.fromhex(hexadecimal[at : at + 8])[::-1] for at in range(0, len(hexadecimal), 8)]
    return str(ipaddress.ip_address(b"".join(words)))
