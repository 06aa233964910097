"""The page in a real Chromium with a fake microphone: `make browser`.

Not collected by `make test`, which needs no browser. The conversation is held with the real server
and its starter models; what is about the door and the line, with scripted engines in this process.
"""

import asyncio
import base64
import io
import os
import time
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from aiohttp.test_utils import TestServer

from evaluation.recording import Pcm
from evaluation.server_process import RunningServer
from evaluation.speech import synthesize
from server.app import Server
from server.config import Config, ConversationConfig, ServerConfig
from tests.browser.chromium import Tab, browser
from tests.fakes import Stage

pytestmark = pytest.mark.timeout(180)

RATE_HZ = 48_000  # of the fake microphone
KEY = "a-key-of-sixteen-characters"
LONG_ANSWER = (" Once upon a time", " there was a voice", " that nobody", " could stop.") * 4
CAPTIONS = "[...document.querySelectorAll('#captions .caption-text')].map(e => e.textContent)"
NUM_CAPTIONS = f"({CAPTIONS}).filter(Boolean).length"  # that have words by now
NOTICE = (
    "document.querySelector('#notice').hidden ? '' : document.querySelector('#notice').innerText"
)
STATUS = "document.querySelector('#connection').dataset.status"
STATE = "document.querySelector('#states [aria-current]').className"


@dataclass
class House:
    """A server in this process, on scripted engines."""

    server: Server
    url: str
    stage: Stage

    async def drop_calls(self) -> None:
        """As at a restart: every client is told that the server goes away."""
        await self.server._close_sockets(self.server.application())


def door(**server: Any) -> Config:
    """A configuration that differs in who may come in."""
    return replace(Config(), server=ServerConfig(**server))


@asynccontextmanager
async def house(stage: Stage, config: Config | None = None) -> AsyncIterator[House]:
    server = Server(config or Config(), stage.engines)
    async with TestServer(server.application(), host="127.0.0.1") as listener:
        yield House(server, str(listener.make_url("/")), stage)


def record(path: Path, *parts: float | tuple[str, str]) -> Path:
    """A recording of silences (seconds) and sentences (text, language)."""
    sound = [
        np.zeros(int(RATE_HZ * part), dtype=np.int16)
        if isinstance(part, int | float)
        else synthesize(*part, RATE_HZ)
        for part in parts
    ]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.concatenate(sound).astype("<i2").tobytes())
    return path


@asynccontextmanager
async def page(
    url: str, folder: Path, microphone: Path | None, size: tuple[int, int] = (1280, 900)
) -> AsyncIterator[Tab]:
    """The page, loaded, in a new browser. It must not complain of anything."""
    profile = folder / "profile"
    profile.mkdir()
    async with browser(profile, microphone=microphone, size=size) as tab:
        await tab.open(url)
        await tab.until("document.querySelector('#talk-label').textContent !== ''")
        try:
            yield tab
        finally:
            await keep_screenshot(tab, folder)


async def keep_screenshot(tab: Tab, folder: Path) -> None:
    """For a look at it, where $SCREENSHOTS names a folder."""
    target = os.environ.get("SCREENSHOTS")
    if target is not None:
        (Path(target) / f"{folder.name}.png").write_bytes(await tab.screenshot())


@pytest.fixture
def silence(tmp_path: Path) -> Path:
    return record(tmp_path / "silence.wav", 1.0)


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


async def test_a_line_that_breaks_is_taken_up_again(tmp_path: Path, silence: Path) -> None:
    async with house(Stage()) as server, page(server.url, tmp_path, silence) as tab:
        await tab.click("#talk")
        await write(tab, "Hello")
        await tab.until(f"{NUM_CAPTIONS} === 2 && {STATE} === 'listening_idle'")
        await server.drop_calls()
        await tab.until(f"{STATUS} === 'waiting'")
        assert "connection was lost" in await tab.evaluate(NOTICE)
        await tab.until(f"{STATUS} === 'online'")
        assert await tab.evaluate(NOTICE) == ""
        await write(tab, "And now?")
        await tab.until(f"{NUM_CAPTIONS} === 4")
        said = [(message.role, message.content) for message in server.stage.prompts[-1].messages]
        assert said[1:] == [
            ("user", "Hello"),
            ("assistant", "The capital of France is Paris."),
            ("user", "And now?"),
        ]


async def test_a_full_server_is_told_in_words_and_tried_again(
    tmp_path: Path, silence: Path
) -> None:
    async with (
        house(Stage(), door(max_sessions=1)) as server,
        page(server.url, tmp_path, silence) as tab,
    ):
        server.server.counters.sessions = 1  # somebody else
        await tab.click("#talk")
        await tab.until(f"{STATUS} === 'waiting'")
        assert "places on this server are taken" in await tab.evaluate(NOTICE)
        server.server.counters.sessions = 0
        await tab.until(f"{STATUS} === 'online'")


async def test_a_server_that_becomes_ready_at_the_wrong_moment_is_not_given_up(
    tmp_path: Path, silence: Path
) -> None:
    """The attempt fails because it is full; when the page asks why, it is not any more."""
    async with (
        house(Stage(), door(max_sessions=1)) as server,
        page(server.url, tmp_path, silence) as tab,
    ):
        server.server.counters.sessions = 1  # somebody else
        refused = server.server.counters.refused
        leaves = asyncio.create_task(_leaves_when_refused(server), name="leaves")
        await tab.click("#talk")
        await tab.until(f"{STATUS} === 'online'")
        await leaves
        assert refused == {"Service Unavailable": 1}
        assert await tab.evaluate(NOTICE) == ""


async def _leaves_when_refused(server: House) -> None:
    """Whoever has the only place, as soon as somebody else was refused it."""
    while not server.server.counters.refused:  # noqa: ASYNC110 (nothing tells of it)
        await asyncio.sleep(0)
    server.server.counters.sessions = 0


async def test_a_refused_microphone_is_told_in_words_and_one_can_write(tmp_path: Path) -> None:
    async with house(Stage()) as server, page(server.url, tmp_path, None) as tab:
        await tab.click("#talk")
        await tab.until(f"({NOTICE}).includes('not allowed to use the microphone')")
        await write(tab, "Hello")
        await tab.until(f"{NUM_CAPTIONS} === 2")
        assert await tab.evaluate(CAPTIONS) == ["Hello", "The capital of France is Paris."]


async def test_a_caller_who_is_gone_is_hung_up_on(tmp_path: Path, silence: Path) -> None:
    config = replace(Config(), conversation=ConversationConfig(idle_seconds=1.0))
    async with house(Stage(), config) as server, page(server.url, tmp_path, silence) as tab:
        await tab.click("#talk")
        await tab.until(f"{STATUS} === 'offline' && ({NOTICE}).includes('Nobody spoke')")
        said = await tab.evaluate(CAPTIONS)
        assert said[0] == "Are you still there?"
        assert await tab.evaluate("document.querySelector('#talk-label').textContent") == "Talk"


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


async def test_another_microphone_takes_over_in_the_call(tmp_path: Path, silence: Path) -> None:
    async with house(Stage()) as server, page(server.url, tmp_path, silence) as tab:
        await tab.evaluate(WATCH_MICROPHONES)
        await tab.click("#talk")
        await tab.until(f"{STATUS} === 'online'")
        await tab.until("document.querySelectorAll('#microphone option').length > 2")
        chosen = await tab.evaluate(
            "(() => { const select = document.querySelector('#microphone');"
            "select.value = select.options[2].value;"
            "select.dispatchEvent(new Event('change'));"
            "return select.value; })()"
        )
        await tab.until("window.microphones.length === 2")
        first, second = await tab.evaluate(
            "window.microphones.map(track => [track.getSettings().deviceId, track.readyState])"
        )
        assert second == [chosen, "live"]
        assert first[0] != chosen
        assert first[1] == "ended"  # the first is not listened to any more
        assert tab.complaints == []


WATCH_MICROPHONES = """(() => {
  window.microphones = [];
  const media = navigator.mediaDevices;
  const original = media.getUserMedia.bind(media);
  media.getUserMedia = async (constraints) => {
    const stream = await original(constraints);
    window.microphones.push(...stream.getAudioTracks());
    return stream;
  };
})()"""


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
async def test_the_microphones_rate_is_converted(
    tmp_path: Path, silence: Path, rate_hz: int
) -> None:
    """A tone comes through as it is, one above the new rate's band does not come through."""
    async with house(Stage()) as server, page(server.url, tmp_path, silence) as tab:
        for tone_hz, amplitude in ((1000, 0.5), (9000, 0.5), (14_000, 0.0)):
            if tone_hz > 0.45 * rate_hz:
                continue
            samples = await tab.evaluate(f"({RESAMPLE})({rate_hz}, {tone_hz})")
            assert len(samples) == pytest.approx(24_000, abs=50)
            assert amplitude_of(np.array(samples[2000:-2000]), tone_hz) == pytest.approx(
                amplitude, abs=0.005
            )


def amplitude_of(samples: npt.NDArray[np.float64], tone_hz: int) -> float:
    """The amplitude of a tone at 24 kHz, in samples that hold nothing else."""
    angle = 2 * np.pi * tone_hz * np.arange(len(samples)) / 24_000
    basis = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    parts = np.linalg.lstsq(basis, samples)[0]
    assert np.abs(samples - basis @ parts).max() < 0.005
    return float(np.hypot(*parts))


# One second of a tone, in blocks as an AudioWorklet gets them, from one rate to 24 kHz.
RESAMPLE = """async (rateHz, toneHz) => {
  const { Resampler } = await import('/web/worklets/resampler.js');
  const resampler = new Resampler(rateHz, 24000);
  const output = [];
  for (let start = 0; start + 128 <= rateHz; start += 128) {
    const tone = (_, i) => 0.5 * Math.sin((2 * Math.PI * toneHz * (start + i)) / rateHz);
    output.push(...resampler.push(Float32Array.from({ length: 128 }, tone)));
  }
  return output;
}"""


async def test_a_key_is_asked_for(tmp_path: Path, silence: Path) -> None:
    async with (
        house(Stage(), door(api_keys=(KEY,))) as server,
        page(server.url, tmp_path, silence) as tab,
    ):
        await tab.click("#talk")
        await tab.until(f"({NOTICE}).includes('needs a key')")
        assert await tab.evaluate("document.activeElement.id") == "key"
        await tab.send("Input.insertText", text="not-the-key")
        await tab.click("#talk")
        await tab.until(f"({NOTICE}).includes('does not know this key')")
        await tab.evaluate("document.querySelector('#key').value = ''")
        await tab.send("Input.insertText", text=KEY)
        await tab.click("#talk")
        await tab.until(f"{STATUS} === 'online'")


async def test_push_to_talk_with_the_keyboard(tmp_path: Path) -> None:
    microphone = record(tmp_path / "caller.wav", *(("Hello there.", "en"),) * 10)
    async with house(Stage()) as server, page(server.url, tmp_path, microphone) as tab:
        await tab.click("[name=mode][value=hold]")
        await tab.click("#talk")
        await tab.until(f"{STATUS} === 'online'")
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


@pytest.mark.parametrize("code", ["en", "es", "fr", "hi", "tl"])
async def test_the_interface_in_each_language_fits_a_phone(
    tmp_path: Path, silence: Path, code: str
) -> None:
    async with (
        house(Stage()) as server,
        page(server.url, tmp_path, silence, size=(390, 844)) as tab,
    ):
        await tab.evaluate(
            f"(() => {{ const e = document.querySelector('#interface'); e.value = '{code}';"
            "e.dispatchEvent(new Event('change')); })()"
        )
        await tab.until(f"document.documentElement.lang === '{code}'")
        await tab.click("#talk")
        await tab.until(f"{STATUS} === 'online'")
        assert await tab.evaluate("document.documentElement.scrollWidth") <= 390
        unnamed = (
            "[...document.querySelectorAll('button, input, select')].filter((e) => "
            "!(e.textContent.trim() || e.ariaLabel || e.labels?.length)).map((e) => e.id)"
        )
        assert await tab.evaluate(unnamed) == []


async def write(tab: Tab, text: str) -> None:
    """Type a message and send it, with the keyboard."""
    await tab.evaluate("document.querySelector('#text').focus()")
    await tab.send("Input.insertText", text=text)
    await tab.send("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", text="\r")
    await tab.send("Input.dispatchKeyEvent", type="keyUp", key="Enter", code="Enter")
