"""`python -m scripts.train_starter.nmt`: train, export, evaluate, in one command.

Stopped and started again with `--resume`, it goes on from the newest checkpoint.
"""

import argparse
from pathlib import Path

import torch

from scripts.train_starter.checkpoints import goes_on
from scripts.train_starter.nmt.evaluation import report
from scripts.train_starter.nmt.export import export
from scripts.train_starter.nmt.tokenizer import Codec, train_pieces
from scripts.train_starter.nmt.training import Trainer


def main() -> None:
    """The command line."""
    options = _options()
    if not options.evaluate:
        _train(options)
    print(report(options.out))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the starter translator.")
    parser.add_argument("--minutes", type=float, default=25.0, help="of training, in all runs")
    parser.add_argument("--out", type=Path, default=Path("models/starter/nmt"))
    parser.add_argument("--work", type=Path, default=Path("build/starter-nmt"), help="checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --work")
    parser.add_argument("--evaluate", action="store_true", help="only print the figures of --out")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def _train(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    checkpoint, pieces = options.work / "checkpoint.pt", options.work / "pieces.spm"
    is_resumed = goes_on(checkpoint, resume=options.resume)
    if not is_resumed:
        train_pieces(pieces)
    trainer = Trainer(Codec(pieces), checkpoint, options.device)
    if is_resumed:
        trainer.resume()
    size = sum(parameter.numel() for parameter in trainer.model.parameters())
    print(f"{size / 1e6:.2f} million weights, on {options.device}", flush=True)
    trainer.train(options.minutes)
    export(checkpoint, pieces, options.out)


if __name__ == "__main__":
    main()
