"""The translation engine on models of random weights in the layouts of OPUS-MT and MADLAD-400."""

import asyncio
from pathlib import Path

import pytest

from engines.batcher import Batcher
from engines.config import TranslateConfig, TranslationModelConfig
from engines.errors import ModelError
from engines.translate import (
    NoSuchPair,
    Pair,
    TooLong,
    Translation,
    TranslationEngine,
    TranslationRequest,
)
from tests.tiny_translator import write_madlad, write_opus_mt

TO_ENGLISH, TO_TAGALOG, TO_HINDI = Pair("tl", "en"), Pair("en", "tl"), Pair("en", "hi")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> TranslateConfig:
    """Tagalog to English by OPUS-MT, English to Tagalog and Hindi by MADLAD-400."""
    folder = tmp_path_factory.mktemp("models")
    opus = write_opus_mt(folder / "opus")
    madlad = write_madlad(folder / "madlad", tokens=("<2fil>", "<2hi>"))
    return TranslateConfig(
        (
            TranslationModelConfig(str(opus), "tl", "en"),
            TranslationModelConfig(str(madlad), "en", "tl", "<2fil>"),
            TranslationModelConfig(str(madlad), "en", "hi", "<2hi>"),
        ),
        device="cpu",
    )


async def translate(config: TranslateConfig, *requests: TranslationRequest) -> list[str]:
    """All of them at once."""
    batcher = Batcher[TranslationRequest, Translation]("nmt", TranslationEngine(config))
    async with batcher:
        results = await asyncio.gather(*(batcher.run(request) for request in requests))
    return [result.text for result in results]


async def test_both_layouts_translate_and_end(models: TranslateConfig) -> None:
    requests = [
        TranslationRequest("magandang umaga po.", TO_ENGLISH),
        TranslationRequest("good morning!", TO_TAGALOG),
    ]
    texts = await translate(models, *requests)
    assert all(texts)
    assert not any("</s>" in text or "▁" in text for text in texts)


async def test_what_is_said_depends_on_the_source_and_on_the_target(
    models: TranslateConfig,
) -> None:
    morning, clinic, hindi = await translate(
        models,
        TranslationRequest("good morning!", TO_TAGALOG),
        TranslationRequest("the clinic opens at nine.", TO_TAGALOG),
        TranslationRequest("good morning!", TO_HINDI),
    )
    assert len({morning, clinic, hindi}) == 3


async def test_a_batch_says_what_each_says_alone(models: TranslateConfig) -> None:
    requests = [
        TranslationRequest(text, TO_ENGLISH) for text in ("salamat po.", "bukas po ang klinika.")
    ]
    together = await translate(models, *requests)
    alone = [(await translate(models, request))[0] for request in requests]
    assert together == alone


async def test_a_pair_that_no_model_has_is_refused_and_the_next_is_translated(
    models: TranslateConfig,
) -> None:
    batcher = Batcher[TranslationRequest, Translation]("nmt", TranslationEngine(models))
    async with batcher:
        with pytest.raises(NoSuchPair, match="fr to en"):
            await batcher.run(TranslationRequest("merci", Pair("fr", "en")))
        assert (await batcher.run(TranslationRequest("salamat po.", TO_ENGLISH))).text


async def test_a_text_that_is_too_long_is_refused_and_the_others_are_translated(
    models: TranslateConfig,
) -> None:
    long = TranslationRequest("salamat po. " * 300, TO_ENGLISH)
    short = TranslationRequest("salamat po.", TO_ENGLISH)
    async with Batcher[TranslationRequest, Translation](
        "nmt", TranslationEngine(models)
    ) as batcher:
        results = await asyncio.gather(
            *(batcher.run(request) for request in (short, long, short)), return_exceptions=True
        )
    assert isinstance(results[1], TooLong)
    assert all(isinstance(results[place], Translation) for place in (0, 2))


def test_a_model_of_two_directions_is_loaded_once(models: TranslateConfig) -> None:
    engine = TranslationEngine(models)
    engine.load()
    assert [loaded.name for loaded in engine.loaded] == ["opus", "madlad"]


@pytest.mark.parametrize(
    ("missing", "message"),
    [("model.bin", "cannot be loaded"), ("target.spm", "is missing"), ("config.json", "broken")],
)
def test_a_file_that_lacks_is_named(tmp_path: Path, missing: str, message: str) -> None:
    folder = write_opus_mt(tmp_path / "opus")
    (folder / missing).unlink()
    config = TranslateConfig((TranslationModelConfig(str(folder), "tl", "en"),), device="cpu")
    with pytest.raises(ModelError, match=message) as error:
        TranslationEngine(config).load()
    assert missing in str(error.value)


def test_a_folder_of_no_known_layout_is_refused(tmp_path: Path) -> None:
    config = TranslateConfig((TranslationModelConfig(str(tmp_path), "tl", "en"),), device="cpu")
    with pytest.raises(ModelError, match=r"neither source\.spm .* nor spiece\.model"):
        TranslationEngine(config).load()
