"""Fetch real models, pinned and checked, and write the configuration that uses them.

    python scripts/download_models.py --list
    python scripts/download_models.py --tier 8gb
    python scripts/download_models.py whisper-medium piper-es-es-davefx
    python scripts/download_models.py --tier 8gb --bundle models.tar    # where there is a network
    python scripts/download_models.py --tier 8gb --from models.tar      # where there is none
    .venv/bin/python scripts/download_models.py --datasets fleurs

Needs Python 3.11 and nothing installed, but for --datasets. A download that was cut off goes on
where it stopped. HF_ENDPOINT names a mirror, HF_TOKEN an account; proxies are taken from
HTTPS_PROXY and NO_PROXY.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # when it is run as a file

from scripts.models import bundle, configuration, listing
from scripts.models.errors import ModelsError
from scripts.models.fetch import allowed, fetch
from scripts.models.hub import from_environment
from scripts.models.manifest import Manifest, Model, load
from scripts.models.store import DOWNLOADED, Store


def main(argv: Sequence[str]) -> int:
    """Exit status: 0 when all that was asked for is there, 1 with a sentence, 130 after Ctrl-C."""
    try:
        arguments = _arguments(argv)
        _run(arguments, load())
    except ModelsError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="download_models.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="MODEL", help="models by name; --list shows them")
    add("--list", action="store_true", help="show all models, tiers and data sets, and end")
    add("--tier", help="all models for a machine of this size, and its tinig.toml")
    add("--datasets", nargs="+", default=[], metavar="NAME", help="recordings to evaluate with")
    add("--configurations", nargs="+", default=[], metavar="NAME", help="only these of a data set")
    add("--accept-restricted", action="store_true", help="fetch non-commercial models too")
    add("--bundle", type=Path, metavar="FILE", help="pack the models into one file as well")
    add("--from", type=Path, metavar="FILE", dest="source", help="take them from such a file")
    add("--verify", action="store_true", help="read the files again and check their SHA-256")
    add("--into", type=Path, default=DOWNLOADED, metavar="DIR", help="instead of models/downloaded")
    add("--force", action="store_true", help="replace a tinig.toml that is there")
    arguments = parser.parse_args(argv)
    asked = (arguments.list, arguments.names, arguments.tier, arguments.datasets)
    if not any((*asked, arguments.source, arguments.verify)):
        raise ModelsError("Say what to fetch: --tier, models by name, or --datasets. See --help.")
    return arguments


def _run(arguments: argparse.Namespace, manifest: Manifest) -> None:
    store = Store(arguments.into)
    if arguments.list:
        print("\n".join(listing.table(manifest, store)))
        return
    models = _chosen(arguments, manifest)
    if arguments.verify:
        _verify(models or list(manifest.models.values()), store)
        return
    if arguments.source:
        bundle.install(arguments.source, store, manifest)
    elif models:
        models = allowed(models, accept_restricted=arguments.accept_restricted, say=print)
        fetch(models, store, from_environment())
    if arguments.bundle:
        bundle.pack(models, store, arguments.bundle)
    elif arguments.tier:
        _configure(arguments, manifest, store)
    _fetch_datasets(arguments, manifest)


def _chosen(arguments: argparse.Namespace, manifest: Manifest) -> list[Model]:
    if arguments.tier and arguments.tier not in manifest.tiers:
        known = ", ".join(manifest.tiers)
        raise ModelsError(f"There is no tier {arguments.tier!r}, only: {known}.")
    of_tier = manifest.tiers[arguments.tier].models if arguments.tier else ()
    return [manifest.model(name) for name in dict.fromkeys([*of_tier, *arguments.names])]


def _verify(models: Sequence[Model], store: Store) -> None:
    here = [model for model in models if (store.folder / model.name).exists()]
    problems = [problem for model in here for problem in store.verify(model)]
    if problems:
        raise ModelsError("\n".join(problems))
    print(f"{len(here)} models are as they were taken in.")


def _configure(arguments: argparse.Namespace, manifest: Manifest, store: Store) -> None:
    tier = manifest.tiers[arguments.tier]
    models = [manifest.model(name) for name in tier.models]
    here = [model for model in models if all(store.has(model, file) for file in model.files)]
    text = configuration.configuration(tier, here, store)
    ask = configuration.person()
    target = configuration.place(store)
    configuration.write(text, tier, target=target, force=arguments.force, say=print, ask=ask)
    silent = {language for model in models for language in model.languages} - {
        language for model in here if model.kind == "tts" for language in model.languages
    }
    print(f"eSpeak NG speaks what has no voice: {', '.join(sorted(silent))}.")


def _fetch_datasets(arguments: argparse.Namespace, manifest: Manifest) -> None:
    if not arguments.datasets:
        return
    # After the models, since it needs what `make setup` installs.
    from scripts.models.datasets import fetch_dataset  # noqa: PLC0415

    for name in arguments.datasets:
        fetch_dataset(manifest.dataset(name), from_environment(), only=arguments.configurations)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
