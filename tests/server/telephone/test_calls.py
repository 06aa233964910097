"""Whole calls over both doors, from simulated telephones, on scripted engines in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from evaluation.telephone import audiosocket_phone, twilio_phone
from evaluation.telephone.line import Network
from evaluation.telephone.phone import Phone
from server.config import ConversationConfig
from server.language.languages import Phrase, phrase
from tests.fakes import Stage
from tests.server.telephone.doors import LONG_ANSWER, TOKEN, Doors, open_doors, sound
from tests.virtual import virtual_time

DOORS = ("twilio", "audiosocket")
QUICK = ConversationConfig(idle_seconds=0.4)


@asynccontextmanager
async def dialled(doors: Doors, door: str, **network: float) -> AsyncIterator[Phone]:
    uplink, downlink = Network(**network), Network(**network, seed=1)  # type: ignore[arg-type]
    if door == "twilio":
        async with twilio_phone.dial(doors.url, TOKEN, uplink=uplink, downlink=downlink) as phone:
            yield phone
    else:
        async with audiosocket_phone.dial(
            "127.0.0.1", doors.port, uplink=uplink, downlink=downlink
        ) as phone:
            yield phone


@pytest.mark.parametrize("door", DOORS)
@virtual_time
async def test_a_turn_and_one_over_its_answer(door: str) -> None:
    """On a line with delay, jitter and loss, as a caller of a real one has it."""
    stage = Stage(answer=LONG_ANSWER, heard="What is the capital of France?")
    line = {"delay_seconds": 0.03, "jitter_seconds": 0.02, "loss": 0.02}
    async with open_doors(stage) as doors, dialled(doors, door, **line) as phone:
        first = phone.speak(sound(0.8))
        await phone.rest_until(first.end_seconds)
        assert await phone.wait_for(lambda: phone.sound_until(first.end_seconds) is not None, 10.0)
        await phone.rest_until(phone.now_seconds + 0.5)
        stage.answer = ("Yes.",)
        second = phone.speak(sound(0.9))
        await phone.rest_until(second.end_seconds)
        until = phone.sound_until(second.start_seconds)
        assert until is not None
        assert until < second.end_seconds, "the answer went on over the caller's words"
        await phone.hear_out(second.end_seconds, 10.0, calm=0.4)
    assert [len(prompt.messages) for prompt in stage.prompts] == [2, 4]
    told = stage.prompts[-1].messages[2].content
    assert told.startswith("One two")
    assert told.endswith("…")
    assert len(told) < len(LONG_ANSWER[0])
    if isinstance(phone, twilio_phone.TwilioPhone):
        assert phone.num_clears


@pytest.mark.parametrize("before_seconds", [0.5, 0.4, 0.3, 0.25, 0.2])
@pytest.mark.parametrize("door", DOORS)
def test_an_answer_is_heard_to_its_end_whatever_is_hummed_over_it(
    door: str, before_seconds: float
) -> None:
    """However short before its end that is: held or not, with words to come or all sent."""

    @virtual_time
    async def test() -> None:
        stage = Stage(answer=("The capital is Paris.",))
        answer_seconds = stage.speech_seconds_per_character * len(stage.answer[0])
        async with open_doors(stage) as doors, dialled(doors, door) as phone:
            first = phone.speak(sound(0.8))
            assert await phone.wait_for(
                lambda: phone.sound_until(first.end_seconds) is not None, 10.0
            )
            await phone.rest_until(phone.now_seconds + answer_seconds - before_seconds)
            stage.heard = "mm-hmm"
            phone.speak(sound(0.3))
            await phone.rest_until(phone.now_seconds + 4.0)
            assert voiced_seconds(phone) == pytest.approx(answer_seconds, abs=0.05)
        assert len(stage.prompts) == 1

    test()


@pytest.mark.parametrize("door", DOORS)
@virtual_time
async def test_who_says_nothing_is_asked_and_then_left(door: str) -> None:
    """The last words are heard to their end, and then the line is closed.

    They are in the language of the caller's number, where the door knows that.
    """
    language = "es" if door == "twilio" else "en"
    stage = Stage(speech_seconds_per_character=0.01)
    async with open_doors(stage, conversation=QUICK) as doors, dialled(doors, door) as phone:
        await phone.wait_for(lambda: phone.is_over, 15.0)
        words = phrase(Phrase.STILL_THERE, language) + phrase(Phrase.GOODBYE, language)
        assert voiced_seconds(phone) == pytest.approx(0.01 * len(words), abs=0.05)
        if isinstance(phone, audiosocket_phone.AudioSocketPhone):
            assert phone.is_terminated
        else:
            assert phone.playback.end_seconds <= phone.now_seconds, "cut off before it was heard"
    assert not stage.open_jobs


@pytest.mark.parametrize("door", DOORS)
@virtual_time
async def test_keys_are_a_turn(door: str) -> None:
    async with open_doors(key_pause_seconds=0.5) as doors, dialled(doors, door) as phone:
        for digit in "417":
            phone.press(digit)
        await phone.rest_until(0.2)
        await phone.hear_out(0.0, 10.0, calm=0.3)
        prompt = doors.stage.prompts[-1]
    assert prompt.messages[-1].content == "417"


@pytest.mark.parametrize("door", DOORS)
@virtual_time
async def test_the_key_for_a_person_leaves_the_caller_to_one(door: str) -> None:
    async with open_doors(person_number="+34911234567", key_pause_seconds=0.5) as doors:
        async with dialled(doors, door) as phone:
            phone.press("0")
            await phone.wait_for(lambda: phone.is_over, 5.0)
            assert phone.is_over
        assert await after(doors, phone) == "person"
        assert await after(doors, phone) == "over", "told once"
    assert not doors.stage.prompts


async def after(doors: Doors, phone: Phone) -> str:
    """What the dialplan, or Twilio, is told about the caller."""
    if isinstance(phone, twilio_phone.TwilioPhone):
        verb = (await twilio_phone.ask_after(doors.url, TOKEN, phone.call_sid))[0]
        return "person" if (verb.tag, verb.text) == ("Dial", "+34911234567") else "over"
    assert isinstance(phone, audiosocket_phone.AudioSocketPhone)
    return await audiosocket_phone.ask_after(doors.url, phone.call)


@pytest.mark.parametrize("door", DOORS)
@virtual_time
async def test_a_caller_who_vanishes_leaves_nothing_behind(door: str) -> None:
    stage = Stage(answer=LONG_ANSWER)
    async with open_doors(stage) as doors:
        async with dialled(doors, door) as phone:
            spoken = phone.speak(sound(0.5))
            await phone.rest_until(spoken.end_seconds + 0.8)
        await phone_gone(doors)
    assert not stage.open_jobs


def voiced_seconds(phone: Phone) -> float:
    """How much of what was heard was no silence."""
    return float(np.mean(phone.playback.to_samples() != 0) * phone.playback.end_seconds)


async def phone_gone(doors: Doors) -> None:
    async with asyncio.timeout(5):
        while doors.server.counters.sessions:  # noqa: ASYNC110 (nothing of the server's tells of it)
            await asyncio.sleep(0.01)
