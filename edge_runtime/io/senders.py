"""Tracks sent to other programs: JSON datagrams over UDP, Open Sound Control, opentrack.

Records are sent whether or not a program listens, and never wait: what the network does not
take at once is dropped.
"""

from __future__ import annotations

import json
import re
import socket
import struct
from typing import Any

from asmnet.core import UserError
from asmnet.edge_runtime.io.closing import Closing

__all__ = ["OpentrackSender", "OscSender", "UdpSender"]


class UdpSender(Closing):
    """One datagram per frame with the line of `record_line`, as JSON (docs/output.md).

    Args:
        address: "HOST:PORT".

    Raises:
        UserError: not an address, or the host is unknown.
    """

    def __init__(self, address: str) -> None:
        self._socket, self._address = _connect(address)

    def write(self, line: dict[str, Any]) -> None:
        """Send what `record_line` made."""
        self._send(json.dumps(line, separators=(",", ":")).encode())

    def _send(self, content: bytes) -> None:
        try:
            self._socket.sendto(content, self._address)
        except OSError:
            pass  # nobody listens, or the network is away: it may come back

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


class OscSender(UdpSender):
    """One Open Sound Control bundle per frame, for music, light and animation programs.

    Messages: /asmnet/frame frame t width height faces; and for each face /asmnet/face id
    score left top right bottom yaw pitch roll, /asmnet/landmarks id x0 y0 x1 y1 ..., and of
    tracked faces /asmnet/signals and /asmnet/event (docs/output.md).

    Args:
        address: "HOST:PORT".

    Raises:
        UserError: python-osc is not installed, not an address, or the host is unknown.
    """

    def __init__(self, address: str) -> None:
        try:
            from pythonosc import osc_bundle_builder, osc_message_builder
        except ImportError as error:
            raise UserError("OSC needs python-osc: pip install 'asmnet[osc]'") from error
        self._bundles, self._messages = osc_bundle_builder, osc_message_builder
        super().__init__(address)

    def write(self, line: dict[str, Any]) -> None:
        """Send what `record_line` made."""
        faces = line["faces"]
        bundle = self._bundles.OscBundleBuilder(self._bundles.IMMEDIATELY)
        self._add(bundle, "frame", line["frame"], line["t"], *line["size"], len(faces))
        for face in faces:
            numbers = [*face["box"], *face["pose"].values()]
            self._add(bundle, "face", face["id"], face["score"] or 0.0, *numbers)
            points = [value for point in face["landmarks"] for value in point]
            self._add(bundle, "landmarks", face["id"], *points)
            if "eyes" in face:
                openness = (face["eyes"]["right"], face["eyes"]["left"], face["mouth"])
                place = map(float, face["position"].values())
                self._add(bundle, "signals", face["id"], *place, *map(float, openness))
                for event in face["events"]:
                    times = (float(event["start"]), float(event["end"]))
                    self._add(bundle, "event", face["id"], event["kind"], *times)
        self._send(bundle.build().dgram)

    def _add(self, bundle: Any, name: str, *values: int | float | str) -> None:
        message = self._messages.OscMessageBuilder(f"/asmnet/{name}")
        for value in values:
            message.add_arg(value)
        bundle.add_content(message.build())


class OpentrackSender(UdpSender):
    """The first face's place and pose for opentrack's input "UDP over network".

    Six little-endian doubles: x, y, z in cm, yaw, pitch, roll in degrees, as the person sees
    them: x and yaw to their right, y and pitch up, z towards the camera, roll to their right
    shoulder.  A frame without a face sends nothing.

    Args:
        address: "HOST:PORT".

    Raises:
        UserError: not an address, or the host is unknown.
    """

    def write(self, line: dict[str, Any]) -> None:
        """Send what `record_line` made."""
        face = next((face for face in line["faces"] if "position" in face), None)
        if face is not None:
            x, y, z = (-value / 10 for value in face["position"].values())
            yaw, pitch, roll = face["pose"].values()
            self._send(struct.pack("<6d", x, y, z, yaw, pitch, -roll))


def _connect(address: str) -> tuple[socket.socket, tuple[Any, ...]]:
    """A datagram socket, and where to send."""
    match = re.fullmatch(r"\[?([^\s\]]+)\]?:(\d{1,5})", address)
    if not match or not 0 < int(match[2]) < 65536:
        raise UserError(f"{address!r} is no address; give HOST:PORT, for example 127.0.0.1:9000")
    try:
        family, kind, _, _, target = socket.getaddrinfo(
            match[1], int(match[2]), type=socket.SOCK_DGRAM
        )[0]
    except (OSError, UnicodeError) as error:  # UnicodeError: a part of it is empty or too long
        raise UserError(
            f"host {match[1]!r} of {address!r} is unknown ({getattr(error, 'strerror', error)})"
        ) from error
    sender = socket.socket(family, kind)
    sender.setblocking(False)
    return sender, target
