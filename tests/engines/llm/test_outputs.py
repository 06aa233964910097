"""What comes out of the engine: text, stop strings, tool calls."""

from engines.llm import (
    ChatRequest,
    LlmEngine,
    TextDelta,
    Tool,
)
from tests.tiny_llm import (
    SYSTEM,
    Answer,
    LlmBatcher,
    Script,
    ask,
    chat,
    user,
)


async def all_outputs(engine: LlmEngine, request: ChatRequest) -> Answer:
    async with LlmBatcher("llm", engine) as batcher:
        return await ask(batcher, request)


async def test_a_stop_string_over_several_tokens_ends_the_answer(scripted: Script) -> None:
    engine = scripted((b"Say ", b"it.<", b"en", b"d> ne", b"ver"))
    answer = await all_outputs(engine, chat("a", user("Hello."), stop=("<end>", "never")))
    assert answer.text == "Say it."
    assert (answer.completion.reason, answer.completion.generated_tokens) == ("stop", 4)


async def test_what_only_began_like_a_stop_string_is_not_lost(scripted: Script) -> None:
    engine = scripted((b"Say ", b"it.<", b"en"))
    answer = await all_outputs(engine, chat("a", user("Hello."), stop=("<end>",)))
    assert answer.text == "Say it.<en"


async def test_characters_split_over_tokens_arrive_whole(scripted: Script) -> None:
    text = "नमस्ते, आप कैसे हैं?"
    data = text.encode()
    pieces = [data[i : i + 5] for i in range(0, len(data), 5)]
    answer = await all_outputs(scripted(pieces), chat("a", user("नमस्ते")))
    assert answer.text == text
    assert answer.completion.generated_tokens == len(pieces)
    for output in answer.outputs[:-1]:
        assert isinstance(output, TextDelta)
        assert "\N{REPLACEMENT CHARACTER}" not in output.text


async def test_an_answer_cut_inside_a_character_drops_it(scripted: Script) -> None:
    engine = scripted((b"a\xe0", b"\xa4\xa8 b"))
    answer = await all_outputs(engine, chat("a", user("Hello."), max_tokens=1))
    assert answer.text == "a"
    assert answer.completion.reason == "length"


BOOK = Tool("book", "Books an appointment.", {"type": "object", "properties": {}})


async def test_a_tool_call_comes_out_of_the_text(scripted: Script) -> None:
    call = b'<tool_call>{"name": "book", "arguments": {"day": "lunes"}}\n</tool_call>'
    pieces = [b"One mo", b"ment.", *(call[i : i + 7] for i in range(0, len(call), 7)), b"Done."]
    engine = scripted(pieces)
    request = ChatRequest("a", (SYSTEM, user("Book it.")), tools=(BOOK,), max_tokens=40)
    answer = await all_outputs(engine, request)
    assert answer.text == "One moment.Done."
    assert [(call.name, call.arguments) for call in answer.calls] == [("book", '{"day": "lunes"}')]
    assert answer.completion.reason == "tool_calls"


async def test_without_tools_a_tag_is_text(scripted: Script) -> None:
    engine = scripted((b"<tool_call>", b"x"))
    answer = await all_outputs(engine, chat("a", user("Hello.")))
    assert answer.text == "<tool_call>x"
    assert answer.completion.reason == "stop"
