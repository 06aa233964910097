"""What there is, as a table for a terminal."""

from collections.abc import Iterable, Iterator

from scripts.models.manifest import KINDS, Manifest, Model
from scripts.models.progress import size
from scripts.models.store import Store

_HEAD = ("name", "languages", "tiers", "size", "licence", "commercial", "here")


def table(manifest: Manifest, store: Store) -> Iterator[str]:
    """The lines of --list."""
    for kind, title in KINDS.items():
        models = [model for model in manifest.models.values() if model.kind == kind]
        yield f"{title.capitalize()} ({kind})"
        yield from _aligned([_HEAD, *(_row(model, manifest, store) for model in models)])
        yield from (f"  {model.name}: {model.about}" for model in models)
        yield ""
    yield "Data sets (--datasets)"
    for source in manifest.datasets.values():
        languages = " ".join(source.languages)
        yield f"  {source.name}: {source.about}; {languages}; {source.licence}"
    yield ""
    yield "Tiers (--tier)"
    for tier in manifest.tiers.values():
        models = [manifest.models[name] for name in tier.models]
        total = sum(model.bytes for model in models if model.commercial)
        names = ", ".join(model.name for model in models if model.commercial)
        restricted = [model.name for model in models if not model.commercial]
        more = f"; with --accept-restricted also {', '.join(restricted)}" if restricted else ""
        yield f"  {tier.name}: {tier.about}; {size(total)}: {names}{more}"


def _row(model: Model, manifest: Manifest, store: Store) -> tuple[str, ...]:
    tiers = [tier.name for tier in manifest.tiers.values() if model.name in tier.models]
    known = all(file.bytes is not None for file in model.files)
    here = all(store.has(model, file) for file in model.files)
    return (
        model.name,
        " ".join(model.languages),
        " ".join(tiers) or "-",
        size(model.bytes) if known else "not known",
        model.licence,
        "yes" if model.commercial else "NO",
        "yes" if here else "",
    )


def _aligned(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    rows = list(rows)
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield ("  " + "  ".join(cells)).rstrip()
