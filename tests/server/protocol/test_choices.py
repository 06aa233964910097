"""What a client chooses for its caller: languages, voice, speed."""

import json
from typing import Any

import pytest

from engines.errors import ProtocolError
from server.commands import UpdateSettings
from server.protocol.realtime_commands import Decoder
from server.protocol.realtime_session import to_wire
from server.settings import Settings

LANGUAGES = ("en", "es", "tl")
VOICES = frozenset({"piper-en", "espeak"})


def update(*sessions: dict[str, Any]) -> Settings:
    """The settings after these updates, one after the other."""
    decoder, settings = Decoder(Settings(), LANGUAGES, VOICES), Settings()
    for session in sessions:
        command = decoder.decode(json.dumps({"type": "session.update", "session": session}))
        assert isinstance(command, UpdateSettings)
        settings = command.settings
    return settings


def transcription(**fields: Any) -> dict[str, Any]:
    return {"audio": {"input": {"transcription": {"model": "whisper-1", **fields}}}}


def output(**fields: Any) -> dict[str, Any]:
    return {"audio": {"output": fields}}


def only(*languages: str) -> dict[str, Any]:
    return {"tinig": {"languages": list(languages) or None}}


@pytest.mark.parametrize(
    ("updates", "languages"),
    [
        ([only()], ()),
        ([only("tl", "en", "tl")], ("tl", "en")),
        ([only("tl")], ("tl",)),
        ([transcription(language="es")], ("es",)),
        ([transcription(language="es"), transcription()], ()),
        ([transcription(language="es"), transcription(language=None)], ()),
        ([transcription(language="es"), output(speed=1.2)], ("es",)),
        ([only("tl", "en"), transcription()], ("tl", "en")),
        ([only("tl", "en"), transcription(language="en")], ("en",)),
        ([only("tl", "en"), only()], ()),
        ([transcription(languages=["tl", "en"])], ("tl", "en")),
        ([transcription(languages=["tl", "en"]), transcription(languages=None)], ("tl", "en")),
        ([transcription(languages=["tl", "en"], language="es")], ("es",)),
    ],
)
def test_one_language_or_a_set_of_them(
    updates: list[dict[str, Any]], languages: tuple[str, ...]
) -> None:
    assert update(*updates).languages == languages


def test_the_choice_is_told_back() -> None:
    session = to_wire(update(only("tl", "en"), output(voice="espeak", speed=0.8)), "sess_1")
    assert session["tinig"]["languages"] == ["tl", "en"]
    told = session["audio"]["input"]["transcription"]
    assert (told["language"], told["languages"]) == (None, ["tl", "en"])
    assert (session["audio"]["output"]["voice"], session["audio"]["output"]["speed"]) == (
        "espeak",
        0.8,
    )
    fixed = to_wire(update(only("tl")), "sess_1")
    assert fixed["audio"]["input"]["transcription"]["language"] == "tl"


@pytest.mark.parametrize(
    ("voice", "chosen"),
    [
        ("espeak", "espeak"),
        ("default", "default"),
        ("alloy", "default"),  # stock clients name one of OpenAI's
        ({"id": "piper-en"}, "piper-en"),
    ],
)
def test_voices(voice: str | dict[str, str], chosen: str) -> None:
    assert update(output(voice=voice)).voice == chosen


@pytest.mark.parametrize(
    ("session", "param", "told"),
    [
        (only("en", "de"), "session.tinig.languages", "en, es, tl"),
        ({"tinig": {"languages": []}}, "session.tinig.languages", "a list of languages"),
        ({"tinig": {"languages": "en"}}, "session.tinig.languages", "a list of languages"),
        ({"tinig": {"languages": [["en"]]}}, "session.tinig.languages", "en, es, tl"),
        (
            transcription(languages=["en", "de"]),
            "session.audio.input.transcription.languages",
            "en, es, tl",
        ),
        (transcription(language="de"), "session.audio.input.transcription.language", "en, es, tl"),
        (output(voice="siri"), "session.audio.output.voice", "default, espeak, piper-en"),
        (output(voice={"id": "siri"}), "session.audio.output.voice", "default, espeak, piper-en"),
        (output(speed=0.2), "session.audio.output.speed", "0.25 to 1.5"),
        (output(speed=1.6), "session.audio.output.speed", "0.25 to 1.5"),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_what_can(
    session: dict[str, Any], param: str, told: str
) -> None:
    with pytest.raises(ProtocolError) as caught:
        update(session)
    assert caught.value.param == param
    assert told in str(caught.value)
