"""Requests as dataclasses: read, refused and described."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.config import describe, option
from engines.errors import ProtocolError
from server.rest import schema
from server.rest.chat_schema import ChatMessage, CreateChatCompletionRequest
from server.rest.speech import CreateSpeechRequest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@dataclass(frozen=True, slots=True)
class Inner:
    """A part."""

    kind: Literal["a", "b"]


@dataclass(frozen=True, slots=True)
class Outer:
    """A whole."""

    name: str = field(metadata=describe("Its name.", minimum=1, maximum=3))
    size: float = option(1.0, "How large.", minimum=0.5, maximum=2.0)
    count: int | None = option(None, "How many.", minimum=1)
    parts: tuple[Inner, ...] | None = None
    free: Mapping[str, Any] | None = None


def test_a_value_becomes_what_its_annotation_says() -> None:
    value = {"name": "abc", "size": 2, "parts": [{"kind": "a"}], "free": {"x": [1]}}
    assert schema.read(Outer, value) == Outer("abc", 2.0, None, (Inner("a"),), {"x": [1]})


@pytest.mark.parametrize(
    ("value", "param", "words"),
    [
        ([], "body", "an object"),
        ({}, "name", "Missing required parameter: 'name'"),
        ({"name": ""}, "name", "a text, 1 to 3 characters"),
        ({"name": "abcd"}, "name", "a text, 1 to 3 characters"),
        ({"name": 1}, "name", "a text"),
        ({"name": "a", "size": float("nan")}, "size", "a number, 0.5 to 2.0"),
        ({"name": "a", "size": True}, "size", "a number"),
        ({"name": "a", "count": 1.5}, "count", "a whole number or null"),
        ({"name": "a", "parts": [{"kind": "c"}]}, "parts[0].kind", "'a' or 'b'"),
        ({"name": "a", "parts": [3]}, "parts[0]", "an object"),
        ({"name": "a", "other": 1}, "other", "Known here: name, size"),
    ],
)
def test_an_error_names_the_field_and_what_it_takes(value: Any, param: str, words: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        schema.read(Outer, value)
    assert refused.value.param == param
    assert words in str(refused.value)


@pytest.mark.parametrize("kind", [CreateChatCompletionRequest, CreateSpeechRequest, ChatMessage])
@settings(max_examples=30, deadline=None)
@given(value=JSON)
def test_any_json_is_read_or_refused(kind: type, value: object) -> None:
    assert isinstance(read_or_refusal(kind, value), kind | ProtocolError)


KNOWN = ("messages", "stop", "tools", "temperature", "stream_options", "n")


@settings(max_examples=30, deadline=None)
@given(value=st.fixed_dictionaries({}, optional=dict.fromkeys(KNOWN, JSON)))
def test_any_value_of_a_known_field_is_read_or_refused(value: object) -> None:
    kind = CreateChatCompletionRequest
    assert isinstance(read_or_refusal(kind, value), kind | ProtocolError)


def read_or_refusal(kind: type, value: object) -> object:
    """What comes of it; anything but these two is a defect."""
    try:
        return schema.read(kind, value)
    except ProtocolError as refusal:
        return refusal


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("size", "1.5", 1.5),
        ("count", "2", 2),
        ("count", "2.5", "2.5"),
        ("size", "much", "much"),
        ("name", "7", "7"),
        ("unknown", "7", "7"),
    ],
)
def test_a_form_has_only_text(name: str, text: str, value: object) -> None:
    assert schema.from_text(Outer, name, text) == value


def test_what_is_none_by_default_is_left_out_of_an_answer() -> None:
    assert schema.to_json(Outer("a", parts=(Inner("b"),))) == {
        "name": "a",
        "size": 1.0,
        "parts": [{"kind": "b"}],
    }


def test_the_schema_says_what_is_read() -> None:
    components: dict[str, Any] = {}
    assert schema.schema_of(Outer, components) == {"$ref": "#/components/schemas/Outer"}
    described = components["Outer"]["properties"]
    assert components["Outer"]["required"] == ["name"]
    assert described["name"] == {
        "type": "string",
        "minLength": 1,
        "maxLength": 3,
        "description": "Its name.",
    }
    assert described["size"]["minimum"] == 0.5
    assert described["size"]["default"] == 1.0
    assert described["count"]["anyOf"] == [{"type": "integer", "minimum": 1}, {"type": "null"}]
    assert described["parts"]["anyOf"][0]["items"] == {"$ref": "#/components/schemas/Inner"}
    assert components["Inner"]["properties"]["kind"] == {"type": "string", "enum": ["a", "b"]}
    json.dumps(components)
