"""Dialogues as the text and tokens of the starter LLM's chat template."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from scripts.gguf_file import END, START
from scripts.train_starter.domain import Dialogue
from scripts.train_starter.language_model.tokenizer import token_id

TEMPLATE_PATH = Path(__file__).parent / "chat_template.jinja"


@dataclass(frozen=True, slots=True)
class Example:
    """One dialogue in tokens; `targets[i]` says whether token `ids[i]` is to be predicted."""

    ids: list[int]
    targets: list[bool]


@functools.cache
def _template() -> jinja2.Template:
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(TEMPLATE_PATH.read_text(encoding="utf-8"))


def render(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] = (),
    *,
    add_generation_prompt: bool = False,
) -> str:
    """The prompt that llama.cpp is given for `messages` and `tools`."""
    return _template().render(
        messages=messages, tools=list(tools) or None, add_generation_prompt=add_generation_prompt
    )


def encode(tokenizer: Tokenizer, dialogue: Dialogue) -> Example:
    """Tokens of a dialogue; targets are the answers to be learnt, with their end marks."""
    ids = tokenizer.encode(render(dialogue.messages, dialogue.tools)).ids
    targets = [False] * len(ids)
    opening = tokenizer.encode(f"{START}assistant\n").ids
    closing = token_id(tokenizer, END)
    learnt = iter(dialogue.learnt)
    at = 0
    while at < len(ids):
        if ids[at : at + len(opening)] == opening:
            at += len(opening)
            end = ids.index(closing, at) + 1
            targets[at:end] = [next(learnt)] * (end - at)
            at = end
        else:
            at += 1
    return Example(ids, targets)
