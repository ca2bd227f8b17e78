"""Which addresses may be connected to: those of the public internet, unless a channel allows others.

What is checked is the address of the connection itself, whatever a name stood for before.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
RESERVED: Final = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("64:ff9b:1::/48"))
"""Networks that `ipaddress` takes for public, or for private in some versions alone."""
PRIVATE: Final = frozenset({"loopback", "private", "reserved"})
"""Kinds that `allow_private` opens. What is link-local holds the secrets of machines in a cloud, and no receiver."""
_guard = threading.local()
_hooked = threading.Event()


class RefusedAddressError(OSError):
    """An address that must not be connected to."""

    def __init__(self, address: str, kind: str) -> None:
        """Name it, and why."""
        super().__init__(f"refused address {address} ({kind})")


def refusal(address: str) -> str:
    """Why an IP address must not be connected to; empty where it may be."""
    ip = ipaddress.ip_address(address)
    inner = _inner(ip)
    if inner is not None:
        return refusal(str(inner))
    kinds = {
        "loopback": ip.is_loopback,
        "link-local": ip.is_link_local,
        "multicast": ip.is_multicast,
        "unspecified": ip.is_unspecified,
        "private": ip.is_private or getattr(ip, "is_site_local", False),
        "reserved": ip.is_reserved or not ip.is_global or any(ip in each for each in RESERVED),
    }
    return next((kind for kind, holds in kinds.items() if holds), "")


def _inner(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    if int(ip) >> 32 == 0 and int(ip) > 1:  # IPv4-compatible, RFC 4291 2.5.5.1
        return ipaddress.IPv4Address(int(ip))
    teredo = ip.teredo
    return ip.ipv4_mapped or ip.sixtofour or (teredo[1] if teredo else None)


def need_open(address: str, openable: Collection[str] = ()) -> None:
    """RefusedAddressError unless an IP address may be connected to: a public one, or one of a kind that is openable."""
    kind = refusal(address)
    if kind and kind not in openable:
        raise RefusedAddressError(address, kind)


def public_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket for what `getaddrinfo` found; RefusedAddressError where it must not be connected to."""
    return _socket(info, ())


def private_socket(info: tuple[Any, ...]) -> socket.socket:
    """The same where private networks are allowed."""
    return _socket(info, PRIVATE)


def _socket(info: tuple[Any, ...], openable: Collection[str]) -> socket.socket:
    family, kind, protocol, _, address = info
    need_open(address[0], openable)
    return socket.socket(family, kind, protocol)


def looked_up(host: str, port: int, openable: Collection[str] = ()) -> dict[str, str]:
    """The addresses of a host as it resolves now, each with why it must not be connected to, or nothing where it may.

    Empty where none is found.
    """
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return {}
    kinds = {address: refusal(address) for address in sorted(found)}
    return {address: "" if kind in openable else kind for address, kind in kinds.items()}


@contextmanager
def guarded(openable: Collection[str] = ()) -> Iterator[None]:
    """Let this thread connect to such addresses alone, whatever library does it, redirects included."""
    if not _hooked.is_set():
        _hooked.set()
        sys.addaudithook(_audit)
    _guard.openable = openable
    try:
        yield
    finally:
        _guard.openable = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    openable = getattr(_guard, "openable", None)
    if event == "socket.connect" and openable is not None:
        address = arguments[1]
        if isinstance(address, tuple):
            need_open(str(address[0]), openable)
