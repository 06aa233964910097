"""FLEURS (google/fleurs, CC BY 4.0): parquet files, or a TSV beside a folder or archive of WAVs.

The sentence's number is shared by its speakers, so that a clip is known by the name of its file.
"""

import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow
import pyarrow.parquet

from evaluation.data.layout import Recording
from evaluation.data.rows import DataError, Problem, Row, RowError, parse, split, text_of, tsv_rows

LICENCE = "CC BY 4.0"
LANGUAGES = {"en_us": "en", "es_419": "es", "fr_fr": "fr", "hi_in": "hi", "fil_ph": "tl"}

_COLUMNS = (
    *("id", "file_name", "raw_transcription", "transcription", "characters"),
    *("num_samples", "gender"),
)
_PARQUET_COLUMNS = ["path", "audio", "raw_transcription", "gender"]
_GENDERS = {"0": "male", "1": "female", "male": "male", "female": "female"}


def read_parquet(path: Path, config: str) -> Iterator[Recording | Problem]:
    """The recordings of a parquet file of one configuration ("hi_in"); a line is a row.

    Raises `DataError` for a file that is no such parquet, and for an unknown configuration.
    """
    language = _language(config)
    yield from parse(path, _parquet_rows(path), partial(_from_parquet, path, language))


def read_tsv(path: Path, audio: Path, config: str) -> Iterator[Recording | Problem]:
    """The recordings of `test.tsv`; `audio` is the folder, or the .tar.gz, of its WAV files.

    An archive is read once from front to end, whatever its size. Raises `DataError`.
    """
    language = _language(config)
    find = partial(_file, audio)
    told = parse(path, tsv_rows(path, _COLUMNS), partial(_from_tsv, path, language, find))
    yield from _from_archive(told, audio) if audio.is_file() else told


def _language(config: str) -> str:
    try:
        return LANGUAGES[config]
    except KeyError as error:
        raise DataError(f"FLEURS {config!r} is none of {', '.join(LANGUAGES)}.") from error


def _parquet_rows(path: Path) -> Iterator[tuple[int, Row]]:
    try:
        file = pyarrow.parquet.ParquetFile(path)
        batches = file.iter_batches(batch_size=16, columns=_PARQUET_COLUMNS)
        rows = (row for batch in batches for row in batch.to_pylist())
        yield from enumerate(rows, start=1)
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{path} is no parquet of FLEURS: {error}") from error


def _from_parquet(path: Path, language: str, row: Row, line: int) -> Recording:
    audio = row["audio"] or {}
    data = audio.get("bytes")
    if not data:
        raise RowError("'audio' has no bytes")
    name = Path(audio.get("path") or text_of(row, "path")).stem
    return _recording(name, row, language, path, line=line, audio=partial(bytes, data))


def _from_tsv(
    path: Path, language: str, find: Callable[[str], bytes], row: Row, line: int
) -> Recording:
    name = text_of(row, "file_name")
    stem, audio = Path(name).stem, partial(find, name)
    return _recording(stem, row, language, path, line=line, audio=audio)


def _recording(
    name: str, row: Row, language: str, path: Path, *, line: int, audio: Callable[[], bytes]
) -> Recording:
    return Recording(
        id=f"{language}-{name}",
        text=text_of(row, "raw_transcription"),
        language=language,
        speaker=_GENDERS.get(str(row.get("gender", "")).lower(), ""),
        licence=LICENCE,
        audio=audio,
        file=path,
        line=line,
    )


def _file(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise RowError(f"the audio {folder / name} cannot be read: {error.strerror}") from error


def _from_archive(
    told: Iterable[Recording | Problem], archive: Path
) -> Iterator[Recording | Problem]:
    """What was told of, in the order in which its audio lies in the archive."""
    recordings, problems = split(told)
    yield from problems
    waiting = {recording.id.partition("-")[2]: recording for recording in recordings}
    try:
        with tarfile.open(archive, "r|*") as file:
            for member in file:
                recording = waiting.pop(Path(member.name).stem, None)
                content = file.extractfile(member)
                if recording is not None and content is not None:
                    data = content.read()
                    yield replace(recording, audio=partial(bytes, data))
    except (OSError, EOFError, tarfile.TarError) as error:
        raise DataError(f"{archive} is no archive of WAV files: {error}") from error
    for name, recording in waiting.items():
        yield Problem(recording.file, recording.line, f"the audio {name} is not in {archive}")
