"""The manifest that is shipped, and what is said of one that is wrong."""

import re
from pathlib import Path

import pytest

from scripts.models.errors import ModelsError
from scripts.models.listing import table
from scripts.models.manifest import REPOSITORY, load
from scripts.models.store import Store
from server.config import LANGUAGES

GOOD = """
[models.one]
kind = "llm"
about = "a model"
languages = ["en"]
licence = "MIT"
commercial = true
repository = "maker/one"
revision = "0123456789abcdef0123456789abcdef01234567"
files = [{ path = "one.gguf" }]
"""


def test_every_tier_hears_thinks_and_speaks() -> None:
    manifest = load()
    assert list(manifest.tiers) == ["cpu", "8gb", "12gb", "24gb"]
    for tier in manifest.tiers.values():
        models = [manifest.model(name) for name in tier.models]
        assert [model.kind for model in models].count("stt") == 1
        assert [model.kind for model in models].count("llm") == 1
        voices = [model.languages[0] for model in models if model.kind == "tts"]
        assert voices == ["en", "es", "fr", "hi"]  # eSpeak NG speaks Tagalog
        assert [model.kind for model in models].count("turn") == 1
        assert len(models) == 2 + len(voices) + 1


def test_the_languages_are_the_servers() -> None:
    manifest = load()
    languages = [model.languages for model in manifest.models.values()]
    languages += [source.languages for source in manifest.datasets.values()]
    assert {language for some in languages for language in some} == set(LANGUAGES)


def test_the_guide_says_what_a_tier_takes(tmp_path: Path) -> None:
    guide = (REPOSITORY / "docs" / "install.md").read_text(encoding="utf-8")
    shown = "\n".join(table(load(), Store(tmp_path)))
    told = dict(re.findall(r"^\| `(\w+)` \|.*\| ([\d.]+ GB) \|$", guide, re.MULTILINE))
    listed = re.findall(r"^  (\w+): [^;]*;.*?([\d.]+ GB): ", shown, re.MULTILINE)
    assert told == dict(listed)
    assert list(told) == list(load().tiers)


def test_a_licence_that_forbids_commerce_is_marked() -> None:
    for model in load().models.values():
        assert model.commercial == ("-NC" not in model.licence)


def test_the_list_names_everything(tmp_path: Path) -> None:
    manifest = load()
    shown = "\n".join(table(manifest, Store(tmp_path)))
    for name in (*manifest.models, *manifest.tiers, *manifest.datasets):
        assert name in shown
    for model in manifest.models.values():
        assert model.licence in shown


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"llm"', '"lmm"', r"\[models.one\]: kind is none of"),
        ('"0123456789abcdef0123456789abcdef01234567"', '"main"', "no commit"),
        ('{ path = "one.gguf" }', "", "no files"),
        ('"one.gguf"', '"../one.gguf"', "leaves it"),
        ('"one.gguf"', '"a/x" }, { path = "b/x"', "two files have one name"),
        ('"one.gguf"', '"x", sha256 = "12"', "bad sha256"),
        ('licence = "MIT"', "", "it takes about"),
        ("[models.one]", "[models.one", "cannot be read"),
        ("files", '[tiers.big]\nabout = ""\nmodels = ["two"]\n[models.one2]\nfiles', "models.one"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text(GOOD)
    assert list(load(path).models) == ["one"]
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ModelsError, match=message):
        load(path)


def test_a_tier_of_models_that_are_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text(GOOD + '[tiers.big]\nabout = "big"\nmodels = ["two"]\n')
    with pytest.raises(ModelsError, match=r"\[tiers.big\]: there is no model 'two'"):
        load(path)
