"""What a client asks for in a `session` object of the OpenAI Realtime protocol, and in its place in
one `response.create`."""

from collections.abc import Collection
from dataclasses import replace
from typing import Literal

from engines.errors import ProtocolError
from server.protocol.fields import Fields, invalid
from server.protocol.realtime_audio import read_format
from server.protocol.realtime_detection import read_detection
from server.protocol.realtime_table import EXTENSION_EVENTS
from server.settings import FunctionTool, Settings

SESSION_TYPES: tuple[Literal["realtime", "transcription"], ...] = ("realtime", "transcription")
MAXIMUM_OUTPUT_TOKENS = 4096
METADATA_PAIRS = 16
METADATA_CHARACTERS = (64, 512)  # of a key, of a value

# What a client may send and what this server has no use for: accepted, so that stock clients work.
_WITHOUT_EFFECT = ("include", "parallel_tool_calls", "prompt", "reasoning", "tracing", "truncation")
_ANSWERS = ("instructions", "output_modalities", "tools", "tool_choice", "max_output_tokens")


def updated(settings: Settings, session: Fields, languages: Collection[str]) -> Settings:
    """The settings after a `session.update`; raises `ProtocolError` and changes nothing."""
    kind = session.choice("type", SESSION_TYPES, settings.type)
    if kind == "transcription":
        session.only(("type", "audio", "tinig", "include"))
    else:
        session.only(("type", "model", *_ANSWERS, "audio", "tinig", *_WITHOUT_EFFECT))
        settings = _with_answers(settings, session)
    settings = _with_extensions(replace(settings, type=kind), session)
    if "audio" in session:
        settings = _with_audio(settings, session.object("audio"), languages)
    return settings


def for_response(settings: Settings, response: Fields) -> Settings:
    """The settings of one response; `conversation` and `input` are no settings.

    Raises `ProtocolError`.
    """
    response.only(("conversation", "input", "metadata", *_ANSWERS, "audio", *_WITHOUT_EFFECT))
    settings = replace(_with_answers(settings, response), metadata=_metadata(response))
    if "audio" in response:
        audio = response.object("audio")
        audio.only(("output",))
        if "output" in audio:
            output = audio.object("output")
            output.only(("format", "voice"))
            settings = _with_output(settings, output)
    return settings


def _with_answers(settings: Settings, wire: Fields) -> Settings:
    """What a session and a single response can both say about answers."""
    tools = _tools(wire) if "tools" in wire else settings.tools
    choice, forced = _tool_choice(settings, wire, tools)
    return replace(
        settings,
        instructions=wire.text("instructions", settings.instructions),
        output_modality=_modality(settings, wire),
        tools=tools,
        tool_choice=choice,
        forced_tool=forced,
        max_output_tokens=_max_output_tokens(settings, wire),
    )


def _modality(settings: Settings, wire: Fields) -> Literal["audio", "text"]:
    if "output_modalities" not in wire:
        return settings.output_modality
    modalities = wire.required("output_modalities")
    if modalities == ["audio"]:
        return "audio"
    if modalities == ["text"]:
        return "text"
    raise invalid(f"{wire.path}.output_modalities", modalities, '["audio"] or ["text"]')


def _max_output_tokens(settings: Settings, wire: Fields) -> int | None:
    if "max_output_tokens" not in wire:
        return settings.max_output_tokens
    if wire.required("max_output_tokens") == "inf":
        return None
    return wire.integer("max_output_tokens", 1, MAXIMUM_OUTPUT_TOKENS)


def _tools(wire: Fields) -> tuple[FunctionTool, ...]:
    tools = []
    for tool in wire.objects("tools"):
        tool.choice("type", ("function",))
        parameters = tool.required("parameters") if "parameters" in tool else {}
        Fields(parameters, f"{tool.path}.parameters")
        tools.append(FunctionTool(tool.text("name"), tool.text("description", ""), parameters))
    return tuple(tools)


def _tool_choice(
    settings: Settings, wire: Fields, tools: tuple[FunctionTool, ...]
) -> tuple[Literal["auto", "none", "required"], str | None]:
    """How functions are chosen, and the only one that may be, if one is named."""
    if "tool_choice" not in wire:
        return settings.tool_choice, settings.forced_tool
    if isinstance(wire.required("tool_choice"), str):
        return wire.choice("tool_choice", ("auto", "none", "required")), None
    choice = wire.object("tool_choice")
    choice.choice("type", ("function",))
    return "required", choice.choice("name", [tool.name for tool in tools])


def _metadata(response: Fields) -> dict[str, str] | None:
    if not response.has("metadata"):
        return None
    metadata = response.required("metadata")
    if not _is_metadata(metadata):
        key, value = METADATA_CHARACTERS
        allowed = (
            f"an object of at most {METADATA_PAIRS} strings, names of at most {key} "
            f"and values of at most {value} characters"
        )
        raise invalid(f"{response.path}.metadata", metadata, allowed)
    return dict(metadata)


def _is_metadata(value: object) -> bool:
    longest_key, longest_value = METADATA_CHARACTERS
    return (
        isinstance(value, dict)
        and len(value) <= METADATA_PAIRS
        and all(isinstance(text, str) and len(text) <= longest_value for text in value.values())
        and all(len(key) <= longest_key for key in value)
    )


def _with_extensions(settings: Settings, session: Fields) -> Settings:
    if "tinig" not in session:
        return settings
    extension = session.object("tinig")
    extension.only(("events", "binary_audio"))
    return replace(
        settings,
        extension_events=_extension_events(settings, extension),
        binary_audio=extension.flag("binary_audio", settings.binary_audio),
    )


def _extension_events(settings: Settings, extension: Fields) -> frozenset[str]:
    if "events" not in extension:
        return settings.extension_events
    events = extension.required("events")
    if not isinstance(events, list) or not all(event in EXTENSION_EVENTS for event in events):
        raise invalid("session.tinig.events", events, f"a list of {', '.join(EXTENSION_EVENTS)}")
    return frozenset(events)


def _with_audio(settings: Settings, audio: Fields, languages: Collection[str]) -> Settings:
    audio.only(("input",) if settings.type == "transcription" else ("input", "output"))
    if "input" in audio:
        settings = _with_input(settings, audio.object("input"), languages)
    if "output" in audio:
        output = audio.object("output")
        output.only(("format", "voice", "speed"))
        settings = _with_output(settings, output)
    return settings


def _with_input(settings: Settings, audio: Fields, languages: Collection[str]) -> Settings:
    audio.only(("format", "transcription", "noise_reduction", "turn_detection"))
    if "format" in audio:
        settings = replace(settings, input_format=read_format(audio.object("format")))
    if audio.is_null("transcription"):
        settings = replace(settings, transcription=False, transcription_language=None)
    elif "transcription" in audio:
        language = _language(audio.object("transcription"), languages)
        settings = replace(settings, transcription=True, transcription_language=language)
    if audio.is_null("turn_detection"):
        settings = replace(settings, turn_detection=None)
    elif "turn_detection" in audio:
        detection = read_detection(audio.object("turn_detection"), settings.turn_detection)
        settings = replace(settings, turn_detection=detection)
    return settings


def _with_output(settings: Settings, audio: Fields) -> Settings:
    if "format" in audio:
        settings = replace(settings, output_format=read_format(audio.object("format")))
    return replace(
        settings,
        voice=_voice(settings, audio),
        speed=audio.number("speed", 0.25, 1.5, settings.speed),
    )


def _voice(settings: Settings, audio: Fields) -> str:
    """A voice's name, or an object that holds it."""
    if "voice" in audio and isinstance(audio.required("voice"), dict):
        return audio.object("voice").text("id")
    return audio.text("voice", settings.voice)


def _language(wire: Fields, languages: Collection[str]) -> str | None:
    if not wire.has("language"):
        return None
    language = wire.text("language")
    if language not in languages:
        raise ProtocolError(
            f"The language {language!r} is not deployed here. Deployed: {', '.join(languages)}.",
            code="invalid_value",
            param=f"{wire.path}.language",
        )
    return language
