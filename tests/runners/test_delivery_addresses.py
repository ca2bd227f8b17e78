"""Addresses that alerts may be sent to: the address of the connection is what counts, whatever the name said."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

import pytest

from streams.runners.delivery.addresses import (
    PRIVATE,
    RefusedAddressError,
    guarded,
    looked_up,
    private_socket,
    public_socket,
    refusal,
)
from tests.servers.receiver import Receiver

REFUSED = {
    "127.0.0.1": "loopback",
    "127.8.8.8": "loopback",
    "::1": "loopback",
    "0.0.0.0": "unspecified",
    "::": "unspecified",
    "10.0.0.1": "private",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.168.1.1": "private",
    "fc00::1": "private",
    "fd12::1": "private",
    "fec0::1": "private",
    "169.254.169.254": "link-local",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "224.0.0.1": "multicast",
    "239.1.1.1": "multicast",
    "ff02::1": "multicast",
    "100.64.0.1": "reserved",
    "192.0.0.8": "reserved",
    "64:ff9b:1::1": "reserved",
    "198.18.0.1": "private",
    "203.0.113.9": "private",
    "240.0.0.1": "private",
    "255.255.255.255": "private",
    "2001:db8::1": "private",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:10.1.1.1": "private",
    "::ffff:169.254.169.254": "link-local",
    "::127.0.0.1": "loopback",
    "::10.0.0.1": "private",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::a9fe:a9fe": "link-local",
    "2002:7f00:1::": "loopback",
    "2002:c0a8:101::1": "private",
}
PUBLIC = ("8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")


@pytest.mark.parametrize(("address", "kind"), REFUSED.items())
def test_an_address_that_is_not_of_the_public_internet_is_refused(address: str, kind: str) -> None:
    assert refusal(address) in (kind, "reserved" if kind == "private" else kind)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(RefusedAddressError, match="refused address"):
        public_socket((family, socket.SOCK_STREAM, 6, "", (address, 80)))


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_public_internet_is_not(address: str) -> None:
    assert refusal(address) == ""


@pytest.mark.parametrize("name", ["localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1", "::1"])
def test_a_name_is_what_it_resolves_to(name: str) -> None:
    assert set(looked_up(name, 80).values()) == {"loopback"}


def test_a_name_that_resolves_to_nothing_has_no_address() -> None:
    assert looked_up("no-such-host.invalid", 443) == {}


def test_a_library_that_follows_redirects_is_stopped_at_the_connection() -> None:
    with Receiver() as receiver:
        with guarded(), pytest.raises(urllib.error.URLError, match="refused address"):
            urllib.request.urlopen(receiver.url, timeout=5)
        urllib.request.urlopen(receiver.url, timeout=5).close()
        assert len(receiver.got) == 1


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "::ffff:169.254.169.254"])
def test_private_networks_are_no_link_of_the_machine(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(RefusedAddressError):
        private_socket((family, socket.SOCK_STREAM, 6, "", (address, 80)))
    assert looked_up(address, 80, PRIVATE)[address]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "100.64.0.7", "8.8.8.8"])
def test_private_networks_may_be_opened(address: str) -> None:
    private_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))).close()
    assert looked_up(address, 80, PRIVATE) == {address: ""}
