"""The plain layout of a set of recordings: a folder that any tool can read.

    NAME/manifest.jsonl   an object a line: id, audio, text, language, speaker, seconds, sha256,
                          licence; sets made here add word_ends_seconds
    NAME/audio/ID.wav     16 kHz, mono, 16 bit

`audio` is relative to the folder, `sha256` is that of the WAV file, `text` is as people write it,
`language` one of en, es, fr, hi, tl; both are empty for a recording in which nobody speaks.
A set that was cut off while it was written is taken up again: what is in the manifest is whole.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evaluation.data.audio import RATE_HZ, Samples, decode, read_wav, wav_bytes
from evaluation.data.rows import Problem, Row, RowError, jsonl_rows, parse, split, text_of
from server.audio import int16_from_samples

MANIFEST = "manifest.jsonl"
LANGUAGES = ("en", "es", "fr", "hi", "tl")
DATASETS = Path(__file__).resolve().parent.parent.parent / "datasets"  # where downloads lie


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording of a set, as its manifest has it."""

    id: str  # unique in the set; letters, digits, "-", "_" and "."
    audio: str  # relative to the set's folder
    text: str
    language: str
    speaker: str
    seconds: float
    sha256: str  # of the WAV file
    licence: str
    word_ends_seconds: tuple[float, ...] = ()  # of the words between white space, where known


@dataclass(frozen=True, slots=True)
class Dataset:
    """A set of recordings that was read."""

    folder: Path
    clips: tuple[Clip, ...]

    @property
    def name(self) -> str:
        """Of the folder."""
        return self.folder.name

    def samples(self, clip: Clip) -> Samples:
        """float32[n] at 16 kHz. Raises `RowError` if the file is not the one of the manifest."""
        path = self.folder / clip.audio
        if not path.is_file():
            raise RowError(f"{path} is missing: fetch the set again")
        if hashlib.sha256(path.read_bytes()).hexdigest() != clip.sha256:
            raise RowError(f"{path} is not the file of the manifest (SHA-256): fetch the set again")
        return read_wav(path)


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording on its way into a set, from wherever it comes."""

    id: str
    text: str
    language: str
    speaker: str
    licence: str
    audio: Callable[[], bytes | Samples]  # a file of any format, or float32[n] at 16 kHz
    file: Path  # where it is told of, for what is wrong with it
    line: int
    word_ends_seconds: tuple[float, ...] = ()


class Writer:
    """Adds recordings to a set, one by one; those that it has already are passed over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "audio").mkdir(parents=True, exist_ok=True)
        self._manifest = folder / MANIFEST
        self._manifest.touch()
        _drop_half_a_line(self._manifest)
        self._ids = {clip.id for clip in read_dataset(folder)[0].clips}

    def has(self, clip_id: str) -> bool:
        """Whether the set has a recording of this id."""
        return clip_id in self._ids

    def add(self, recording: Recording) -> None:
        """Write the WAV, then its line. Raises `RowError` for audio that is none."""
        if self.has(recording.id):
            return
        clip_id = _checked_id(recording.id)
        audio = recording.audio()
        samples = decode(audio) if isinstance(audio, bytes) else audio
        data = wav_bytes(int16_from_samples(samples))
        relative = f"audio/{clip_id}.wav"
        (self.folder / relative).write_bytes(data)
        clip = Clip(
            id=clip_id,
            audio=relative,
            text=recording.text,
            language=recording.language,
            speaker=recording.speaker,
            seconds=round(len(samples) / RATE_HZ, 3),
            sha256=hashlib.sha256(data).hexdigest(),
            licence=recording.licence,
            word_ends_seconds=recording.word_ends_seconds,
        )
        with self._manifest.open("a", encoding="utf-8") as file:
            file.write(json.dumps(_without_empty(clip), ensure_ascii=False) + "\n")
        self._ids.add(clip_id)


def write_dataset(
    folder: Path, recordings: Iterable[Recording | Problem]
) -> Iterator[Recording | Problem]:
    """Add recordings one by one; yields each that the set has now, and what could not be added."""
    writer = Writer(folder)
    for item in recordings:
        if isinstance(item, Problem):
            yield item
            continue
        try:
            writer.add(item)
        except RowError as error:
            yield Problem(item.file, item.line, str(error))
        else:
            yield item


def read_dataset(folder: Path) -> tuple[Dataset, list[Problem]]:
    """The set in a folder, and what is wrong with lines of its manifest. Raises `DataError`."""
    manifest = folder / MANIFEST
    clips, problems = split(parse(manifest, jsonl_rows(manifest), _clip))
    return Dataset(folder, tuple(clips)), problems


def _clip(row: Row, _line: int) -> Clip:
    language = row.get("language", "")
    if language not in (*LANGUAGES, ""):
        raise RowError(f"language {language!r} is none of {', '.join(LANGUAGES)}")
    return Clip(
        id=text_of(row, "id"),
        audio=text_of(row, "audio"),
        text=text_of(row, "text") if language else "",
        language=language,
        speaker=str(row.get("speaker", "")),
        seconds=_seconds(row),
        sha256=text_of(row, "sha256"),
        licence=str(row.get("licence", "")),
        word_ends_seconds=tuple(row.get("word_ends_seconds", ())),
    )


def _seconds(row: Row) -> float:
    try:
        return float(row["seconds"])
    except (KeyError, TypeError, ValueError) as error:
        raise RowError("'seconds' is missing or no number") from error


def _checked_id(clip_id: str) -> str:
    if not clip_id or not all(letter.isalnum() or letter in "-_." for letter in clip_id):
        raise RowError(f"id {clip_id!r} has other letters than a file's name may have")
    return clip_id


def _without_empty(clip: Clip) -> dict[str, Any]:
    fields = asdict(clip)
    if not clip.word_ends_seconds:
        del fields["word_ends_seconds"]
    return fields


def _drop_half_a_line(manifest: Path) -> None:
    """A last line without an end was being written when the power went."""
    data = manifest.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        manifest.write_bytes(whole)
