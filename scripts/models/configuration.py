"""The server's configuration for models that were fetched: tinig.toml of a tier."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.models.fetch import Say
from scripts.models.manifest import REPOSITORY, Model, Tier
from scripts.models.store import Store

# Where the path of a kind's model stands: section and field of tinig.toml. Voices are several.
_PLACES = {"stt": ("stt", "model"), "llm": ("llm", "model"), "turn": ("vad", "smart_turn")}
Ask = Callable[[str], str]


def configuration(tier: Tier, models: Sequence[Model], store: Store) -> str:
    """tinig.toml for these models, those of the tier that are there."""
    sections = {name: dict(settings) for name, settings in tier.settings.items()}
    for model in models:
        if model.kind in _PLACES:
            section, name = _PLACES[model.kind]
            sections.setdefault(section, {})[name] = _path(model, store)
    voices = [_voice(model, store) for model in models if model.kind == "tts"]
    blocks = [_block(f"[{name}]", settings) for name, settings in sorted(sections.items())]
    blocks += [_block("[[tts.voices]]", voice) for voice in voices]
    return _HEAD.format(tier=tier.name, about=tier.about) + "\n".join(blocks)


def place(store: Store) -> Path:
    """Where the server looks for it; beside models that are not in the repository."""
    inside = store.folder.is_relative_to(REPOSITORY)
    return (REPOSITORY if inside else store.folder) / "tinig.toml"


def write(text: str, tier: Tier, *, target: Path, force: bool, say: Say, ask: Ask | None) -> Path:
    """Write it there; beside it when there is another, which is the owner's.

    `ask` is how a person is asked, None where none is there.
    """
    is_another = target.exists() and target.read_text(encoding="utf-8") != text
    if is_another and not force and not _may_replace(target, ask):
        say(f"{target} stays as it is (--force replaces it).")
        target = target.with_name(f"{target.stem}-{tier.name}{target.suffix}")
    target.write_text(text, encoding="utf-8")
    say(f"Wrote {target}. To use it: {_command(target)}")
    return target


def _may_replace(target: Path, ask: Ask | None) -> bool:
    answer = ask(f"Replace {target}, which is there already? [y/N] ") if ask else ""
    return answer.strip().lower() in {"y", "yes"}


def _command(target: Path) -> str:
    if target == REPOSITORY / "tinig.toml":
        return "make serve"
    return f'make serve ARGS="--config {target}"'


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
