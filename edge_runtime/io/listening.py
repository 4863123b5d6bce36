"""Where a server listens: its address, and how others see it."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
from urllib.parse import urlsplit

from asmnet.core import UserError

__all__ = ["hostname", "is_loopback", "listen", "own_address", "parse_address"]


def parse_address(address: str) -> tuple[str, int]:
    """Host and port of "PORT", which only this machine can reach, or "HOST:PORT"; IPv6 in brackets.

    Raises:
        UserError: it is malformed.
    """
    match = re.fullmatch(r"(?:(?:\[([\w:.%]+)\]|([^\s:/\[\]]+)):)?(\d{1,5})", address)
    if match is None or int(match[3]) > 65535:
        raise UserError(
            f"cannot serve at {address!r}; give a port such as 8000, or 0.0.0.0:8000 "
            "to be seen by other machines"
        )
    return (match[1] or match[2] or "127.0.0.1"), int(match[3])


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections there.

    Raises:
        UserError: the address is not of this machine, or taken.
    """
    try:
        family, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(place[:2], family=family)
    except (OSError, UnicodeError) as error:
        raise UserError(
            f"cannot serve at {host}, port {port}: {getattr(error, 'strerror', None) or error}; "
            "give another address, or port 0 for any free one"
        ) from error


def own_address(bound: str) -> str:
    """The address of this machine as its neighbours see it."""
    family, far = (
        (socket.AF_INET6, "2001:db8::1") if ":" in bound else (socket.AF_INET, "192.0.2.1")
    )
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((far, 9))  # chooses the way out, sends nothing
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def hostname(url: str) -> str:
    """The host in a URL; empty if there is none."""
    with contextlib.suppress(ValueError):
        return urlsplit(url).hostname or ""
    return ""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
