"""What a client asks for in a `session` object of the OpenAI Realtime protocol, and in its place in
one `response.create`."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from engines.errors import ProtocolError
from server.protocol.fields import Fields, invalid
from server.protocol.json_text import write_json
from server.protocol.realtime_audio import read_format
from server.protocol.realtime_detection import read_detection
from server.protocol.realtime_table import EXTENSION_EVENTS
from server.settings import FunctionTool, Settings
from server.voices import DEFAULT_VOICE, OPENAI_VOICES

SESSION_TYPES: tuple[Literal["realtime", "transcription"], ...] = ("realtime", "transcription")
MAXIMUM_OUTPUT_TOKENS = 4096
MAXIMUM_PROMPT_CHARACTERS = 65_536  # of instructions and tools, which one model reads for all
METADATA_PAIRS = 16
METADATA_CHARACTERS = (64, 512)  # of a key, of a value

# What a client may send and what this server has no use for: accepted, so that stock clients work.
_WITHOUT_EFFECT = ("include", "parallel_tool_calls", "prompt", "reasoning", "tracing", "truncation")
_READ_ONLY = ("id", "object", "expires_at")  # in what is echoed, which clients may send back
_ANSWERS = ("instructions", "output_modalities", "tools", "tool_choice", "max_output_tokens")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a client may choose from."""

    languages: Collection[str]  # that are deployed
    voices: Collection[str] = ()  # by name; none: any name is taken


def updated(settings: Settings, session: Fields, choices: Choices) -> Settings:
    """The settings after a `session.update`; raises `ProtocolError` and changes nothing."""
    kind = session.choice("type", SESSION_TYPES, settings.type)
    if kind == "transcription":
        session.only(("type", "audio", "tinig", "include", *_READ_ONLY))
    else:
        session.only(("type", "model", *_ANSWERS, "audio", "tinig", *_WITHOUT_EFFECT, *_READ_ONLY))
        settings = _with_answers(settings, session)
    settings = replace(settings, type=kind)
    if "audio" in session:
        settings = _with_audio(settings, session.object("audio"), choices)
    return _with_extensions(settings, session, choices)


def for_response(settings: Settings, response: Fields, choices: Choices) -> Settings:
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
            settings = _with_output(settings, output, choices)
    return settings


def _with_answers(settings: Settings, wire: Fields) -> Settings:
    """What a session and a single response can both say about answers."""
    tools = _tools(wire) if "tools" in wire else settings.tools
    instructions = wire.text("instructions", settings.instructions)
    _check_length(wire, instructions, tools)
    choice, forced = _tool_choice(settings, wire, tools)
    return replace(
        settings,
        instructions=instructions,
        output_modality=_modality(settings, wire),
        tools=tools,
        tool_choice=choice,
        forced_tool=forced,
        max_output_tokens=_max_output_tokens(settings, wire),
    )


def _check_length(wire: Fields, instructions: str, tools: tuple[FunctionTool, ...]) -> None:
    """Raise for what is too long for a prompt, by the longest part that the client named."""
    lengths = {"instructions": len(instructions), "tools": sum(map(_characters, tools))}
    named = [name for name in lengths if name in wire]
    if named and sum(lengths.values()) > MAXIMUM_PROMPT_CHARACTERS:
        longest = max(named, key=lambda name: lengths[name])
        allowed = f"at most {MAXIMUM_PROMPT_CHARACTERS} characters of instructions and tools"
        raise invalid(f"{wire.path}.{longest}", f"{lengths[longest]} characters", allowed)


def _characters(tool: FunctionTool) -> int:
    parameters = write_json(tool.parameters).decode()
    return len(tool.name) + len(tool.description) + len(parameters)


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


def _with_extensions(settings: Settings, session: Fields, choices: Choices) -> Settings:
    if "tinig" not in session:
        return settings
    extension = session.object("tinig")
    extension.only(("events", "binary_audio", "languages"))
    return replace(
        settings,
        extension_events=_extension_events(settings, extension),
        binary_audio=extension.flag("binary_audio", settings.binary_audio),
        languages=_languages(settings, extension, choices),
    )


def _languages(settings: Settings, extension: Fields, choices: Choices) -> tuple[str, ...]:
    """The set of languages that the caller may speak; null: all that are deployed."""
    if "languages" not in extension:
        return settings.languages
    if extension.is_null("languages"):
        return ()
    return _languages_of(extension, choices)


def _languages_of(wire: Fields, choices: Choices) -> tuple[str, ...]:
    languages = wire.required("languages")
    if not isinstance(languages, list) or not languages:
        raise invalid(f"{wire.path}.languages", languages, "a list of languages, or null")
    for language in languages:
        _check_language(language, f"{wire.path}.languages", choices)
    return tuple(dict.fromkeys(languages))


def _extension_events(settings: Settings, extension: Fields) -> frozenset[str]:
    if "events" not in extension:
        return settings.extension_events
    events = extension.required("events")
    names = tuple(EXTENSION_EVENTS)  # in which anything may be looked for, also what has no hash
    if not isinstance(events, list) or not all(event in names for event in events):
        raise invalid("session.tinig.events", events, f"a list of {', '.join(EXTENSION_EVENTS)}")
    return frozenset(events)


def _with_audio(settings: Settings, audio: Fields, choices: Choices) -> Settings:
    audio.only(("input",) if settings.type == "transcription" else ("input", "output"))
    if "input" in audio:
        settings = _with_input(settings, audio.object("input"), choices)
    if "output" in audio:
        output = audio.object("output")
        output.only(("format", "voice", "speed"))
        settings = _with_output(settings, output, choices)
    return settings


def _with_input(settings: Settings, audio: Fields, choices: Choices) -> Settings:
    audio.only(("format", "transcription", "noise_reduction", "turn_detection"))
    if "format" in audio:
        settings = replace(settings, input_format=read_format(audio.object("format")))
    if audio.is_null("transcription"):
        settings = replace(settings, transcription=False, languages=_unfixed(settings))
    elif "transcription" in audio:
        languages = _transcribed(settings, audio.object("transcription"), choices)
        settings = replace(settings, transcription=True, languages=languages)
    if audio.is_null("turn_detection"):
        settings = replace(settings, turn_detection=None)
    elif "turn_detection" in audio:
        detection = read_detection(audio.object("turn_detection"), settings.turn_detection)
        settings = replace(settings, turn_detection=detection)
    return settings


def _with_output(settings: Settings, audio: Fields, choices: Choices) -> Settings:
    if "format" in audio:
        settings = replace(settings, output_format=read_format(audio.object("format")))
    return replace(
        settings,
        voice=_voice(settings, audio, choices),
        speed=audio.number("speed", 0.25, 1.5, settings.speed),
    )


def _voice(settings: Settings, audio: Fields, choices: Choices) -> str:
    """A voice's name, or an object that holds it; those of OpenAI's own are the default one."""
    if "voice" in audio and isinstance(audio.required("voice"), dict):
        voice = audio.object("voice").text("id")
    else:
        voice = audio.text("voice", settings.voice)
    if voice in OPENAI_VOICES and voice not in choices.voices:
        return DEFAULT_VOICE
    if voice != DEFAULT_VOICE and choices.voices and voice not in choices.voices:
        allowed = f"{DEFAULT_VOICE}, {', '.join(sorted(choices.voices))}"
        raise invalid(f"{audio.path}.voice", voice, allowed)
    return voice


def _transcribed(settings: Settings, wire: Fields, choices: Choices) -> tuple[str, ...]:
    """The languages that the caller may speak: one, or several that are possible."""
    if wire.has("language"):
        language = wire.text("language")
        _check_language(language, f"{wire.path}.language", choices)
        return (language,)
    return _languages_of(wire, choices) if wire.has("languages") else _unfixed(settings)


def _unfixed(settings: Settings) -> tuple[str, ...]:
    """No single language any more; a set of several stays."""
    return settings.languages if len(settings.languages) > 1 else ()


def _check_language(language: object, path: str, choices: Choices) -> None:
    if language not in choices.languages:
        raise ProtocolError(
            f"The language {language!r} is not deployed here. "
            f"Deployed: {', '.join(choices.languages)}.",
            code="invalid_value",
            param=path,
        )
