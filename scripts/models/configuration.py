"""The server's configuration for models that were fetched: tinig.toml of a tier."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.models.fetch import Say
from scripts.models.manifest import REPOSITORY, Model, Tier
from scripts.models.store import Store

TINIG_TOML = REPOSITORY / "tinig.toml"
_PATHS = {"stt", "llm"}  # sections whose `model` is one path
Ask = Callable[[str], str]


def configuration(tier: Tier, models: Sequence[Model], store: Store) -> str:
    """tinig.toml for these models, those of the tier that are there."""
    sections: dict[str, dict[str, Any]] = {
        name: dict(tier.settings.get(name, {})) for name in _PATHS
    }
    for name, settings in tier.settings.items():
        sections[name] = dict(settings)
    for model in models:
        if model.kind in _PATHS:
            sections[model.kind]["model"] = _path(model, store)
    voices = [_voice(model, store) for model in models if model.kind == "tts"]
    blocks = [_block(f"[{name}]", settings) for name, settings in sorted(sections.items())]
    blocks += [_block("[[tts.voices]]", voice) for voice in voices]
    return _HEAD.format(tier=tier.name, about=tier.about) + "\n".join(blocks)


def write(text: str, tier: Tier, *, target: Path, force: bool, say: Say, ask: Ask | None) -> Path:
    """Write it where the server looks; beside it when there is another, which is the owner's.

    `ask` is how a person is asked, None where none is there.
    """
    if target.exists() and target.read_text(encoding="utf-8") != text:
        answer = (
            ask(f"Replace {target}, which is there already? [y/N] ") if ask and not force else ""
        )
        if not force and answer.strip().lower() not in {"y", "yes"}:
            target = target.with_name(f"{target.stem}-{tier.name}{target.suffix}")
            say(f"{TINIG_TOML.name} stays as it is (--force replaces it). To use the models:")
            say(f'  make serve ARGS="--config {target.name}"')
    target.write_text(text, encoding="utf-8")
    say(f"Wrote {target}")
    return target


def person() -> Ask | None:
    """How to ask a person at the terminal, if one is there."""
    return input if sys.stdin.isatty() else None


_HEAD = """\
# Models for {about}, written by scripts/download_models.py --tier {tier}. It is yours to change:
# the script does not write over it unasked. All settings: docs/configuration.md.

"""


def _voice(model: Model, store: Store) -> Mapping[str, str]:
    return {
        "language": model.languages[0],
        "engine": "piper",
        "model": _path(model, store),
        "name": model.name,
    }


def _path(model: Model, store: Store) -> str:
    """A folder for Whisper, else the file; short where it lies in the repository."""
    folder = store.folder / model.name
    path = folder if model.kind == "stt" else store.path(model, model.files[0])
    inside = path.is_relative_to(REPOSITORY)
    return str(path.relative_to(REPOSITORY) if inside else path)


def _block(head: str, settings: Mapping[str, Any]) -> str:
    # JSON writes texts, integers and booleans as TOML does.
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    return "\n".join([head, *lines]) + "\n"
