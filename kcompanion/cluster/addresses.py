"""IP addresses replaced so that networks stay networks: two addresses share as long a prefix as they did before.

Only the bits that name a network are changed (of the widest network known around an address, else 24 of 32 or 64 of
128), so `10.96.0.1` stays the first address of its Service range. After the idea of Crypto-PAn (Xu et al., 2002).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_V4 = r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)"
_V6 = r"(?<![\w:.])(?=[0-9a-fA-F:]*::|(?:[0-9a-fA-F]{1,4}:){7})[0-9a-fA-F:]{3,39}(?![\w:])"
_ADDRESS = re.compile(rf"(?P<address>{_V4}|{_V6})(?P<length>/\d{{1,3}}(?!\d))?")
_OWN_BITS = {4: 24, 6: 64}
_TRIES = 256


def found_in(text: str) -> list[tuple[Address, int | None]]:
    """Every address of a text, with its prefix length when it is written as a network."""
    pairs = ((_parsed(m["address"]), m["length"]) for m in _ADDRESS.finditer(text))
    return [(address, int(length[1:]) if length else None) for address, length in pairs if address is not None]


class Addresses:
    """A one-to-one replacement of addresses; another key gives another replacement."""

    def __init__(self, known: Iterable[tuple[Address, int | None]], key: bytes) -> None:
        pairs = {pair for pair in known if not _is_special(pair[0])}
        self._networks = _widest([ip_network((a, n), strict=False) for a, n in pairs if n and n <= a.max_prefixlen])
        addresses = {address for address, _ in pairs}
        for number in range(_TRIES):
            self._key = key + number.to_bytes(2, "big")
            self._bit = lru_cache(maxsize=None)(self._keyed_bit)
            replaced = {self._replaced(address) for address in addresses}
            if not (replaced & addresses or any(_is_special(address) for address in replaced)):
                break

    def text(self, value: str) -> str:
        """The text with every address replaced; loopback and the like stay."""
        return _ADDRESS.sub(self._written, value)

    def _written(self, match: re.Match[str]) -> str:
        address = _parsed(match["address"])
        length = match["length"] or ""
        if address is None or _is_special(address):
            return match[0]
        new = self._replaced(address)
        if length and int(length[1:]) <= address.max_prefixlen:
            same_host = ip_network((address, int(length[1:])), strict=False).network_address != address
            network = ip_network((new, int(length[1:])), strict=False).network_address
            return f"{new if same_host else network}{length}"
        return f"{new}{length}"

    def _replaced(self, address: Address) -> Address:
        own = _OWN_BITS[address.version]
        around = next((net.prefixlen for net in self._networks if address in net), own)
        number, width = int(address), address.max_prefixlen
        for position in range(min(around, own)):
            if self._bit(address.version, int(address) >> (width - position), position):
                number ^= 1 << (width - 1 - position)
        return type(address)(number)

    def _keyed_bit(self, version: int, prefix: int, position: int) -> bool:
        message = f"{version}/{position}/{prefix:x}".encode()
        return bool(hmac.digest(self._key, message, "sha256")[0] & 1)


def _widest(networks: Iterable[Network]) -> Sequence[Network]:
    """Networks that no other one contains; the whole address space does not count as one."""
    ordered = sorted({net for net in networks if net.prefixlen}, key=lambda net: net.prefixlen)
    kept: list[Network] = []
    for net in ordered:
        if not any(net.network_address in wider for wider in kept):
            kept.append(net)
    return kept


def _parsed(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _is_special(address: Address) -> bool:
    return (
        address.is_loopback
        or address.is_multicast
        or address.is_unspecified
        or address.is_link_local
        or int(address) == 2**address.max_prefixlen - 1
        or (address.version == 4 and not 0 < int(address) >> 24 < 224)
    )
