"""The `session` object of the OpenAI Realtime protocol, as the client is told it."""

import time
from typing import Any

from server.protocol.realtime_audio import format_to_wire
from server.protocol.realtime_detection import detection_to_wire
from server.settings import FunctionTool, Settings


def to_wire(settings: Settings, session_id: str) -> dict[str, Any]:
    """The whole effective configuration."""
    session: dict[str, Any] = {
        "type": settings.type,
        "id": session_id,
        "expires_at": int(time.time()) + 24 * 3600,
        "include": None,
        "audio": {"input": _input_to_wire(settings)},
    }
    if settings.extension_events or settings.binary_audio or settings.languages:
        session["tinig"] = {
            "events": sorted(settings.extension_events),
            "binary_audio": settings.binary_audio,
            "languages": list(settings.languages) or None,
        }
    if settings.type == "transcription":
        return {**session, "object": "realtime.transcription_session"}
    session["audio"]["output"] = {**output_to_wire(settings), "speed": settings.speed}
    return {
        **session,
        "object": "realtime.session",
        "model": settings.model,
        "instructions": settings.instructions,
        "output_modalities": [settings.output_modality],
        "tools": [_tool_to_wire(tool) for tool in settings.tools],
        "tool_choice": _tool_choice_to_wire(settings),
        "max_output_tokens": settings.max_output_tokens or "inf",
        "tracing": None,
        "truncation": "auto",
    }


def output_to_wire(settings: Settings) -> dict[str, Any]:
    """How an answer sounds, as a session and a response both tell it."""
    return {"format": format_to_wire(settings.output_format), "voice": settings.voice}


def _input_to_wire(settings: Settings) -> dict[str, Any]:
    transcription: dict[str, Any] = {
        "model": "whisper",
        "language": settings.transcription_language,
        "prompt": "",
    }
    if settings.languages:  # new in the protocol: clients from before it refuse the field
        transcription["languages"] = list(settings.languages)
    return {
        "format": format_to_wire(settings.input_format),
        "transcription": transcription if settings.transcription else None,
        "noise_reduction": None,
        "turn_detection": detection_to_wire(settings.turn_detection),
    }


def _tool_to_wire(tool: FunctionTool) -> dict[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }


def _tool_choice_to_wire(settings: Settings) -> str | dict[str, str]:
    if settings.forced_tool is not None:
        return {"type": "function", "name": settings.forced_tool}
    return settings.tool_choice
