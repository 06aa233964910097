"""FLEURS from a hub into the plain layout."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from evaluation.data.audio import wav_bytes
from evaluation.data.layout import read_dataset
from scripts.models.datasets import fetch_dataset
from scripts.models.hub import Hub
from scripts.models.manifest import Source
from tests.scripts.models.conftest import REVISION
from tests.scripts.models.hub_double import Cut, HubDouble

SOURCE = Source(
    name="fleurs",
    about="",
    languages=("hi", "tl"),
    licence="CC-BY-4.0",
    commercial=True,
    repository="google/fleurs",
    revision=REVISION,
    configurations=("hi_in", "fil_ph"),
)


def publish(double: HubDouble, configuration: str, sentences: dict[str, str]) -> str:
    """A test set of tones; returns the address of its archive."""
    rows = [f"1\t{name}\t{text}\t{text}\t\t16000\tFEMALE" for name, text in sentences.items()]
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name in sentences:
            tone = np.sin(np.arange(16_000) / 10)
            data = wav_bytes((tone * 10_000).astype(np.int16))
            member = tarfile.TarInfo(f"test/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    base, place = f"data/{configuration}", ("datasets/google/fleurs", REVISION)
    double.put(*place, f"{base}/test.tsv", "\n".join(rows).encode() + b"\n")
    return double.put(*place, f"{base}/audio/test.tar.gz", archive.getvalue(), stored=True)


@pytest.mark.timeout(20)
def test_fleurs_comes_into_the_plain_layout_and_comes_once(
    double: HubDouble, hub: Hub, tmp_path: Path
) -> None:
    archive = publish(double, "hi_in", {"a.wav": "नमस्ते", "b.wav": "शुभ रात्रि"})
    publish(double, "fil_ph", {"c.wav": "Magandang umaga"})
    double.faults[archive] = [Cut(500)]
    folder = fetch_dataset(SOURCE, hub, into=tmp_path)
    dataset, problems = read_dataset(folder)
    assert problems == []
    assert {clip.id: (clip.language, clip.text) for clip in dataset.clips} == {
        "hi-a": ("hi", "नमस्ते"),
        "hi-b": ("hi", "शुभ रात्रि"),
        "tl-c": ("tl", "Magandang umaga"),
    }
    assert len(dataset.samples(dataset.clips[0])) == 16_000
    assert not list(tmp_path.rglob("*.tar.gz"))  # only the layout is kept
    asked = len(double.requests)
    fetch_dataset(SOURCE, hub, into=tmp_path)
    assert len(double.requests) == asked


def test_some_of_it_alone(double: HubDouble, hub: Hub, tmp_path: Path) -> None:
    publish(double, "fil_ph", {"c.wav": "Magandang umaga"})
    folder = fetch_dataset(SOURCE, hub, into=tmp_path, only=["fil_ph"])
    assert [clip.language for clip in read_dataset(folder)[0].clips] == ["tl"]
