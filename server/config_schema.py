"""All that can be configured: a frozen dataclass for every section of tinig.toml."""

from dataclasses import dataclass, field
from typing import Literal

from engines.config import (
    MOST_CALLS,
    LlmConfig,
    SttConfig,
    TranslateConfig,
    TtsConfig,
    VadConfig,
    option,
)

LANGUAGES = ("en", "es", "fr", "hi", "tl")  # those that server/language/data has a folder for


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The listener, who may use it, and what it logs."""

    host: str = option("127.0.0.1", "Address to listen on; other than loopback needs api_keys.")
    port: int = option(8080, "TCP port; 0 takes a free one.", minimum=0, maximum=65535)
    api_keys: tuple[str, ...] = option(
        (),
        "Keys, one of which a client must send as Bearer token; none: no key is asked for.",
        secret=True,
    )
    insecure: bool = option(
        False, "Listen on any address without a key: anybody can use the server."
    )
    offline: bool = option(
        True, "Refuse to reach other machines by itself, and tell the libraries not to."
    )
    max_sessions: int = option(
        64, "Calls at once; one more is answered with 503.", minimum=1, maximum=MOST_CALLS
    )
    drain_seconds: float = option(
        8.0,
        "How long calls and requests may go on after SIGTERM, while no new one is taken; then they "
        "are closed.",
        minimum=0.0,
        maximum=86_400.0,
    )
    allowed_origins: tuple[str, ...] = option(
        (), "Browser origins that may connect besides the server's own, as https://example.org."
    )
    log_format: Literal["text", "json"] = option("text", "Lines for people, or JSON lines.")
    log_level: Literal["debug", "info", "warning", "error"] = option(
        "info", "The least serious messages that are logged."
    )


@dataclass(frozen=True, slots=True)
class ConversationConfig:
    """Languages, turns and answers. A session may choose its own within the protocol."""

    languages: tuple[str, ...] = option(LANGUAGES, "Languages that callers may speak.")
    default_language: str = option("en", "Language that is assumed before anything was said.")
    regions: tuple[str, ...] = option(
        (),
        "Regions whose way of reading numbers, dates and prices is wanted where a language has "
        "several: es_ES. Spanish is Mexico's otherwise.",
    )
    language_switch_cost: float = option(
        4.0,
        "How much likelier a new language has to sound than the one spoken so far, as a natural "
        "logarithm: 4 is 55 times; 0: no inertia.",
        minimum=0.0,
        maximum=20.0,
    )
    language_switch_seconds: float = option(
        0.8,
        "Speech from which an utterance of more than two words may change the language.",
        minimum=0.0,
        maximum=10.0,
    )
    language_certain_seconds: float = option(
        1.5,
        "Speech from which its language is heard as clearly as can be; less weighs less.",
        minimum=0.1,
        maximum=10.0,
    )
    language_classes: tuple[str, ...] = option(
        (), 'Classes of languages in the routing table, where they differ from it: "tl=high".'
    )
    routing_table: str = option(
        "",
        "TOML file with what differs from server/language/data/routing.toml, the table of which "
        "questions are answered directly, by a pivot or structured; empty: nothing does.",
    )
    notes_tokens: int = option(
        200, "Most tokens that a structured answer is thought about.", minimum=1, maximum=8192
    )
    acknowledge_seconds: float = option(
        1.5,
        "Seconds after the caller's words in which a pivot or structured answer has to begin, or "
        "else a word of patience is said; 0: never.",
        minimum=0.0,
        maximum=60.0,
    )
    latin_answers: tuple[str, ...] = option(
        (),
        "Languages with a script of their own (hi) whose speakers are answered in Latin letters "
        "when their transcript is in them.",
    )
    instructions: str = option("", "Instructions to the model, after the server's own prompt.")
    pause_seconds: float = option(
        0.2, "Silence after which an answer is drafted, in case the turn is over.", minimum=0.032
    )
    eager_pause_seconds: float = option(
        0.09,
        "The same while the caller is heard in time, because a draft in vain then takes no time "
        "from anybody; pause_seconds where that is shorter.",
        minimum=0.032,
    )
    end_silence_seconds: float = option(
        0.5,
        "Silence that ends a turn; a client may ask for another.",
        minimum=0.064,
        maximum=10.0,
    )
    adaptive_endpointing: bool = option(
        True, "End a turn sooner when its words read as complete, and later when they do not."
    )
    shortest_end_silence_seconds: float = option(
        0.15,
        "Silence that ends a turn that is complete beyond doubt; scaled with end_silence_seconds "
        "where a client asks for another.",
        minimum=0.064,
        maximum=10.0,
    )
    longest_end_silence_seconds: float = option(
        1.2,
        "Silence that ends a turn that does not read as complete; scaled likewise.",
        minimum=0.064,
        maximum=30.0,
    )
    speech_threshold: float = option(
        0.5, "Speech begins at this probability.", minimum=0.0, maximum=1.0
    )
    silence_threshold: float = option(
        0.35, "Speech ends below this probability.", minimum=0.0, maximum=1.0
    )
    minimum_speech_seconds: float = option(
        0.1, "Shorter sounds are no speech.", minimum=0.0, maximum=2.0
    )
    prefix_padding_seconds: float = option(
        0.3, "Audio before the start of speech that is transcribed too.", minimum=0.0, maximum=2.0
    )
    partial_interval_seconds: float = option(
        0.5, "Speech between two partial transcripts.", minimum=0.1, maximum=10.0
    )
    maximum_utterance_seconds: float = option(
        30.0,
        "Speech after which a turn is ended anyhow: Whisper's window.",
        minimum=1.0,
        maximum=30.0,
    )
    maximum_answer_tokens: int = option(160, "Longest answer, in tokens.", minimum=1, maximum=8192)
    history_turns: int = option(
        12, "Most turns that the model is shown besides the current one.", minimum=0, maximum=1000
    )
    repeat_requests: int = option(
        2,
        "Unclear turns in a row that are asked for again; then a person's help is offered.",
        minimum=0,
        maximum=10,
    )
    idle_seconds: float = option(
        60.0,
        "Silence after which the caller is asked if they are still there, and after as much again "
        "the call ends, where turns are answered without being asked to; 0: never.",
        minimum=0.0,
        maximum=86_400.0,
    )
    kept_audio_seconds: float = option(
        60.0,
        "Sound of the newest items that a session keeps for a client that retrieves them, 48 kB "
        "a second at most; 0: none.",
        minimum=0.0,
        maximum=3600.0,
    )
    draft_confidence: float = option(
        0.8,
        "Mean token probability from which an answer is drafted before the turn is certain.",
        minimum=0.0,
        maximum=1.0,
    )
    playback_lead_seconds: float = option(
        0.1,
        "Audio sent ahead of what is heard: covers the network's jitter, delays a pause.",
        minimum=0.02,
        maximum=10.0,
    )
    low_confidence: float = option(
        0.4,
        "Mean token probability below which the caller is asked to say it again.",
        minimum=0.0,
        maximum=1.0,
    )

    def locale(self, language: str) -> str:
        """The language, or the region of it that is configured: how its text is said."""
        regions = (name for name in self.regions if name.partition("_")[0] == language)
        return next(regions, language)


@dataclass(frozen=True, slots=True)
class InterruptionConfig:
    """Sound of the caller over an answer: held at once, then judged. Durations are of audio."""

    immunity_seconds: float = option(
        0.0,
        "After the first audio of an answer, while a client's echo cancellation warms up.",
        minimum=0.0,
        maximum=10.0,
    )
    soon_interval_seconds: float = option(
        0.2, "Between two looks for clear words.", minimum=0.1, maximum=2.0
    )
    early_seconds: float = option(
        0.8, "Sound after which it is judged at the latest.", minimum=0.1, maximum=5.0
    )
    long_seconds: float = option(
        1.0,
        "Sound after which several words take the floor however unclear, if it is speech.",
        minimum=0.2,
        maximum=10.0,
    )
    pause_seconds: float = option(
        0.12,
        "Silence in the sound after which it is judged; the answer goes on unless it is words.",
        minimum=0.03,
        maximum=2.0,
    )
    long_words: int = option(3, "Words that are several, in such a sound.", minimum=1, maximum=100)
    long_speech_share: float = option(
        0.6, "Share of such a sound that the VAD takes for speech.", minimum=0.0, maximum=1.0
    )
    strict_seconds: float = option(
        2.0, "Sound after which one that was nothing is judged again.", minimum=0.2, maximum=10.0
    )
    cooldown_seconds: float = option(
        0.5, "After a sound that was nothing, before another is judged.", minimum=0.0, maximum=10.0
    )
    soon_confidence: float = option(
        0.85,
        "Mean token probability of clear words; sinks to early_confidence towards early_seconds.",
        minimum=0.0,
        maximum=1.0,
    )
    early_confidence: float = option(
        0.5, "Mean token probability of words at the early check.", minimum=0.0, maximum=1.0
    )
    brief_confidence: float = option(
        0.85,
        "Mean token probability of words in a sound that stops before the early check.",
        minimum=0.0,
        maximum=1.0,
    )
    strict_confidence: float = option(
        0.7, "Mean token probability of words at the strict check.", minimum=0.0, maximum=1.0
    )
    echo_likeness: float = option(
        0.5,
        "Correlation with the audio that was just sent, from which a sound is its echo and not "
        "heard at all; 1: only an exact copy.",
        minimum=0.0,
        maximum=1.0,
    )
    echo_overlap: float = option(
        0.8,
        "Share of words that the server itself just said, which makes the sound an echo.",
        minimum=0.0,
        maximum=1.0,
    )


@dataclass(frozen=True, slots=True)
class TelephoneConfig:
    """Calls from Twilio and from an Asterisk of your own (docs/telephone.md)."""

    twilio_auth_token: str = option(
        "", "The account's token, with which Twilio signs; none: that door is closed.", secret=True
    )
    twilio_url: str = option(
        "",
        "This server as Twilio reaches it, as https://voice.example.org; nothing: as the request "
        "names it, which a proxy changes.",
    )
    twilio_lead_seconds: float = option(
        0.3,
        "Audio sent to Twilio ahead of what is heard; what was not heard is taken back there.",
        minimum=0.02,
        maximum=10.0,
    )
    audiosocket: bool = option(False, "Take calls from Asterisk's AudioSocket.")
    audiosocket_host: str = option("127.0.0.1", "Address to listen on for them.")
    audiosocket_port: int = option(
        9092, "TCP port for them; 0 takes a free one.", minimum=0, maximum=65535
    )
    audiosocket_peers: tuple[str, ...] = option(
        ("127.0.0.1", "::1"),
        "Addresses and networks that they may come from: AudioSocket knows no password.",
    )
    person_key: str = option(
        "0", "Key that asks for a person when it is pressed alone; nothing: none does."
    )
    person_number: str = option(
        "",
        "Number that Twilio dials then, as +15551234567; nothing: that key is answered like any "
        "other.",
    )
    key_pause_seconds: float = option(
        2.0,
        "Pause after which the keys pressed so far are answered; # ends them at once.",
        minimum=0.5,
        maximum=30.0,
    )


@dataclass(frozen=True, slots=True)
class RestConfig:
    """The REST door: what one request may bring, and how many may be in the making."""

    max_requests: int = option(
        16, "Requests at once; one more is answered with 503.", minimum=1, maximum=10_000
    )
    max_upload_megabytes: int = option(
        25, "Largest audio file, as it is sent.", minimum=1, maximum=4096
    )
    max_audio_seconds: float = option(
        7200.0, "Longest audio file, as it plays.", minimum=1.0, maximum=86_400.0
    )
    receive_seconds: float = option(
        60.0, "Time in which a request has to arrive.", minimum=1.0, maximum=3600.0
    )
    stall_seconds: float = option(
        30.0,
        "Time in which a client has to take what was sent, before it is dropped.",
        minimum=1.0,
        maximum=3600.0,
    )
    max_completion_tokens: int = option(
        256, "Longest answer of a chat that asks for no length.", minimum=1, maximum=8192
    )
    sessions: int = option(
        64, "Spoken conversations that are remembered between requests.", minimum=1, maximum=10_000
    )
    session_seconds: float = option(
        900.0,
        "After its last turn, such a conversation is forgotten.",
        minimum=1.0,
        maximum=86_400.0,
    )


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration, one section per part of the process."""

    server: ServerConfig = field(default_factory=ServerConfig)
    rest: RestConfig = field(default_factory=RestConfig)
    conversation: ConversationConfig = field(default_factory=ConversationConfig)
    interruption: InterruptionConfig = field(default_factory=InterruptionConfig)
    telephone: TelephoneConfig = field(default_factory=TelephoneConfig)
    vad: VadConfig = field(default_factory=VadConfig)
    stt: SttConfig = field(default_factory=SttConfig)
    llm: LlmConfig = field(default_factory=LlmConfig)
    tts: TtsConfig = field(default_factory=TtsConfig)
    translate: TranslateConfig = field(default_factory=TranslateConfig)
