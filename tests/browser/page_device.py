"""The page on its device: microphones, their rates, a phone's screen in each language."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.browser.chromium import Tab
from tests.browser.house import (
    NOTICE,
    NUM_CAPTIONS,
    STATE,
    STATUS,
    house,
    page,
    write,
)
from tests.fakes import Stage

pytestmark = pytest.mark.timeout(180)


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


@asynccontextmanager
async def in_writing(folder: Path, silence: Path) -> AsyncIterator[Tab]:
    """A conversation in writing whose microphone has to be allowed by `window.prompts`."""
    async with house(Stage()) as server, page(server.url, folder, silence) as tab:
        await write(tab, "Hello")
        await tab.until(f"{NUM_CAPTIONS} === 2 && {STATE} === 'listening_idle'")
        await tab.evaluate(WATCH_MICROPHONES)
        await tab.evaluate(ASK_BEFORE_MICROPHONES)
        yield tab


async def test_a_microphone_is_opened_once_however_often_it_is_asked_for(
    tmp_path: Path, silence: Path
) -> None:
    async with in_writing(tmp_path, silence) as tab:
        await tab.click("#talk")
        await tab.click("#talk")
        assert await tab.evaluate("window.prompts.length") == 1
        await tab.evaluate("window.prompts[0]()")
        await tab.until("document.querySelector('#talk').dataset.look === 'on'")
        await tab.click("#talk")
        await tab.until(f"{STATUS} === 'offline'")
        assert await tab.evaluate("window.microphones.map((track) => track.readyState)") == [
            "ended"
        ]
        assert tab.complaints == []


async def test_a_microphone_that_is_allowed_after_the_call_is_not_opened(
    tmp_path: Path, silence: Path
) -> None:
    async with in_writing(tmp_path, silence) as tab:
        await tab.click("#talk")
        await tab.click("#hang-up")
        await tab.until(f"{STATUS} === 'offline'")
        await tab.evaluate("window.prompts[0]()")
        await tab.until("window.microphones[0]?.readyState === 'ended'")
        await tab.click("#talk")
        await tab.until("window.prompts.length === 2")
        await tab.evaluate("window.prompts[1]()")
        await tab.until(f"{STATUS} === 'online'")
        assert await tab.evaluate("window.microphones.map((track) => track.readyState)") == [
            "ended",
            "live",
        ]
        assert tab.complaints == []


@pytest.mark.parametrize("worklet", ["capture", "playback"])
async def test_a_server_that_is_gone_is_told_and_the_microphone_given_back(
    tmp_path: Path, silence: Path, worklet: str
) -> None:
    async with house(Stage()) as server, page(server.url, tmp_path, silence) as tab:
        await tab.evaluate(WATCH_MICROPHONES)
        await tab.evaluate(f"({LOSE_WORKLET})({worklet!r})")
        await tab.click("#talk")
        await tab.until(f"({NOTICE}).includes('server does not answer')")
        states = await tab.evaluate("window.microphones.map((track) => track.readyState)")
        assert states == ["ended"]
        assert tab.complaints == []


LOSE_WORKLET = """(name) => {
  const original = AudioWorklet.prototype.addModule;
  AudioWorklet.prototype.addModule = function (url) {
    if (url.includes(name)) return Promise.reject(new DOMException('', 'AbortError'));
    return original.call(this, url);
  };
}"""


async def test_a_microphone_that_is_allowed_at_last_is_complained_of_no_more(
    tmp_path: Path, silence: Path
) -> None:
    async with house(Stage()) as server, page(server.url, tmp_path, silence) as tab:
        await write(tab, "Hello")
        await tab.until(f"{NUM_CAPTIONS} === 2 && {STATE} === 'listening_idle'")
        await tab.evaluate(
            "(() => { const media = navigator.mediaDevices, original = media.getUserMedia;"
            "media.getUserMedia = async () => { media.getUserMedia = original;"
            "throw new DOMException('', 'NotAllowedError'); } })()"
        )
        await tab.click("#talk")
        await tab.until(f"({NOTICE}).includes('not allowed to use the microphone')")
        await tab.click("#talk")
        await tab.until("document.querySelector('#talk').dataset.look === 'on'")
        assert await tab.evaluate(NOTICE) == ""


# Microphones are given only when `prompts` are answered, as by a user who is asked.
ASK_BEFORE_MICROPHONES = """(() => {
  window.prompts = [];
  const media = navigator.mediaDevices;
  const original = media.getUserMedia.bind(media);
  media.getUserMedia = async (constraints) => {
    await new Promise((allow) => window.prompts.push(allow));
    return original(constraints);
  };
})()"""
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
