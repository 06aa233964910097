"""What the client chooses for its caller, in whole conversations."""

from engines.batcher import Priority
from server.commands import CreateResponse, UpdateSettings
from server.events import TurnFinished
from server.settings import Settings
from tests.fakes import Stage
from tests.server.play import Silence, Speech, Step, play
from tests.virtual import virtual_time

TURN: list[Step] = [Speech(2.0), Silence(4.0)]
SPANISH = "Quisiera una cita para el lunes, por favor."
REQUEST = "Can we speak Spanish please?"


def choose(*languages: str) -> UpdateSettings:
    return UpdateSettings(Settings(languages=languages))


@virtual_time
async def test_a_language_outside_the_set_is_not_listened_for_nor_answered_in() -> None:
    stage = Stage(heard=lambda request: SPANISH, language=lambda request: "es")
    result = await play(stage, [choose("en", "tl"), *TURN])
    assert {event.record.language for event in result.of(TurnFinished)} <= {"en", "tl"}
    assert {job.request.language for job in stage.tts.jobs} <= {"en", "tl"}
    finals = [job.request for job in stage.stt.jobs if job.priority is Priority.ANSWER]
    assert {request.languages for request in finals} == {("en", "tl")}


@virtual_time
async def test_a_caller_cannot_ask_for_a_language_outside_the_set() -> None:
    stage = Stage(heard=lambda request: REQUEST, language=lambda request: "en")
    open_call = await play(stage, TURN)
    assert open_call.of(TurnFinished)[0].record.language == "es"
    bound = await play(stage, [choose("en", "tl"), *TURN])
    assert bound.of(TurnFinished)[0].record.language == "en"


@virtual_time
async def test_what_is_typed_is_answered_in_the_language_that_was_chosen() -> None:
    result = await play(Stage(), [choose("hi"), CreateResponse(), Silence(4.0)])
    assert [event.record.language for event in result.of(TurnFinished)] == ["hi"]


@virtual_time
async def test_all_languages_come_back_when_the_choice_is_taken_back() -> None:
    stage = Stage(heard=lambda request: SPANISH, language=lambda request: "es")
    result = await play(stage, [choose("tl"), *TURN, choose(), *TURN])
    assert [event.record.language for event in result.of(TurnFinished)] == ["tl", "es"]


@virtual_time
async def test_voice_and_speed_reach_the_voice() -> None:
    stage = Stage()
    settings = Settings(voice="espeak", speed=1.25)
    await play(stage, TURN, settings=settings)
    asked = {(job.request.voice, job.request.speed) for job in stage.tts.jobs}
    assert asked == {("espeak", 1.25)}
