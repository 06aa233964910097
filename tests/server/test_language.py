"""The language of whole conversations: what is believed, decoded again, answered and reported."""

from dataclasses import replace

from engines.batcher import Priority
from engines.stt import SttRequest
from server.config import ConversationConfig
from server.events import Transcribed, TurnFinished
from server.language.belief import LanguageBelief
from server.metrics import TurnRecord
from server.settings import Settings
from tests.fakes import Stage, transcript
from tests.server.play import Play, Silence, Speech, Step, play
from tests.virtual import virtual_time

ENGLISH = "What is the capital of France?"
SPANISH = "Quisiera una cita para el lunes, por favor."
TURN: list[Step] = [Speech(2.0), Silence(4.0)]
SHORT_TURN: list[Step] = [Speech(0.5), Silence(4.0)]


def seconds(request: SttRequest) -> float:
    """Length of the audio, with the silence around the speech."""
    return len(request.samples) / 16_000


def records(result: Play) -> list[TurnRecord]:
    """Of the turns that were answered."""
    return [event.record for event in result.of(TurnFinished)]


def spoken(result: Play) -> list[str]:
    """Languages of the synthesized speech."""
    return [job.request.language for job in result.stage.tts.jobs]


def belief(result: Play) -> LanguageBelief:
    """At the end of the call."""
    return result.session._conversation.belief


def finals(result: Play) -> list[SttRequest]:
    """What was transcribed to be answered."""
    return [job.request for job in result.stage.stt.jobs if job.priority is Priority.ANSWER]


def short_no() -> Stage:
    """A caller of English whose short "no" sounds Spanish."""
    return Stage(
        heard=lambda request: ENGLISH if seconds(request) > 1.5 else "No.",
        language=lambda request: "en" if seconds(request) > 1.5 else "es",
    )


@virtual_time
async def test_a_short_no_that_sounds_spanish_is_answered_in_english() -> None:
    result = await play(short_no(), [*TURN, *SHORT_TURN, *TURN])
    assert [record.language for record in records(result)] == ["en", "en", "en"]
    assert set(spoken(result)) == {"en"}
    no = records(result)[1].to_wire()
    assert (no["language_guess"], no["language_reason"]) == ("es", "short")
    assert max(no["language_probabilities"], key=no["language_probabilities"].get) == "en"
    transcribed = result.of(Transcribed)[1].language_probabilities
    assert max(transcribed, key=lambda code: transcribed[code]) == "en"


@virtual_time
async def test_only_what_was_guessed_otherwise_is_decoded_again() -> None:
    result = await play(short_no(), [*TURN, *SHORT_TURN, *TURN])
    assert [request.language for request in finals(result)] == [None, None, "en", None]
    guess, again = finals(result)[1:3]
    assert (guess.samples == again.samples).all()


@virtual_time
async def test_a_sentence_in_another_language_is_answered_in_it_and_not_decoded_again() -> None:
    stage = Stage()
    stage.heard = lambda request: SPANISH if stage.prompts else ENGLISH
    stage.language = lambda request: "es" if stage.prompts else "en"
    result = await play(stage, [*TURN, *TURN])
    assert [record.language for record in records(result)] == ["en", "es"]
    assert [request.language for request in finals(result)] == [None, None]
    assert records(result)[1].language_guess is None
    assert records(result)[1].language_reason == "heard"


@virtual_time
async def test_who_asks_for_a_language_gets_it_and_keeps_it() -> None:
    stage = Stage(
        heard=lambda request: "Can we speak Spanish?" if seconds(request) > 1.5 else "Okay."
    )
    result = await play(stage, [*TURN, *SHORT_TURN])
    asked, okay = records(result)
    assert (asked.language, asked.language_reason, asked.language_guess) == (
        "es",
        "requested",
        None,
    )
    assert okay.language == "es"
    assert set(spoken(result)) == {"es"}


@virtual_time
async def test_the_client_s_choice_is_not_doubted() -> None:
    settings = replace(Settings(), languages=("fr",))
    result = await play(Stage(heard="Can we speak Spanish?"), TURN, settings=settings)
    (record,) = records(result)
    assert (record.language, record.language_reason) == ("fr", "chosen")
    assert [request.language for request in finals(result)] == ["fr"]
    assert result.of(Transcribed)[0].language_probabilities == {"fr": 1.0}


@virtual_time
async def test_a_transcript_that_makes_no_sense_in_the_believed_language_is_not_taken() -> None:
    stage = short_no()
    script = stage._stt

    def unclear_again(request: SttRequest) -> list[tuple[float, object]]:
        ((delay, result),) = script(request)
        unclear = request.language is not None
        return [
            (delay, replace(result, text="Gno.", mean_token_probability=0.1) if unclear else result)
        ]

    stage.stt.script = unclear_again
    result = await play(stage, [*TURN, *SHORT_TURN])
    no = records(result)[1]
    assert (no.heard, no.language, no.language_guess) == ("No.", "en", "es")


@virtual_time
async def test_a_draft_that_is_thrown_away_has_not_moved_the_belief() -> None:
    stage = Stage(heard=SPANISH, language="es")
    before = LanguageBelief.begin(ConversationConfig().languages, "en").probabilities
    thrown = await play(stage, [Speech(2.0), Silence(0.28), Speech(0.1)])
    assert finals(thrown)  # there was a draft, and it was heard
    assert belief(thrown).probabilities == before
    taken = await play(Stage(heard=SPANISH, language="es"), TURN)
    assert belief(taken).language == "es"


@virtual_time
async def test_a_turn_moves_the_belief_once_however_often_it_was_drafted() -> None:
    once = await play(Stage(heard=SPANISH, language="es"), TURN)
    config = ConversationConfig(adaptive_endpointing=False)
    steps: list[Step] = [Speech(1.0), Silence(0.35), Speech(1.0), Silence(4.0)]
    drafted = await play(Stage(heard=SPANISH, language="es"), steps, config=config)
    assert len(finals(drafted)) == 2
    assert len(records(drafted)) == 1
    assert belief(drafted).settled
    assert belief(drafted).probabilities["es"] <= belief(once).probabilities["es"] + 1e-6


@virtual_time
async def test_unclear_words_do_not_move_it() -> None:
    result = await play(Stage(heard=SPANISH, language="es", confidence=0.2), TURN)
    assert not belief(result).settled
    assert belief(result).language == "en"


@virtual_time
async def test_a_sound_over_an_answer_is_of_the_caller_s_language_unless_the_guess_is_sure() -> (
    None
):
    result = await play(Stage(heard=SPANISH, language="es"), TURN)
    conversation = result.session._conversation
    sure = transcript("oo", "tl", languages=("en", "es", "tl"))
    unsure = replace(sure, language_probabilities={"tl": 0.5, "es": 0.4, "en": 0.1})
    assert conversation.language_of(sure) == "tl"
    assert conversation.language_of(unsure) == "es"


def partials(result: Play) -> list[SttRequest]:
    """What was written down while the caller still spoke."""
    return [job.request for job in result.stage.stt.jobs if job.priority is Priority.PARTIAL]


@virtual_time
async def test_what_is_still_being_said_is_written_in_the_believed_language() -> None:
    result = await play(Stage(heard=SPANISH, language="es"), [*TURN, *TURN])
    written = [request.language for request in partials(result)]
    assert written[0] is None  # nothing is known yet
    assert written[-1] == "es"


@virtual_time
async def test_it_follows_a_recognizer_that_is_sure_of_another_language_for_long() -> None:
    result = await play(Stage(heard=SPANISH, language="es"), TURN)
    conversation = result.session._conversation
    other = replace(transcript("the clinic opens", "en", languages=("en", "es")), audio_seconds=2.0)
    assert conversation.partial_language(None) == "es"
    assert conversation.partial_language(other) == "en"
    assert conversation.partial_language(replace(other, audio_seconds=0.5)) == "es"
