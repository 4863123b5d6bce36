"""Workers of a Ray cluster, for `map_items`."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ClassVar

from asmnet.core import UserError

__all__ = ["Cluster"]


class Cluster:
    """A Ray cluster's cores, one worker each.

    Args:
        address: as in `ray.init`: HOST:PORT of the head node, "auto" on one of its nodes, or
            "local" for a cluster of this machine alone.

    Raises:
        UserError: Ray is not installed, or there is no cluster of the same version.
    """

    gone: ClassVar[type[Exception]]

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ImportError as error:
            raise UserError("ray is not installed; run: pip install 'asmnet[cluster]'") from error
        Cluster.gone = ray.exceptions.RayActorError
        try:
            _knock(address)
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError) as error:
            why = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise UserError(
                f"no Ray cluster answers at {address} ({why}); `ray start` makes one"
            ) from error
        self.cores = max(1, int(ray.cluster_resources().get("CPU", 1)))

    def start(self, make: Callable[[], Callable[[Any], Any]]) -> _Actor:
        """A new worker; it waits for a free core."""
        return _Actor(make)

    def close(self) -> None:
        """Leave the cluster."""
        import ray

        ray.shutdown()


def _knock(address: str) -> None:
    """Raise an OSError at once where nobody listens: Ray would try again for many minutes."""
    host = re.fullmatch(r"(?:ray://)?\[?([^\[\]/]+)\]?:(\d+)", address)
    if host is not None:
        socket.create_connection((host[1], int(host[2])), timeout=10).close()


class _Actor:
    def __init__(self, make: Callable[[], Any]) -> None:
        import ray

        actor: Any = ray.remote(num_cpus=1)(_Remote)
        self._actor = actor.remote()
        self.ready: Future[Any] = self._actor.begin.remote(make).future()

    def run(self, item: Any) -> Future[Any]:
        return self._actor.apply.remote(item).future()

    def close(self) -> None:
        import ray

        ray.kill(self._actor)


class _Remote:
    """What runs on the cluster."""

    def begin(self, make: Callable[[], Callable[[Any], Any]]) -> None:
        self._function = make()

    def apply(self, item: Any) -> Any:
        return self._function(item)
