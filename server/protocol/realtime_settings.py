"""The `session` object of the OpenAI Realtime protocol, read and written."""

import time
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from engines.errors import ProtocolError
from server.protocol.fields import Fields, invalid
from server.settings import AudioFormat, FunctionTool, Settings, TurnDetection

PCM_RATES_HZ = (24_000, 16_000, 8_000)  # the API knows the first; the others are an extension
EXTENSION_EVENTS = ("state", "turn", "interruption", "playback", "handover")
MAXIMUM_OUTPUT_TOKENS = 4096

# What a client may send and what this server has no use for: accepted, so that stock clients work.
_WITHOUT_EFFECT = ("include", "parallel_tool_calls", "prompt", "reasoning", "tracing", "truncation")


def updated(settings: Settings, session: Fields, languages: Collection[str]) -> Settings:
    """The settings after a `session.update`; raises `ProtocolError` and changes nothing."""
    session.only(
        (
            "type",
            "model",
            "instructions",
            "output_modalities",
            "audio",
            "tools",
            "tool_choice",
            "max_output_tokens",
            "tinig",
            *_WITHOUT_EFFECT,
        )
    )
    session.choice("type", ("realtime",), "realtime")
    settings = replace(
        settings,
        instructions=session.text("instructions", settings.instructions),
        output_modality=_modality(settings, session),
        tools=_tools(session) if "tools" in session else settings.tools,
        tool_choice=session.choice("tool_choice", ("auto", "none"), settings.tool_choice),
        max_output_tokens=_max_output_tokens(settings, session),
        extension_events=_extension_events(settings, session),
    )
    if "audio" in session:
        settings = _with_audio(settings, session.object("audio"), languages)
    return settings


def to_wire(settings: Settings, session_id: str) -> dict[str, Any]:
    """The whole effective configuration."""
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": settings.model,
        "expires_at": int(time.time()) + 24 * 3600,
        "instructions": settings.instructions,
        "output_modalities": [settings.output_modality],
        "audio": {
            "input": {
                "format": _format_to_wire(settings.input_format),
                "transcription": _transcription_to_wire(settings),
                "noise_reduction": None,
                "turn_detection": _detection_to_wire(settings.turn_detection),
            },
            "output": {
                "format": _format_to_wire(settings.output_format),
                "voice": settings.voice,
                "speed": settings.speed,
            },
        },
        "tools": [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            }
            for tool in settings.tools
        ],
        "tool_choice": settings.tool_choice,
        "max_output_tokens": settings.max_output_tokens or "inf",
        "tracing": None,
        "truncation": "auto",
        "include": None,
    }


def _modality(settings: Settings, session: Fields) -> Any:
    if "output_modalities" not in session:
        return settings.output_modality
    modalities = session.required("output_modalities")
    if modalities not in (["audio"], ["text"]):
        raise invalid("session.output_modalities", modalities, '["audio"] or ["text"]')
    return modalities[0]


def _max_output_tokens(settings: Settings, session: Fields) -> int | None:
    if "max_output_tokens" not in session:
        return settings.max_output_tokens
    if session.required("max_output_tokens") == "inf":
        return None
    return session.integer("max_output_tokens", 1, MAXIMUM_OUTPUT_TOKENS)


def _extension_events(settings: Settings, session: Fields) -> frozenset[str]:
    if "tinig" not in session:
        return settings.extension_events
    extension = session.object("tinig")
    extension.only(("events",))
    events = extension.required("events")
    if not isinstance(events, list) or not all(event in EXTENSION_EVENTS for event in events):
        raise invalid("session.tinig.events", events, f"a list of {', '.join(EXTENSION_EVENTS)}")
    return frozenset(events)


def _tools(session: Fields) -> tuple[FunctionTool, ...]:
    tools = []
    for tool in session.objects("tools"):
        tool.choice("type", ("function",))
        parameters = tool.required("parameters") if "parameters" in tool else {}
        Fields(parameters, f"{tool.path}.parameters")
        tools.append(FunctionTool(tool.text("name"), tool.text("description", ""), parameters))
    return tuple(tools)


def _with_audio(settings: Settings, audio: Fields, languages: Collection[str]) -> Settings:
    audio.only(("input", "output"))
    if "input" in audio:
        settings = _with_input(settings, audio.object("input"), languages)
    if "output" in audio:
        settings = _with_output(settings, audio.object("output"))
    return settings


def _with_input(settings: Settings, audio: Fields, languages: Collection[str]) -> Settings:
    audio.only(("format", "transcription", "noise_reduction", "turn_detection"))
    if "format" in audio:
        settings = replace(settings, input_format=_format(audio.object("format")))
    if audio.is_null("transcription"):
        settings = replace(settings, transcription=False, transcription_language=None)
    elif "transcription" in audio:
        language = _language(audio.object("transcription"), languages)
        settings = replace(settings, transcription=True, transcription_language=language)
    if audio.is_null("turn_detection"):
        settings = replace(settings, turn_detection=None)
    elif "turn_detection" in audio:
        default = settings.turn_detection or TurnDetection()
        detection = _detection(audio.object("turn_detection"), default)
        settings = replace(settings, turn_detection=detection)
    return settings


def _with_output(settings: Settings, audio: Fields) -> Settings:
    audio.only(("format", "voice", "speed"))
    if "format" in audio:
        settings = replace(settings, output_format=_format(audio.object("format")))
    return replace(
        settings,
        voice=audio.text("voice", settings.voice),
        speed=audio.number("speed", 0.25, 1.5, settings.speed),
    )


def _format(wire: Fields) -> AudioFormat:
    wire.only(("type", "rate"))
    wire.choice("type", ("audio/pcm",))
    return AudioFormat("audio/pcm", wire.choice("rate", PCM_RATES_HZ, PCM_RATES_HZ[0]))


def _language(wire: Fields, languages: Collection[str]) -> str | None:
    if "language" not in wire or wire.is_null("language"):
        return None
    language = wire.text("language")
    if language not in languages:
        raise ProtocolError(
            f"The language {language!r} is not deployed here. Deployed: {', '.join(languages)}.",
            code="invalid_value",
            param=f"{wire.path}.language",
        )
    return language


def _detection(wire: Fields, default: TurnDetection) -> TurnDetection:
    wire.choice("type", ("server_vad",))
    return TurnDetection(
        threshold=wire.number("threshold", 0.0, 1.0, default.threshold),
        prefix_padding_ms=wire.integer("prefix_padding_ms", 0, 5000, default.prefix_padding_ms),
        silence_duration_ms=wire.integer(
            "silence_duration_ms", 50, 10_000, default.silence_duration_ms
        ),
        create_response=wire.flag("create_response", default.create_response),
        interrupt_response=wire.flag("interrupt_response", default.interrupt_response),
    )


def _format_to_wire(audio_format: AudioFormat) -> dict[str, Any]:
    return {"type": audio_format.type, "rate": audio_format.rate_hz}


def _transcription_to_wire(settings: Settings) -> dict[str, Any] | None:
    if not settings.transcription:
        return None
    return {"model": "whisper", "language": settings.transcription_language, "prompt": ""}


def _detection_to_wire(detection: TurnDetection | None) -> dict[str, Any] | None:
    if detection is None:
        return None
    return {
        "type": "server_vad",
        "threshold": detection.threshold,
        "prefix_padding_ms": detection.prefix_padding_ms,
        "silence_duration_ms": detection.silence_duration_ms,
        "create_response": detection.create_response,
        "interrupt_response": detection.interrupt_response,
        "idle_timeout_ms": None,
    }
