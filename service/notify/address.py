"""Where webhooks may go: not inside, unless told so. The guard against server-side request forgery.

A name is resolved once, every address it has is checked, and the connection goes to an address that was
checked: a name that changes its answer between check and connection gains nothing.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import httpx

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve: TypeAlias = Callable[[str, int], Awaitable[Iterable[str]]]
"""From host and port to addresses in text; raises ``OSError`` where there are none."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Metadata services of clouds, which hand out credentials. Most lie in ranges refused below anyway; Azure's does not.
_METADATA = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"))
)


class AddressRefused(Exception):
    """The host leads inside, or nowhere that a webhook may go."""


@dataclass(frozen=True, slots=True)
class AllowList:
    """Inside hosts that webhooks may reach all the same: names as they stand in the URL, and networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> "AllowList":
        """From names ("hooks.inside"), addresses ("10.1.2.3") and networks ("10.1.0.0/16")."""
        hosts: set[str] = set()
        networks: list[Network] = []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry.strip("[]")))
            except ValueError:
                hosts.add(_host_of(entry))
        return cls(frozenset(hosts), tuple(networks))

    def holds(self, host: str, address: Address) -> bool:
        """Whether the host, as in `httpx.URL.raw_host`, or its address is on the list."""
        return host.rstrip(".") in self.hosts or any(address in network for network in self.networks)


def _host_of(entry: str) -> str:
    """The name as it goes over the wire; ``ValueError`` for a URL, a port or a bad network."""
    try:
        url = httpx.URL(f"http://{entry}")
    except httpx.InvalidURL:
        url = httpx.URL()
    if not url.raw_host or url.port or url.raw_path != b"/" or url.userinfo:
        raise ValueError(f"neither a host nor a network: {entry}")
    return url.raw_host.decode().rstrip(".")


async def resolve_by_system(host: str, port: int) -> list[str]:
    """The addresses that the system's resolver gives, which also reads "127.1" and "0x7f000001"."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def is_open(address: Address) -> bool:
    """Whether anybody on the internet could reach the address: not private, shared, link-local, loopback,
    multicast, reserved or a cloud's metadata service, nor one of these in IPv6 clothes.

    >>> is_open(ipaddress.ip_address("93.184.215.14")), is_open(ipaddress.ip_address("::ffff:10.0.0.1"))
    (True, False)
    """
    return all(_is_public(one) for one in _meant(address))


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address in _METADATA)


def _meant(address: Address) -> list[Address]:
    """The address and the IPv4 address inside it, as IPv4-mapped, 6to4, Teredo and NAT64 carry one."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    teredo = address.teredo[1] if address.teredo else None
    nat64 = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    inside = [one for one in (address.ipv4_mapped, address.sixtofour, teredo, nat64) if one is not None]
    # A mapped address is nothing else than the one inside it; the standard library calls the shell reserved.
    return list(inside) if address.ipv4_mapped or nat64 else [address, *inside]


def _never(address: Address) -> bool:
    """What no allow-list opens: metadata services, link-local, multicast and unspecified addresses."""
    return any(
        one in _METADATA or one.is_link_local or one.is_multicast or one.is_unspecified for one in _meant(address)
    )


async def checked(host: str, port: int, allow: AllowList, resolve: Resolve = resolve_by_system) -> list[Address]:
    """The addresses of the host, none of which is refused: one bad one makes the name suspect.

    Raises `AddressRefused`, or ``OSError`` where the name has no address.
    """
    try:
        addresses = [ipaddress.ip_address(text) for text in await resolve(host, port)]
    except UnicodeError as error:
        raise OSError("the name has no address") from error
    for address in addresses:
        if _never(address) or not (is_open(address) or allow.holds(host, address)):
            raise AddressRefused
    return addresses


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends each request to an address that was checked, under the name that was asked for."""

    def __init__(
        self, allow: AllowList, tls: ssl.SSLContext | bool = True, resolve: Resolve = resolve_by_system
    ) -> None:
        self._allow = allow
        self._resolve = resolve
        # No connection is kept: one to the same address may have been made, and verified, for another name.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._inner = httpx.AsyncHTTPTransport(verify=tls, trust_env=False, limits=limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises `AddressRefused`, or what httpx raises; ``ConnectError`` where no address can be reached."""
        name = request.url.raw_host.decode()
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        failure = httpx.ConnectError("the name has no address")
        try:
            addresses = await checked(name, port, self._allow, self._resolve)
        except OSError as error:
            raise failure from error
        for address in addresses:
            try:
                return await self._inner.handle_async_request(_at(address, request, name))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = httpx.ConnectError(str(error))
        raise failure

    async def aclose(self) -> None:
        await self._inner.aclose()


def _at(address: Address, request: httpx.Request, name: str) -> httpx.Request:
    """The request to this very address; Host header and certificate are still those of the name."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": name},
    )
