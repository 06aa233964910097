"""Where figures come from: which files, which settings."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evaluation.machine import REPOSITORY, machine, revision
from evaluation.normalisers import VERSION as NORMALISER_VERSION
from scripts.models.store import sha256_of
from server.config import Config

# Role of a model -> file, relative to the repository if in it -> SHA-256.
Models = Mapping[str, Mapping[str, str]]


def provenance(config: Config, command: str, models: Models) -> dict[str, Any]:
    """All that a report says of where a part comes from, as JSON has it."""
    return {
        "commands": [command],
        "revision": revision(),
        "normaliser_version": NORMALISER_VERSION,
        "models": models,
        "configuration": _without_secrets(config),
        "machine": machine(),
    }


def portable(settings: Any) -> Any:
    """As JSON has it, with the repository's files relative to it: equal on every machine."""
    text = json.dumps(settings, default=str, ensure_ascii=False)
    return json.loads(text.replace(f"{REPOSITORY}/", ""))


def models_of(config: Config, *roles: str) -> dict[str, dict[str, str]]:
    """Of the roles "stt", "llm", "tts", "nmt"."""
    voices = [Path(voice.model) for voice in config.tts.voices if voice.engine == "piper"]
    paths = {
        "stt": [Path(config.stt.model)],
        "llm": [Path(config.llm.model)],
        "tts": list(dict.fromkeys(voices)),
        "nmt": list(dict.fromkeys(Path(model.path) for model in config.translate.models)),
    }
    return {role: hashes(paths[role]) for role in roles}


def hashes(paths: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of files, and of all in folders but their cards; what is missing is not told of."""
    files = [
        file
        for path in paths
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file.is_file() and file.suffix != ".md"
    ]
    return {_shown(file): sha256_of(file) for file in files}


def _without_secrets(config: Config) -> dict[str, Any]:
    sections = portable(asdict(config))
    del sections["conversation"]["instructions"]  # an owner's own matter
    return {name: sections[name] for name in ("vad", "stt", "llm", "tts", "conversation")}


def _shown(path: Path) -> str:
    path = path.resolve()
    inside = path.is_relative_to(REPOSITORY)
    return str(path.relative_to(REPOSITORY)) if inside else path.name
