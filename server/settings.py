"""What one session has agreed upon with its client, as the OpenAI Realtime protocol names it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

AudioType = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]
Eagerness = Literal["low", "medium", "high", "auto"]


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Wire audio, mono: `audio/pcm` is 16-bit little-endian, the others are G.711 at 8 kHz."""

    type: AudioType = "audio/pcm"
    rate_hz: int = 24_000


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """The server decides when the caller has finished.

    `server_vad` by a silence of `silence_duration_ms`; `semantic_vad` by what was said, waiting as
    long as its `eagerness` allows.
    """

    type: Literal["server_vad", "semantic_vad"] = "server_vad"
    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    create_response: bool = True
    interrupt_response: bool = True
    idle_timeout_ms: int | None = None  # the caller is spoken to after so much silence
    eagerness: Eagerness = "auto"


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A function that the client offers to run. `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """The effective configuration of a session, or of one response where that differs.

    `session.updated` echoes all of it.
    """

    type: Literal["realtime", "transcription"] = "realtime"  # the second is never answered
    model: str = "tinig"
    instructions: str = ""
    output_modality: Literal["audio", "text"] = "audio"
    input_format: AudioFormat = AudioFormat()
    output_format: AudioFormat = AudioFormat()
    transcription: bool = True  # whether the client is told what it said
    languages: tuple[str, ...] = ()  # that the caller may speak; none: all that are deployed
    turn_detection: TurnDetection | None = TurnDetection()  # None: push to talk
    voice: str = "default"
    speed: float = 1.0
    tools: tuple[FunctionTool, ...] = ()
    tool_choice: Literal["auto", "none", "required"] = "auto"
    forced_tool: str | None = None  # the name of the only function that may be called, and has to
    max_output_tokens: int | None = None  # None: the server's own bound
    metadata: Mapping[str, str] | None = None  # the client's own words about one response
    extension_events: frozenset[str] = frozenset()  # `tinig.*` events that the client asked for
    reports_playback: bool = False  # sends `AudioPlayed`; a hold makes it drop what it has not
    binary_audio: bool = False  # audio as binary messages, both ways

    @property
    def transcription_language(self) -> str | None:
        """The only language there is; None: recognised from the speech."""
        return self.languages[0] if len(self.languages) == 1 else None

    @property
    def answers(self) -> bool:
        """Whether the caller's turns are answered without being asked to."""
        detection = self.turn_detection
        return self.type == "realtime" and detection is not None and detection.create_response
