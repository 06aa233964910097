"""Prompts reuse the tokens of what was generated, and only those."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from engines.llm.prompt import Memory, Prompt, Span, common_prefix_length, encode


def by_character(text: str) -> list[int]:
    return [ord(character) for character in text]


def span(start: int, *words: str, first_token: int = 1_000_001) -> Span:
    """Generated text, one token a word, before which each character is one."""
    tokens = tuple(range(first_token, first_token + len(words)))
    borders = tuple((len("".join(words[:n])), n) for n in range(len(words) + 1))
    return Span("".join(words), tokens, borders, start, offset=start)


ANSWER = span(3, "Hel", "lo!")
MEMORY = Prompt("Hi:", by_character("Hi:")).then(ANSWER)


def test_without_a_memory_everything_is_tokenized() -> None:
    assert encode("Hi:", Memory(), by_character).tokens == by_character("Hi:")


def test_the_tokens_of_an_answer_are_used_again() -> None:
    prompt = encode("Hi:Hello!;Bye:", MEMORY, by_character)
    assert prompt.tokens == [*by_character("Hi:"), *ANSWER.tokens, *by_character(";Bye:")]
    assert prompt.spans == (ANSWER,)


def test_of_an_interrupted_answer_only_whole_tokens_are_used_again() -> None:
    prompt = encode("Hi:Hell;Bye:", MEMORY, by_character)
    assert prompt.tokens == [*by_character("Hi:"), 1_000_001, *by_character("l;Bye:")]
    assert prompt.spans == (span(3, "Hel"),)


def test_an_answer_to_another_prompt_is_tokenized_again() -> None:
    assert encode("Ho:Hello!", MEMORY, by_character).tokens == by_character("Ho:Hello!")


def test_answers_of_several_turns_are_remembered() -> None:
    second = encode("Hi:Hello!;Bye:", MEMORY, by_character)
    answer = replace(span(len(second.text), "By", "e.", first_token=2_000_001), offset=10)
    third = encode("Hi:Hello!;Bye:Bye.;", second.then(answer), by_character)
    assert third.spans == (ANSWER, answer)
    assert [token for token in third.tokens if token > 1_000_000] == [
        *ANSWER.tokens,
        *answer.tokens,
    ]


def test_what_stands_before_a_remembered_answer_is_not_tokenized_again() -> None:
    asked: list[str] = []

    def tokenize(text: str) -> list[int]:
        asked.append(text)
        return by_character(text)

    encode("Hi:Hello!;Bye:", MEMORY, tokenize)
    assert asked == [";Bye:"]


pieces = st.text(alphabet="ab:", min_size=1, max_size=4)
turns = st.tuples(st.floats(0, 1), pieces, st.lists(pieces, max_size=3))


@given(st.lists(turns, max_size=8))
def test_tokens_are_those_of_each_text_between_answers_and_of_the_answers(
    talk: list[tuple[float, str, list[str]]],
) -> None:
    """Whatever part of the last prompt and its answer the next one begins with."""
    memory = Memory()
    for part, said, words in talk:
        text = memory.text[: round(part * len(memory.text))] + said
        prompt = encode(text, memory, by_character)
        tokens, cursor = [], 0
        for known in prompt.spans:
            tokens += [*by_character(text[cursor : known.start]), *known.tokens]
            cursor = known.start + len(known.text)
            assert text[known.start : cursor] == known.text
        assert prompt.tokens == [*tokens, *by_character(text[cursor:])]
        memory = prompt.then(span(0, *words))


def test_a_prompt_that_ends_inside_an_answer_keeps_its_beginning() -> None:
    assert encode("Hi:Hel", MEMORY, by_character).tokens == [*by_character("Hi:"), 1_000_001]


@given(st.lists(st.integers(0, 1), max_size=200), st.lists(st.integers(0, 1), max_size=200))
def test_the_common_prefix_is_the_longest(left: list[int], right: list[int]) -> None:
    length = common_prefix_length(left, right)
    assert left[:length] == right[:length]
    assert length == min(len(left), len(right)) or left[length] != right[length]


@given(st.text(max_size=300), st.integers(0, 300))
def test_a_prefix_has_itself_in_common(text: str, cut: int) -> None:
    assert common_prefix_length(text, text[:cut]) == min(cut, len(text))
