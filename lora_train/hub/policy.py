"""Whom to talk to, and how much to take: the rules of every request.

Only the hubs and the stores that they redirect to are known, over https, at public addresses. Sources of
the host names: Civitai's answers seen in public (its delivery worker on Cloudflare R2, Backblaze B2), and
``huggingface.co/.well-known/meta.json``.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from ..errors import BadInputError
from ..say import say

Hub = Literal["civitai", "huggingface"]
Connect = Callable[[str, float], socket.socket]

HUB_HOSTS: dict[str, Hub] = {
    "civitai.com": "civitai",
    "civitai.red": "civitai",
    "civitai.green": "civitai",
    "huggingface.co": "huggingface",
    "hf.co": "huggingface",
}
"""The hosts of a first request, and the only ones that ever see a key."""

STORE_HOSTS: dict[Hub, re.Pattern[str]] = {
    "civitai": re.compile(
        r"(?:[a-z0-9-]+\.)+civitai\.(?:com|red|green)"
        r"|civitai-delivery-worker-prod[a-z0-9-]*\.[0-9a-f]{32}\.r2\.cloudflarestorage\.com"
        r"|(?:[a-z0-9-]+\.)+backblazeb2\.com"
    ),
    "huggingface": re.compile(
        r"cdn-lfs(?:-[a-z]{2}-\d)?\.(?:hf\.co|huggingface\.co)"
        r"|(?:[a-z0-9-]+\.)+xethub(?:-eu)?\.hf\.co"
        r"|(?:[a-z0-9-]+\.)*(?:aws|gcp)\.cdn\.hf\.co"
    ),
}
"""Where a hub may redirect to, and where its previews lie."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class RefusedError(BadInputError):
    """A rule forbids the request; nothing was sent."""


def require_public(host: str, addresses: list[str]) -> str:
    """The first of ``addresses`` when all are public.

    Raises:
        RefusedError: one of them is private, local, or reserved: a public name must not lead there.
    """
    for text in addresses:
        address = ipaddress.ip_address(text.split("%")[0])
        if isinstance(address, ipaddress.IPv6Address):
            inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
            if address in _NAT64:
                inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
            address = inner or address
        if not address.is_global or address.is_multicast or address.is_reserved:
            raise RefusedError(say("hub.private_network", host=host, address=text))
    return addresses[0]


def connect_public(host: str, timeout_s: float) -> socket.socket:
    """A connection to port 443 of ``host``, to exactly the address that was checked.

    A proxy named in ``HTTPS_PROXY`` (or in the system's settings) is used, and looks the name up itself.

    Raises:
        RefusedError: the name leads into a private network.
        OSError: the name is unknown, or nobody answers.
    """
    proxy = getproxies().get("https")
    if proxy and not proxy_bypass(host):
        return _through(proxy, host, timeout_s)
    found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    require_public(host, [str(entry[4][0]) for entry in found])
    error: OSError | None = None
    for family, kind, protocol, _, place in found:
        raw = socket.socket(family, kind, protocol)
        raw.settimeout(timeout_s)
        try:
            raw.connect(place)
            return raw
        except OSError as problem:
            raw.close()
            error = problem
    raise error or OSError(f"{host} has no address")


def _through(proxy: str, host: str, timeout_s: float) -> socket.socket:
    from http.client import HTTPConnection

    split = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if split.scheme != "http" or not split.hostname:
        raise RefusedError(say("hub.proxy_kind", scheme=split.scheme))
    headers = {}
    if split.username:
        pair = f"{unquote(split.username)}:{unquote(split.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    connection = HTTPConnection(split.hostname, split.port or 80, timeout=timeout_s)
    connection.set_tunnel(host, 443, headers=headers)
    connection.connect()
    return connection.sock


@lru_cache(1)
def trusted_roots() -> ssl.SSLContext:
    """Checks certificates and names; roots of the system, and certifi's where it is installed."""
    context = ssl.create_default_context()
    try:
        import certifi
    except ImportError:
        return context
    context.load_verify_locations(certifi.where())
    return context


@dataclass(frozen=True)
class Policy:
    """The limits of one look-up or download, and how connections are made. Tests bring their own."""

    connect: Connect = connect_public
    roots: Callable[[], ssl.SSLContext] = trusted_roots
    connect_timeout_s: float = 15.0
    silence_timeout_s: float = 30.0
    """Longest wait for the next bytes."""
    slow_window_s: float = 30.0
    slow_bytes_per_s: float = 2048.0
    """A download that stays below this for ``slow_window_s`` is given up (and can be resumed)."""
    answer_timeout_s: float = 60.0
    """For a whole JSON answer or preview."""
    max_answer_bytes: int = 8 << 20
    max_preview_bytes: int = 16 << 20
    max_file_bytes: int = 16 << 30
    spare_disk_bytes: int = 256 << 20
    """Left free on the disk after a download."""
    max_redirects: int = 5
    attempts: int = 4
    """Connections for one file; only those that brought bytes are followed by another."""


def require_hub(address: str) -> Hub:
    """The hub that a first request to ``address`` goes to.

    Raises:
        RefusedError: it is no https address of a hub.
    """
    host = _https_host(address)
    if host not in HUB_HOSTS:
        raise RefusedError(say("hub.nothing_from", host=host))
    return HUB_HOSTS[host]


def require_store(hub: Hub, address: str) -> str:
    """The host of ``address``, where ``hub`` may send us.

    Raises:
        RefusedError: it is not https, or none of the hub's own hosts and stores.
    """
    host = _https_host(address)
    if HUB_HOSTS.get(host) != hub and not STORE_HOSTS[hub].fullmatch(host):
        raise RefusedError(say("hub.other_store", host=host[:100]))
    return host


def _https_host(address: str) -> str:
    try:
        split = urlsplit(address)
        host, port = (split.hostname or "").lower(), split.port
    except ValueError as error:
        raise RefusedError(say("hub.no_address")) from error
    if split.scheme != "https" or port not in (None, 443) or split.username is not None:
        raise RefusedError(say("hub.only_https", scheme=split.scheme, host=host[:100], port=port or 443))
    return host
