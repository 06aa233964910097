"""The starter LLM's chat template, as stock renderers see it."""

import json
from typing import Any

import jinja2
import pytest
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from scripts.train_starter.domain.prompts import STANDARD_TOOL
from scripts.train_starter.language_model.chat import TEMPLATE_PATH, render

TOOLS = [STANDARD_TOOL.definition()]
ARGUMENTS = {"day": "Monday", "hour": 9, "service": "children's doctor"}


def booking_messages(arguments: Any) -> list[dict[str, Any]]:
    function = {"name": "book_appointment", "arguments": arguments}
    call = {"id": "call_1", "type": "function", "function": function}
    return [
        {"role": "system", "content": "Answer in English."},
        {"role": "user", "content": "Book the dentist for Monday at nine."},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": '{"ok": true}'},
    ]


def test_messages_are_chatml() -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello!"}]
    assert render(messages, add_generation_prompt=True) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nHello!<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_without_system_message_and_tools_there_is_no_system_part() -> None:
    assert render([{"role": "user", "content": "Hi"}]) == "<|im_start|>user\nHi<|im_end|>\n"


def test_tools_calls_and_results_are_written_in_the_hermes_form() -> None:
    text = render(booking_messages(json.dumps(ARGUMENTS)), TOOLS)
    assert (
        '<tools>\n{"name": "book_appointment", "parameters": '
        '{"day": "string", "hour": "integer", "service": "string"}}\n</tools><|im_end|>' in text
    )
    assert (
        '<|im_start|>assistant\n<tool_call>\n{"name": "book_appointment", "arguments": '
        """{"day": "Monday", "hour": 9, "service": "children's doctor"}}\n</tool_call><|im_end|>"""
        in text
    )
    assert '<|im_start|>user\n<tool_response>\n{"ok": true}\n</tool_response><|im_end|>\n' in text


def test_arguments_may_be_a_string_or_a_mapping() -> None:
    as_text = render(booking_messages(json.dumps(ARGUMENTS)), TOOLS)
    assert render(booking_messages(ARGUMENTS), TOOLS) == as_text


def test_a_tool_without_parameters_is_rendered() -> None:
    tool = {"type": "function", "function": {"name": "end_call"}}
    text = render([{"role": "user", "content": "Bye"}], [tool])
    assert '{"name": "end_call", "parameters": {}}' in text


def test_the_stock_formatter_of_llama_cpp_python_renders_the_same() -> None:
    messages = booking_messages(json.dumps(ARGUMENTS))
    formatter = Jinja2ChatFormatter(
        template=TEMPLATE_PATH.read_text(encoding="utf-8"), eos_token="", bos_token=""
    )
    prompt = formatter(messages=messages, tools=TOOLS).prompt  # type: ignore[arg-type]
    assert prompt == render(messages, TOOLS, add_generation_prompt=True)


@pytest.mark.parametrize("trim", [False, True])
def test_the_renderers_whitespace_options_change_nothing(trim: bool) -> None:
    environment = jinja2.Environment(trim_blocks=trim, lstrip_blocks=trim, autoescape=False)
    template = environment.from_string(TEMPLATE_PATH.read_text(encoding="utf-8"))
    messages = booking_messages(json.dumps(ARGUMENTS))
    text = template.render(messages=messages, tools=TOOLS, add_generation_prompt=False)
    assert text == render(messages, TOOLS)
