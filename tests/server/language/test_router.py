"""By which way a question is answered."""

from pathlib import Path

import pytest

from engines.errors import ConfigError
from evaluation.demo import scripts
from evaluation.languages.queries import labelled
from server.config import LANGUAGES, parse
from server.language.router import (
    Complexity,
    Tier,
    complexity_of,
    features,
    read_table,
    route,
)

WHY = "Bakit po asul ang langit?"
PLAN = (
    "Iplano po ninyo ang tatlong araw na biyahe para sa dalawa na may badyet na limang daang euro, "
    "una ang mga museo at hindi hihigit sa dalawang lugar bawat araw."
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_person_agrees_with_nine_of_ten_decisions(language: str) -> None:
    own = [query for query in labelled() if query.language == language]
    hits = sum(complexity_of(each.text, language)[0] is each.complexity for each in own)
    assert len(own) >= 60
    assert hits / len(own) >= 0.9


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_demo_s_questions_go_the_direct_way(language: str) -> None:
    for said in scripts()[language].says:
        assert route(said, language, read_table()).tier is Tier.DIRECT, said


@pytest.mark.parametrize(
    ("language", "tiers"),
    [
        ("tl", ["direct", "pivot", "structured"]),
        ("hi", ["direct", "direct", "structured"]),
        ("en", ["direct", "direct", "direct"]),
        ("es", ["direct", "direct", "direct"]),
        ("fr", ["direct", "direct", "direct"]),
    ],
)
def test_the_table_as_it_is(language: str, tiers: list[str]) -> None:
    table = read_table()
    assert [table.tier(language, each).value for each in Complexity] == tiers
    assert table.is_direct(language) == (set(tiers) == {"direct"})


def test_decisions_tell_their_reasons() -> None:
    decision = route(WHY, "tl", read_table())
    assert (decision.tier, decision.complexity) == (Tier.PIVOT, Complexity.MODERATE)
    assert decision.reasons[0] == "tl: low"
    assert any("why" in reason for reason in decision.reasons)
    assert route(PLAN, "tl", read_table()).tier is Tier.STRUCTURED


def test_features_are_the_same_in_every_language() -> None:
    assert "why" in features("Why is the sky blue?", "en")
    assert "why" in features("आसमान नीला क्यों है?", "hi")
    assert "numbers 2" in features("Bakit siyam at hindi sampu?", "tl")
    assert "numbers 0" in features("", "en")


def test_one_line_changes_a_language() -> None:
    table = read_table("", ("tl=high",))
    assert route(WHY, "tl", table).tier is Tier.DIRECT
    assert parse(["--conversation.language_classes", "tl=high"], {}).conversation.language_classes


def test_a_file_needs_only_what_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "routing.toml"
    path.write_text(
        '[languages]\nes = "mine"\n'
        '[classes]\nmine = { simple = "pivot", moderate = "pivot", complex = "pivot" }\n'
    )
    table = read_table(str(path))
    assert route("Hola.", "es", table).tier is Tier.PIVOT
    assert route(WHY, "tl", table).tier is Tier.PIVOT
    assert route("Hello.", "en", table).tier is Tier.DIRECT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[languages]\ntl = "poor"\n', "class 'poor' of tl is not known"),
        ('[classes]\nlow = { simple = "direct" }\n', "needs simple, moderate and complex"),
        ("[languages\n", r"^conversation\.routing_table: .* cannot be read"),
    ],
)
def test_a_wrong_table_is_refused_at_the_start(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        parse(["--conversation.routing_table", str(path)], {})


def test_a_class_without_a_language_is_refused() -> None:
    with pytest.raises(ConfigError, match=r'^conversation\.language_classes: .*Write "tl=high"'):
        parse(["--conversation.language_classes", "high"], {})
