"""Conversations with the page, spoken and written."""

import asyncio
import base64
import io
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from evaluation.recording import Pcm
from evaluation.server_process import RunningServer
from tests.browser.chromium import Tab
from tests.browser.house import (
    CAPTIONS,
    LONG_ANSWER,
    NOTICE,
    NUM_CAPTIONS,
    STATE,
    call_to_hold,
    house,
    page,
    record,
    write,
)
from tests.fakes import Stage

pytestmark = pytest.mark.timeout(180)


async def test_a_conversation_in_spanish(running_server: RunningServer, tmp_path: Path) -> None:
    microphone = record(
        tmp_path / "caller.wav", 3.0, ("¿Cuándo abre la clínica el lunes?", "es"), 60.0
    )
    async with page(running_server.http_url, tmp_path, microphone) as tab:
        await tab.click("#talk")
        await tab.until(f"{NUM_CAPTIONS} === 2 && {STATE} === 'listening_idle'")
        question, answer = await tab.evaluate(CAPTIONS)
        assert "clínica" in question
        assert "clínica abre" in answer
        facts = await tab.evaluate("document.querySelector('.caption-facts').textContent")
        assert "español" in facts
        assert "% sure" in facts
        milestones = await tab.evaluate("document.querySelector('#turns').textContent")
        assert "First sound played" in milestones
        caller, server = await recording(tab)
        question_s, answer_s = first_sound_seconds(caller), first_sound_seconds(server)
        assert 1.0 < question_s < answer_s  # as they were heard: one after the other
        assert tab.complaints == []


async def recording(tab: Tab) -> tuple[Pcm, Pcm]:
    """The two sides of the file that the page offers for download."""
    encoded = await tab.evaluate(
        "(async () => { const { call } = await import('/web/main.js');"
        "const bytes = new Uint8Array(await call.recording.toBlob().arrayBuffer());"
        "return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), '')); })()"
    )
    with wave.open(io.BytesIO(base64.b64decode(encoded))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 24_000)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return samples[0::2], samples[1::2]


def first_sound_seconds(samples: Pcm) -> float:
    return float(np.argmax(np.abs(samples.astype(np.int32)) > 2000)) / 24_000


async def test_an_interruption_silences_the_page(tmp_path: Path) -> None:
    microphone = record(
        tmp_path / "caller.wav",
        1.5,
        ("What is this?", "en"),
        6.0,  # the answer takes twelve
        ("No, stop that now.", "en"),
        60.0,
    )
    stage = Stage(heard="No, stop that now", answer=LONG_ANSWER)
    async with (
        house(stage) as server,
        page(server.url, tmp_path, microphone) as tab,
    ):
        await tab.evaluate(WATCH_CUTS)
        await tab.click("#talk")
        await tab.until("window.cuts.length > 0")
        await tab.until("document.querySelectorAll('.note.words').length > 0")
        await tab.until(f"{NUM_CAPTIONS} === 4")
        unheard = await tab.evaluate("document.querySelector('.unheard').textContent")
        assert unheard.endswith("could stop.")
        await tab.until("window.cuts[0].untilSeconds > window.cuts[0].atSeconds + 0.3")
        loud_after_seconds = await tab.evaluate("window.cuts[0].samples / 24000")
        assert loud_after_seconds < 0.05
        assert tab.complaints == []


# Counts the samples that still sound within 0.3 s after an answer was cut, by the audio's clock:
# the page may hear late of what was played.
WATCH_CUTS = """(async () => {
  const { call } = await import('/web/main.js');
  window.cuts = [];
  call.addEventListener('cut', () =>
    window.cuts.push({ samples: 0, atSeconds: call._speaker.nowSeconds(), untilSeconds: 0 }));
  call.addEventListener('output', ({ detail }) => {
    const cut = window.cuts.at(-1);
    if (!cut) return;
    cut.untilSeconds = detail.endSeconds;
    if (detail.endSeconds > cut.atSeconds + 0.3) return;
    const late = Math.max(0, Math.ceil(24000 * (detail.endSeconds - cut.atSeconds)));
    const after = late ? detail.frame.slice(-late) : [];
    cut.samples += after.filter((sample) => sample !== 0).length;
  });
})()"""


async def test_agreement_pauses_the_answer_and_it_goes_on(tmp_path: Path) -> None:
    microphone = record(tmp_path / "caller.wav", 1.5, ("A story.", "en"), 3.0, ("Yes.", "en"), 30.0)
    stage = Stage(answer=LONG_ANSWER)
    stage.heard = lambda _: "mm-hmm" if stage.prompts else "Tell me a story"
    async with house(stage) as server, page(server.url, tmp_path, microphone) as tab:
        await tab.evaluate(WATCH_STATES)
        await tab.click("#talk")
        await tab.until("document.querySelectorAll('.note.backchannel').length > 0")
        await tab.until(f"{STATE} === 'listening_idle'")
        assert len(await tab.evaluate(CAPTIONS)) == 2
        assert await tab.evaluate("document.querySelectorAll('.unheard').length") == 0
        assert await tab.evaluate("window.states.slice(-5)") == [
            "ai_speaking",
            "interrupted",
            "ai_generating",
            "ai_speaking",
            "listening_idle",
        ]
        assert await tab.evaluate("window.silent") > 5  # frames of 20 ms, while it was judged


# Notes the states, and how many frames were silent while the answer was held.
WATCH_STATES = """(async () => {
  const { call } = await import('/web/main.js');
  window.states = [];
  window.silent = 0;
  call.addEventListener('state', ({ detail }) => window.states.push(detail));
  call.addEventListener('output', ({ detail }) => {
    const sounds = detail.frame.some((sample) => sample !== 0);
    if (call.state === 'interrupted' && !sounds) window.silent++;
  });
})()"""


async def test_what_is_said_while_the_line_is_being_opened_is_heard(tmp_path: Path) -> None:
    microphone = record(tmp_path / "caller.wav", 0.5, ("Hello there.", "en"), 30.0)
    async with house(Stage()) as server, page(server.url, tmp_path, microphone) as tab:
        await tab.evaluate(OPEN_LATE)
        await tab.click("#talk")
        await tab.until(f"{NUM_CAPTIONS} === 2")
        assert tab.complaints == []


# The line is open only seconds after the microphone, which has said all by then.
OPEN_LATE = """(async () => {
  const { call } = await import('/web/main.js');
  const open = call.connection.open.bind(call.connection);
  call.connection.open = (key) => setTimeout(() => open(key), 4000);
})()"""


async def test_escape_stops_an_answer(tmp_path: Path, silence: Path) -> None:
    stage = Stage(answer=LONG_ANSWER)
    async with house(stage) as server, page(server.url, tmp_path, silence) as tab:
        await write(tab, "Tell me a story")
        await tab.until(f"{STATE} === 'ai_speaking'")
        await asyncio.sleep(1.5)
        await tab.key("keyDown", "Escape", "Escape")
        await tab.until("document.querySelectorAll('.unheard').length === 1")
        await tab.until(f"{STATE} === 'listening_idle'")
        await write(tab, "Go on")
        await tab.until(f"{NUM_CAPTIONS} === 4")
        heard = stage.prompts[-1].messages[2].content
        assert heard.startswith("Once upon a time")
        assert "stop." not in heard
        assert tab.complaints == []


async def test_an_answer_that_is_stopped_before_its_first_word_leaves_nothing_behind(
    tmp_path: Path, silence: Path
) -> None:
    stage = Stage(tts_seconds=60.0)
    async with house(stage) as server, page(server.url, tmp_path, silence) as tab:
        await write(tab, "Tell me a story")
        await tab.until("document.querySelectorAll('.caption.assistant').length === 1")
        await tab.key("keyDown", "Escape", "Escape")
        await tab.until(f"{STATE} === 'listening_idle'")
        assert await tab.evaluate(CAPTIONS) == ["Tell me a story"]


async def test_who_is_not_understood_is_told_of_a_handover(tmp_path: Path) -> None:
    turn = (("Something unclear.", "en"), 4.0)
    microphone = record(tmp_path / "caller.wav", 1.5, *turn, *turn, *turn, 30.0)
    stage = Stage(confidence=0.2, speech_seconds_per_character=0.01)
    async with house(stage) as server, page(server.url, tmp_path, microphone) as tab:
        await tab.click("#talk")
        await tab.until("document.querySelectorAll('.note.handover').length === 1")
        assert tab.complaints == []


async def test_transcript_and_recording_are_saved(tmp_path: Path, silence: Path) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    stage = Stage(answer=("Paris", "."))
    async with house(stage) as server, page(server.url, tmp_path, silence) as tab:
        await tab.save_downloads_to(saved)
        await write(tab, "What is the capital of France?")
        await tab.until(f"{NUM_CAPTIONS} === 2 && {STATE} === 'listening_idle'")
        await tab.click("#save-transcript")
        await tab.click("#save-audio")
        transcript = (await asyncio.to_thread(_arrived, saved / "tinig.txt")).decode("utf-8")
        assert transcript.index("What is the capital of France?") < transcript.index("Paris.")
        with wave.open(io.BytesIO(await asyncio.to_thread(_arrived, saved / "tinig.wav"))) as file:
            assert (file.getnchannels(), file.getframerate()) == (2, 24_000)
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        assert np.abs(samples[1::2].astype(np.int32)).max() > 1000  # the answer is in it
        assert tab.complaints == []


def _arrived(path: Path) -> bytes:
    """A file that the browser saves; it has another name until it is whole."""
    latest = time.monotonic() + 10.0
    while not path.exists() and time.monotonic() < latest:
        time.sleep(0.05)  # the browser tells nobody
    return path.read_bytes()


async def test_push_to_talk_with_the_keyboard(tmp_path: Path) -> None:
    microphone = record(tmp_path / "caller.wav", *(("Hello there.", "en"),) * 10)
    async with house(Stage()) as server, page(server.url, tmp_path, microphone) as tab:
        await call_to_hold(tab)
        await asyncio.sleep(1.0)
        assert await tab.evaluate(CAPTIONS) == []  # nobody listens before the key is down
        await tab.evaluate("document.activeElement.blur()")
        await tab.key("keyDown", " ", "Space")
        await tab.until("document.querySelector('#talk').classList.contains('pressed')")
        await asyncio.sleep(1.0)
        await tab.key("keyUp", " ", "Space")
        await tab.until(f"{NUM_CAPTIONS} === 2")
        assert await tab.evaluate(CAPTIONS) == [
            "What is the capital of France?",
            "The capital of France is Paris.",
        ]


async def test_who_presses_again_before_the_answer_withdraws_it_and_is_answered_next(
    tmp_path: Path,
) -> None:
    microphone = record(tmp_path / "caller.wav", *(("Hello there.", "en"),) * 20)
    stage = Stage(stt_seconds=1.5, answer=LONG_ANSWER)
    async with house(stage) as server, page(server.url, tmp_path, microphone) as tab:
        await tab.evaluate(WATCH_SENT)
        await call_to_hold(tab)
        await tab.evaluate("document.activeElement.blur()")
        await tab.key("keyDown", " ", "Space")
        await asyncio.sleep(1.0)
        await tab.key("keyUp", " ", "Space")
        await tab.until("window.sent.at(-1) === 'response.create'")
        await tab.key("keyDown", " ", "Space")
        assert await tab.evaluate("window.sent.slice(-2)") == [
            "response.cancel",
            "input_audio_buffer.clear",
        ]
        await asyncio.sleep(3.0)  # the words of the first are there by now
        assert await tab.evaluate("window.loud") == 0
        await tab.key("keyUp", " ", "Space")
        await tab.until("window.loud > 0")
        assert await tab.evaluate(NOTICE) == ""
        assert tab.complaints == []


# Notes what the page sends, and counts the frames of an answer that sound.
WATCH_SENT = """(async () => {
  const { call } = await import('/web/main.js');
  window.sent = [];
  window.loud = 0;
  const send = call.connection.send.bind(call.connection);
  call.connection.send = (event) => {
    window.sent.push(event.type);
    send(event);
  };
  call.addEventListener('output', ({ detail }) => {
    if (detail.frame.some((sample) => sample !== 0)) window.loud++;
  });
})()"""
