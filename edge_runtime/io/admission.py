"""Who may see the live page: those with the token, and no other site's page."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from asmnet.edge_runtime.io.listening import hostname, is_loopback

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Admission"]


class Admission:
    """Rejects requests that may not see the page.

    Beyond this machine a token is demanded, made anew for each server.  It travels without
    encryption, like the pictures: good enough at home, not for the internet.

    Args:
        host: as the user named it.
        bound: the IP address that the server listens at.
    """

    def __init__(self, host: str, bound: str) -> None:
        self._host = host
        self._token = None if is_loopback(bound) else secrets.token_urlsafe(16)

    @property
    def query(self) -> str:
        """What the page's address ends in: "?token=...", or nothing where none is needed."""
        return f"?token={self._token}" if self._token else ""

    def __call__(self, request: web.Request) -> None:
        """Let a request pass.

        Raises:
            web.HTTPUnauthorized: it lacks the token.
            web.HTTPForbidden: it comes from another site's page.
        """
        from aiohttp import web  # an extra

        host = request.headers.get("Host", "")
        if self._token is None:
            # A foreign page can have its own name resolve to this machine (DNS rebinding);
            # its browser then asks for that name.  With a token there is nothing to gain.
            name = hostname(f"//{host}")
            if name not in ("localhost", self._host) and not is_loopback(name):
                raise web.HTTPForbidden(text=f"This page is not served to {host!r}.\n")
        elif not secrets.compare_digest(
            request.query.get("token", "").encode(), self._token.encode()
        ):
            raise web.HTTPUnauthorized(
                text="Open the address that the program printed; it ends in ?token=...\n"
            )
        # A foreign page may open websockets to anywhere; browsers say whose it is.
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise web.HTTPForbidden(text=f"This page is not served to {origin!r}.\n")
