"""`python -m scripts.train_starter.tts --minutes 20 --out models/starter/tts`."""

import argparse
from pathlib import Path

import torch

from scripts.train_starter.checkpoints import goes_on
from scripts.train_starter.tts import data
from scripts.train_starter.tts.corpus import Text, held_out_texts, training_texts
from scripts.train_starter.tts.data import Example
from scripts.train_starter.tts.export import export
from scripts.train_starter.tts.train import Trainer

_SEED = 2026


def main() -> None:
    """Read the sentences, train, export."""
    arguments = _parse()
    torch.set_num_threads(arguments.threads)
    arguments.work.mkdir(parents=True, exist_ok=True)
    checkpoint = arguments.work / "checkpoint.pt"
    is_resumed = goes_on(checkpoint, resume=arguments.resume)
    texts = training_texts(arguments.sentences, _SEED)
    held_out = held_out_texts(arguments.held_out, _SEED)
    trainer = Trainer(
        _examples(texts, arguments.work / f"train-{arguments.sentences}.npz"),
        _examples(held_out, arguments.work / f"held-out-{arguments.held_out}.npz"),
        arguments.device,
    )
    if is_resumed:
        trainer.resume(checkpoint)
    num_weights = sum(parameter.numel() for parameter in trainer.model.parameters())
    print(f"{num_weights / 1e6:.2f} million weights, on {arguments.device}", flush=True)
    trainer.train(arguments.minutes, checkpoint)
    print("held out:", {name: round(value, 3) for name, value in trainer.evaluate().items()})
    path = export(trainer.model, arguments.out)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB after {trainer.progress.steps} steps")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the starter voice.")
    parser.add_argument("--minutes", type=float, default=20.0, help="of training, in all runs")
    parser.add_argument("--out", type=Path, default=Path("models/starter/tts"))
    parser.add_argument("--work", type=Path, default=Path("build/starter-tts"), help="checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --work")
    parser.add_argument("--sentences", type=int, default=260, help="of each language")
    parser.add_argument("--held-out", type=int, default=12, help="sentences of each language")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def _examples(texts: list[Text], cache: Path) -> list[Example]:
    """Read once, then taken from the cache."""
    if not cache.is_file():
        print(f"eSpeak NG reads {len(texts)} sentences for {cache}", flush=True)
        data.save(cache, data.make(texts))
    return data.load(cache)


if __name__ == "__main__":
    main()
