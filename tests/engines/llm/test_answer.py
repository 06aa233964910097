"""From tokens to text and tool calls, however they are cut."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.llm import TextDelta, ToolCall, ToolCallDelta
from engines.llm.answer import AnswerStream, StopStrings, ToolCallParser, parse_tool_call

CALL = '<tool_call>\n{"name": "book", "arguments": {"day": "lunes"}}\n</tool_call>'

Part = str | tuple[str, str]  # text, or a call's name and arguments


def chunks_of(text: str, cuts: list[int]) -> list[str]:
    borders = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    return [text[begin:end] for begin, end in pairwise(borders)]


def parsed(chunks: list[str]) -> list[Part]:
    """What the parser makes of a text, with neighbouring texts joined."""
    parser = ToolCallParser()
    parts: list[Part] = []
    for part in [*(part for chunk in chunks for part in parser.feed(chunk)), *parser.close()]:
        if isinstance(part, ToolCallDelta):
            continue  # see below
        if isinstance(part, ToolCall):
            parts.append((part.name, part.arguments))
        elif parts and isinstance(parts[-1], str):
            parts[-1] += part
        elif part:
            parts.append(part)
    return parts


cuts = st.lists(st.integers(0, 200), max_size=30)
fragments = st.lists(
    st.sampled_from(
        [CALL, "<tool_call>", "</tool_call>", "<tool", "_call>", "{}", "नमस्ते", " ", "<", "x > y"]
    )
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello.", ["Hello."]),
        (CALL, [("book", '{"day": "lunes"}')]),
        (f"One. {CALL}Two.", ["One. ", ("book", '{"day": "lunes"}'), "Two."]),
        (CALL + CALL, [("book", '{"day": "lunes"}')] * 2),
        ("<tool_call>not JSON</tool_call>!", ["<tool_call>not JSON</tool_call>!"]),
        ('<tool_call>{"name": 3}</tool_call>', ['<tool_call>{"name": 3}</tool_call>']),
        ('<tool_call>{"name": "hang_up"}', [("hang_up", "{}")]),
        ("<tool_call>left open", ["<tool_call>left open"]),
        ("a <tool", ["a <tool"]),
        ("a < b", ["a < b"]),
        ("", []),
    ],
)
def test_tool_calls_are_taken_out_of_the_text(text: str, expected: list[Part]) -> None:
    assert parsed([text]) == expected
    assert parsed(list(text)) == expected


@given(fragments, cuts)
def test_the_result_does_not_depend_on_where_the_text_is_cut(
    texts: list[str], borders: list[int]
) -> None:
    text = "".join(texts)
    assert parsed(chunks_of(text, borders)) == parsed([text])


@given(st.text(alphabet="<>/_acelolt{}", max_size=60), cuts)
def test_text_without_a_valid_call_is_passed_on_unchanged(text: str, borders: list[int]) -> None:
    assert "".join(map(str, parsed(chunks_of(text, borders)))) == text


def test_text_is_held_back_only_while_it_may_be_a_tag() -> None:
    parser = ToolCallParser()
    assert "".join(map(str, parser.feed("I say <to"))) == "I say "
    assert "".join(map(str, parser.feed("day>"))) == "<today>"


def written(text: str) -> tuple[list[ToolCallDelta], list[ToolCall]]:
    """What is told of a text that comes character by character: deltas, and calls."""
    parser = ToolCallParser()
    parts = [*(part for character in text for part in parser.feed(character)), *parser.close()]
    assert not "".join(part for part in parts if isinstance(part, str)).strip()
    deltas = [part for part in parts if isinstance(part, ToolCallDelta)]
    return deltas, [part for part in parts if isinstance(part, ToolCall)]


def test_arguments_are_told_while_they_are_written() -> None:
    deltas, (call,) = written(CALL)
    assert [delta.arguments for delta in deltas] == list('{"day": "lunes"}')
    assert {(delta.id, delta.name) for delta in deltas} == {(call.id, "book")}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"name": "f", "arguments": {"a": "}{\\"}"}}', ['{"a": "}{\\"}"}']),
        ('{"name": "f", "arguments": {"a": [{}]}, "more": {}}', ['{"a": [{}]}']),
        ('{"arguments": {"a": 1}, "name": "f"}', ['{"a": 1}']),  # its name comes too late
        ('{"name": "f"}', ["{}"]),
        ('{"name": "f", "arguments": {"a": nonsense}}', ['{"a": nonsense}', None]),
        ('{"name": "f", "arguments": {"a": "left', ['{"a": "left', None]),
    ],
)
def test_what_is_told_of_arguments(body: str, told: list[str | None]) -> None:
    """None: the call never becomes whole."""
    deltas, calls = written(f"<tool_call>{body}")
    assert "".join(delta.arguments for delta in deltas) == told[0]
    assert [call.arguments for call in calls] == ([] if told[-1] is None else told)


names = st.text(min_size=1, max_size=10)
json_objects = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=5)
)


@given(names, json_objects)
def test_every_well_formed_call_is_understood(name: str, arguments: dict[str, object]) -> None:
    call = parse_tool_call(json.dumps({"name": name, "arguments": arguments}))
    assert call is not None
    assert call.name == name
    assert json.loads(call.arguments) == arguments


@given(names, json_objects, st.booleans())
def test_the_told_parts_of_arguments_are_the_call(
    name: str, arguments: dict[str, object], ascii_only: bool
) -> None:
    body = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=ascii_only)
    if "<" in body:
        return  # it may hold a tag
    deltas, (call,) = written(f"<tool_call>{body}</tool_call>")
    assert "".join(delta.arguments for delta in deltas) == call.arguments
    assert json.loads(call.arguments) == arguments
    assert call.name == name


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        '"book"',
        '{"arguments": {}}',
        '{"name": "", "arguments": {}}',
        '{"name": "a", "arguments": "b"}',
        '{"name": "a", "arguments": [1]}',
        '{"name": "a"} x',
        pytest.param("[" * 100_000, id="brackets"),
        pytest.param('{"name": "a", "arguments": {"b": ' + "[" * 100_000, id="arguments"),
    ],
)
def test_a_malformed_call_is_none(body: str) -> None:
    assert parse_tool_call(body) is None


def test_each_call_has_an_id_of_its_own() -> None:
    bodies = ['{"name": "a"}'] * 3
    assert len({call.id for body in bodies if (call := parse_tool_call(body))}) == 3


@given(st.text(alphabet="abc", max_size=40), st.lists(st.text(alphabet="abc", max_size=4)), cuts)
def test_stop_strings_end_the_text_before_the_first_of_them(
    text: str, strings: list[str], borders: list[int]
) -> None:
    stops = StopStrings(strings)
    out = ""
    for chunk in chunks_of(text, borders):
        out += stops.feed(chunk)
        if stops.stopped:
            break
    out += stops.close()
    assert stops.stopped == any(string and string in text for string in strings)
    assert text.startswith(out)
    assert not any(string and string in out for string in strings)
    assert stops.stopped or out == text


def feed_bytes(stream: AnswerStream, data: bytes, size: int) -> str:
    """Feed pieces of `size` bytes, numbered as tokens."""
    outputs = []
    for index in range(0, len(data), size):
        outputs += stream.feed(index, data[index : index + size])
    outputs += stream.close()
    return "".join(output.text for output in outputs if isinstance(output, TextDelta))


@given(st.text(max_size=40), st.integers(1, 7))
def test_text_does_not_depend_on_how_its_bytes_are_cut(text: str, size: int) -> None:
    assert feed_bytes(AnswerStream(), text.encode(), size) == text


@given(st.text(min_size=1, max_size=20), st.integers(1, 5), st.integers(0, 20))
def test_a_span_is_cut_at_whole_tokens_and_characters(text: str, size: int, cut: int) -> None:
    stream = AnswerStream()
    data = text.encode()
    feed_bytes(stream, data, size)
    span = stream.span.first(cut)
    assert len(span.text) <= cut
    assert data[: len(span.tokens) * size].decode() == span.text


def test_a_stop_string_does_not_reach_into_a_call() -> None:
    stream = AnswerStream(stop=("lunes", "end"), tools=True)
    outputs = stream.feed(1, f"en{CALL}d the end".encode()) + stream.close()
    texts = [output.text for output in outputs if isinstance(output, TextDelta)]
    assert texts == ["en", "d the "]
    assert stream.called_tools
    assert stream.stopped
