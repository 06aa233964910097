"""The ways to an answer in whole turns: what is asked, said, recorded and cut."""

from collections.abc import Callable
from dataclasses import replace

from engines.errors import EngineError
from engines.llm import ChatRequest, Completion, Forget, TextDelta, ToolCall, ToolCallDelta
from engines.translate import Translation, TranslationRequest
from server.commands import CreateItem, CreateResponse
from server.config import ConversationConfig
from server.events import FunctionCalled, ResponseFinished, TurnFinished
from server.items import MessageItem
from server.metrics import Milestone, TurnRecord
from server.settings import FunctionTool, Settings
from tests.fakes import FakeBatcher, Stage
from tests.server.play import Play, Silence, Speech, Step, play
from tests.virtual import virtual_time

WHY = "Bakit po asul ang langit?"
PLAN = (
    "Iplano po ninyo ang tatlong araw na biyahe para sa dalawa na may badyet na limang daang euro, "
    "una ang mga museo at hindi hihigit sa dalawang lugar bawat araw."
)
IN_ENGLISH = "Why is the sky blue?"
TURN: list[Step] = [Speech(2.5), Silence(5.0)]
TOOL = FunctionTool("look_up", "Looks it up.", {"type": "object"})
PATIENT = ConversationConfig(acknowledge_seconds=0.0)
BACK = {
    "Air scatters light.": "Ikinakalat ng hangin ang liwanag.",
    "Blue most of all.": "Ang asul ang pinakamarami.",
}


Said = str | ToolCallDelta | ToolCall


class Model:
    """A stage whose language model answers each kind of request in its own way."""

    def __init__(self, heard: str = WHY) -> None:
        self.stage = Stage(heard=heard, language="tl", token_seconds=0.05)
        self.translations = {WHY: IN_ENGLISH, **BACK}
        self.english: tuple[Said, ...] = ("Air scatters light.", " Blue most of all.")
        self.direct = "Direktang sagot po."
        self.notes_seconds = 0.05
        self.stage.llm.script = self._script

    def _script(self, request: ChatRequest | Forget) -> list[tuple[float, object]]:
        if isinstance(request, Forget) or not request.generate:
            return [(0.0, Completion("ready"))]
        outputs = [
            (0.05, TextDelta(each) if isinstance(each, str) else each)
            for each in self._answer(request)
        ]
        if request.session.endswith("/notes"):
            outputs[0] = (self.notes_seconds, outputs[0][1])
        return [*outputs, (0.0, Completion("stop", 10, 4, len(outputs)))]

    def _answer(self, request: ChatRequest) -> tuple[Said, ...]:
        said = request.messages[-1].content
        kind = request.session.partition("/")[2]
        if kind == "english":
            return self.english
        if kind == "notes":
            return ("Facts: museums. Steps: three days.",)
        if kind in ("en", "tl"):
            source = said.partition(": ")[2]
            return (self.translations.get(source, source),)
        return (self.direct,)


def record(result: Play) -> TurnRecord:
    """Of the only turn."""
    (event,) = result.of(TurnFinished)
    return event.record


def answers(result: Play) -> list[str | None]:
    """What the history holds of the assistant's words."""
    items = result.session.history.items.values()
    return [
        item.text for item in items if isinstance(item, MessageItem) and item.role == "assistant"
    ]


def kinds(stage: Stage) -> list[str]:
    """Which of the conversation's memories each request of the model used."""
    return [request.session.partition("/")[2] for request in stage.prompts]


@virtual_time
async def test_a_simple_question_is_asked_directly() -> None:
    model = Model("Ano po ang kabisera ng Hapon?")
    turn = record(await play(model.stage, TURN))
    assert (turn.tier, turn.complexity, turn.answer) == ("direct", "simple", model.direct)
    assert kinds(model.stage) == [""]
    assert turn.to_wire()["tier_reasons"][0] == "tl: low"


@virtual_time
async def test_a_moderate_one_in_tagalog_goes_by_english_sentence_by_sentence() -> None:
    model = Model()
    turn = record(await play(model.stage, TURN, config=PATIENT))
    assert (turn.tier, turn.translator, turn.question_in_english) == ("pivot", "llm", IN_ENGLISH)
    assert turn.answer == "Ikinakalat ng hangin ang liwanag. Ang asul ang pinakamarami."
    assert turn.fallback == ""
    assert kinds(model.stage) == ["en", "english", "tl", "tl"]
    english = model.stage.prompts[1]
    assert english.messages[-1].content == IN_ENGLISH
    assert "English" in english.messages[0].content
    order = [Milestone.TRANSCRIPT, Milestone.TRANSLATED, Milestone.FIRST_TOKEN]
    order += [Milestone.FIRST_CLAUSE, Milestone.FIRST_AUDIO_SYNTHESIZED]
    times = [turn.times[each] for each in order]
    assert times == sorted(times)


@virtual_time
async def test_speech_begins_before_the_whole_answer_is_translated() -> None:
    model = Model()
    result = await play(model.stage, TURN, config=PATIENT)
    spoken = [job.request.text for job in result.stage.tts.jobs]
    assert len(spoken) == 2
    assert spoken[0].startswith("Ikinakalat")


@virtual_time
async def test_what_the_recognizer_translated_is_not_translated_again() -> None:
    model = Model()
    script = model.stage.stt.script

    def translating(request: object) -> list[tuple[float, object]]:
        ((delay, transcript),) = script(request)
        wanted: Callable[[str, str], bool] | None = request.is_translated  # type: ignore[attr-defined]
        english = IN_ENGLISH if wanted is not None and wanted(WHY, "tl") else None
        return [(delay, replace(transcript, translation=english))]

    model.stage.stt.script = translating
    turn = record(await play(model.stage, TURN, config=PATIENT))
    assert (turn.translator, turn.question_in_english) == ("whisper", IN_ENGLISH)
    assert kinds(model.stage) == ["english", "tl", "tl"]


@virtual_time
async def test_a_translation_model_goes_before_the_language_model() -> None:
    model = Model()

    def translate(request: TranslationRequest) -> list[tuple[float, object]]:
        return [(0.01, Translation(model.translations[request.text]))]

    model.stage.nmt = FakeBatcher("nmt", translate)
    turn = record(await play(model.stage, TURN, config=PATIENT))
    assert (turn.translator, turn.answer) == (
        "nmt",
        "Ikinakalat ng hangin ang liwanag. Ang asul ang pinakamarami.",
    )
    assert kinds(model.stage) == ["english"]


@virtual_time
async def test_a_question_that_loses_a_number_is_asked_directly() -> None:
    heard = "Ipaliwanag po ninyo kung bakit siyam ang planeta."
    model = Model(heard)
    model.translations[heard] = "Why are there ten planets?"
    turn = record(await play(model.stage, TURN, config=PATIENT))
    assert turn.tier == "pivot"
    assert "number 9" in turn.fallback
    assert turn.answer == model.direct
    assert kinds(model.stage) == ["en", ""]


@virtual_time
async def test_an_answer_that_loses_a_name_goes_on_directly_after_what_was_right() -> None:
    model = Model()
    model.english = ("Air scatters light.", " Ask Doctor Rayleigh about it.")
    model.translations["Ask Doctor Rayleigh about it."] = "Itanong po kay Doktor Cruz."
    turn = record(await play(model.stage, TURN, config=PATIENT))
    assert turn.answer == f"Ikinakalat ng hangin ang liwanag. {model.direct}"
    assert "Rayleigh" in turn.fallback


@virtual_time
async def test_a_complex_one_is_thought_about_in_notes_that_nobody_hears() -> None:
    model = Model(PLAN)
    config = replace(PATIENT, notes_tokens=77)
    turn = record(await play(model.stage, [Speech(3.0), Silence(5.0)], config=config))
    assert (turn.tier, turn.complexity, turn.answer) == ("structured", "complex", model.direct)
    notes, answer = model.stage.prompts
    assert (notes.max_tokens, notes.tools) == (77, ())
    assert "Facts: museums." in answer.messages[-1].content
    assert answer.messages[-1].content.startswith(PLAN)
    assert turn.times[Milestone.REASONED] <= turn.times[Milestone.FIRST_TOKEN]


@virtual_time
async def test_a_model_that_cannot_reason_is_not_asked_to() -> None:
    model = Model(PLAN)
    model.stage.reasons = False
    turn = record(await play(model.stage, [Speech(3.0), Silence(5.0)]))
    assert (turn.tier, turn.complexity) == ("direct", "complex")
    assert "the model cannot reason" in turn.tier_reasons


@virtual_time
async def test_patience_is_asked_for_once_the_turn_is_certain_and_it_takes_long() -> None:
    model = Model(PLAN)
    model.notes_seconds = 6.0
    result = await play(model.stage, [Speech(3.0), Silence(9.0)])
    turn = record(result)
    assert turn.answer == f"Sandali lang po… {model.direct}"
    assert turn.milestones_ms["acknowledged"] == 1500.0
    assert turn.times[Milestone.ACKNOWLEDGED] > turn.times[Milestone.TURN_CONFIRMED]
    assert answers(result) == [turn.answer]


@virtual_time
async def test_it_is_never_asked_for_in_the_same_words_twice_in_a_row() -> None:
    model = Model(PLAN)
    model.notes_seconds = 6.0
    steps: list[Step] = [Speech(3.0), Silence(9.0), Speech(3.0), Silence(9.0)]
    result = await play(model.stage, steps)
    first, second = [event.record.answer for event in result.of(TurnFinished)]
    assert first.startswith("Sandali lang po…")
    assert second.startswith("Teka lang po…")


@virtual_time
async def test_a_quick_answer_is_not_announced_and_text_never() -> None:
    quick = record(await play(Model(PLAN).stage, [Speech(3.0), Silence(5.0)]))
    assert "acknowledged" not in quick.milestones_ms
    slow = Model(PLAN)
    slow.notes_seconds = 6.0
    settings = replace(Settings(), output_modality="text")
    text = record(await play(slow.stage, [Speech(3.0), Silence(9.0)], settings=settings))
    assert text.answer == slow.direct


@virtual_time
async def test_who_interrupts_the_word_of_patience_ends_the_work_behind_it() -> None:
    model = Model(PLAN)
    model.notes_seconds = 6.0
    steps: list[Step] = [Speech(3.0), Silence(1.9), Speech(3.0), Silence(1.0)]
    result = await play(model.stage, steps)
    cancelled = [event for event in result.of(ResponseFinished) if event.status == "cancelled"]
    assert len(cancelled) == 1
    turn = next(
        each.record for each in result.of(TurnFinished) if each.record.status == "cancelled"
    )
    assert turn.answer == "Sandali lang po… "
    (heard,) = answers(result)
    assert heard is not None
    assert turn.answer.startswith(heard)
    assert result.stage.open_jobs == []


@virtual_time
async def test_a_draft_that_is_dropped_ends_its_pivot_and_says_nothing() -> None:
    model = Model()
    config = ConversationConfig(acknowledge_seconds=0.1)
    result = await play(model.stage, [Speech(2.5), Silence(0.26), Speech(0.3)], config=config)
    assert result.of(TurnFinished) == []
    assert "acknowledged" not in str(result.stage.tts.jobs)
    assert result.stage.open_jobs == []


@virtual_time
async def test_a_pivot_calls_tools_and_is_not_asked_twice_after_a_call() -> None:
    model = Model()
    call = ToolCall(id="call_1", name="look_up", arguments="{}")
    model.english = ("Air scatters light.", ToolCallDelta("call_1", "look_up", "{}"), call)
    settings = replace(Settings(), tools=(TOOL,))
    result = await play(model.stage, TURN, settings=settings, config=PATIENT)
    assert [event.item.name for event in result.of(FunctionCalled)] == ["look_up"]
    assert [request.tools != () for request in model.stage.prompts] == [False, True, False]
    assert record(result).fallback == ""


@virtual_time
async def test_a_typed_question_goes_its_way_too() -> None:
    model = Model()
    steps: list[Step] = [
        Speech(2.5),
        Silence(7.0),
        CreateItem(MessageItem("item_typed", "user", WHY)),
        CreateResponse(),
        Silence(7.0),
    ]
    result = await play(model.stage, steps, config=PATIENT)
    spoken, typed = [event.record for event in result.of(TurnFinished)]
    assert (spoken.tier, typed.tier) == ("pivot", "pivot")
    assert typed.answer == "Ikinakalat ng hangin ang liwanag. Ang asul ang pinakamarami."


@virtual_time
async def test_a_failure_on_the_way_is_said_and_the_call_goes_on() -> None:
    model = Model(PLAN)
    script = model.stage.llm.script

    def failing(request: ChatRequest | Forget) -> object:
        if isinstance(request, ChatRequest) and request.session.endswith("/notes"):
            return [(0.1, EngineError("no room"))]
        return script(request)

    model.stage.llm.script = failing  # type: ignore[assignment]
    steps: list[Step] = [Speech(3.0), Silence(5.0)]
    turn = record(await play(model.stage, steps))
    assert turn.status == "failed"
    assert turn.answer.startswith("Pasensya na po")


@virtual_time
async def test_all_that_the_model_remembers_of_a_call_is_forgotten_at_its_end() -> None:
    model = Model()
    result = await play(model.stage, TURN, config=PATIENT)
    used = {request.session for request in result.stage.prompts}
    forgotten = {
        job.request.session for job in result.stage.llm.jobs if isinstance(job.request, Forget)
    }
    assert used <= forgotten


HINGLISH = "mera naam kya hai aur clinic kab khulta hai"


@virtual_time
async def test_hindi_in_latin_letters_is_answered_in_them_only_where_the_owner_wants_it() -> None:
    for latin, wanted in ((("hi",), True), ((), False)):
        model = Model(HINGLISH)
        model.stage.language = "hi"
        config = ConversationConfig(latin_answers=latin)
        turn = record(await play(model.stage, TURN, config=config))
        assert (turn.language, turn.answer) == ("hi", model.direct)
        (request,) = model.stage.prompts
        assert ("Latin letters" in request.messages[0].content) is wanted
        assert "Answer in Hindi" in request.messages[0].content
