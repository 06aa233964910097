"""The `turn_detection` object of the OpenAI Realtime protocol, read and written."""

from dataclasses import replace
from typing import Any, Literal

from server.protocol.fields import Fields
from server.settings import Eagerness, TurnDetection

KINDS: tuple[Literal["server_vad", "semantic_vad"], ...] = ("server_vad", "semantic_vad")
EAGERNESS: tuple[Eagerness, ...] = ("low", "medium", "high", "auto")
IDLE_TIMEOUT_MS = (1_000, 600_000)  # the least and the most

_COMMON = ("type", "create_response", "interrupt_response")
_SERVER_VAD = ("threshold", "prefix_padding_ms", "silence_duration_ms", "idle_timeout_ms")


def read_detection(wire: Fields, now: TurnDetection | None) -> TurnDetection:
    """What holds after an update; what it does not name stays as it is `now`.

    Raises `ProtocolError`.
    """
    now = now or TurnDetection()
    kind = wire.choice("type", KINDS, now.type)
    now = replace(
        now,
        type=kind,
        create_response=wire.flag("create_response", now.create_response),
        interrupt_response=wire.flag("interrupt_response", now.interrupt_response),
    )
    if kind == "semantic_vad":
        wire.only((*_COMMON, "eagerness"))
        eagerness = wire.choice("eagerness", EAGERNESS, now.eagerness)
        return replace(now, eagerness=eagerness, idle_timeout_ms=None)
    wire.only((*_COMMON, *_SERVER_VAD))
    return replace(
        now,
        threshold=wire.number("threshold", 0.0, 1.0, now.threshold),
        prefix_padding_ms=wire.integer("prefix_padding_ms", 0, 5000, now.prefix_padding_ms),
        silence_duration_ms=wire.integer(
            "silence_duration_ms", 50, 10_000, now.silence_duration_ms
        ),
        idle_timeout_ms=_idle_timeout_ms(wire, now),
    )


def detection_to_wire(detection: TurnDetection | None) -> dict[str, Any] | None:
    """All that is in effect."""
    if detection is None:
        return None
    common = {
        "type": detection.type,
        "create_response": detection.create_response,
        "interrupt_response": detection.interrupt_response,
    }
    if detection.type == "semantic_vad":
        return {**common, "eagerness": detection.eagerness}
    return {
        **common,
        "threshold": detection.threshold,
        "prefix_padding_ms": detection.prefix_padding_ms,
        "silence_duration_ms": detection.silence_duration_ms,
        "idle_timeout_ms": detection.idle_timeout_ms,
    }


def _idle_timeout_ms(wire: Fields, now: TurnDetection) -> int | None:
    if wire.is_null("idle_timeout_ms"):
        return None
    if "idle_timeout_ms" not in wire:
        return now.idle_timeout_ms
    return wire.integer("idle_timeout_ms", *IDLE_TIMEOUT_MS)
