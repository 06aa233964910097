"""Trains the starter LLM and evaluates it: `python -m scripts.train_starter.llm --help`.

Everything is made here: dialogues from the closed domain, a tokenizer from the dialogues, a model
of the Llama architecture, and one GGUF file that llama.cpp reads.
"""

import argparse
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import Tokenizer

from scripts.train_starter.checkpoints import goes_on
from scripts.train_starter.domain import dialogue
from scripts.train_starter.language_model.chat import render
from scripts.train_starter.language_model.evaluation import Score, evaluate
from scripts.train_starter.language_model.gguf_file import read_model, write_model
from scripts.train_starter.language_model.model import LanguageModel, ModelConfig
from scripts.train_starter.language_model.tokenizer import train_tokenizer
from scripts.train_starter.language_model.training import Trainer, TrainingConfig, new_model

FILE_NAME = "starter.gguf"
_TOKENIZER_DIALOGUES = 12_000
_BARS = {"held out": 0.95, "out of domain": 0.90}


def main(arguments: list[str]) -> int:
    """Trains, evaluates, or both; the exit status is 1 if a bar of the evaluation is missed."""
    options = _options(arguments)
    path = options.out / FILE_NAME
    if options.minutes:
        _train(options, path)
    return _evaluate(path, options.every) if options.evaluate else 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=0.0, help="train for so long in all")
    parser.add_argument("--out", type=Path, default=Path("models/starter/llm"))
    parser.add_argument("--work", type=Path, default=Path(".cache/train_starter/llm"))
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --work")
    parser.add_argument(
        "--start-from", type=Path, metavar="GGUF", help="go on from this file's weights"
    )
    parser.add_argument(
        "--evaluate", action="store_true", help="ask the finished file its questions"
    )
    parser.add_argument("--every", type=int, default=1, help="evaluate on every nth case alone")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument(
        "--threads", type=int, default=1, help="more are slower on a machine with other work"
    )
    parser.add_argument("--layers", type=int, default=ModelConfig().layers)
    parser.add_argument("--width", type=int, default=ModelConfig().width)
    parser.add_argument("--batch-tokens", type=int, default=2048)
    return parser.parse_args(arguments)


def _train(options: argparse.Namespace, path: Path) -> None:
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    training = _training_config(options)
    is_resumed = goes_on(training.checkpoint, resume=options.resume)
    config = _model_config(options)
    model = new_model(config, seed=0)
    tokenizer = _tokenizer(options, model, is_resumed=is_resumed)
    trainer = Trainer(training, model)
    if is_resumed:
        trainer.resume()
    size = sum(parameter.numel() for parameter in model.parameters())
    print(f"{size / 1e6:.2f} M parameters on {options.device}", flush=True)
    trainer.run(tokenizer, lambda: write_model(path, tokenizer, config, trainer.average))
    done = trainer.progress
    print(
        f"{path}: {path.stat().st_size / 1e6:.1f} MB after {done.steps} steps, loss {done.loss:.4f}"
    )


def _model_config(options: argparse.Namespace) -> ModelConfig:
    return ModelConfig(
        layers=options.layers, width=options.width, feed_forward=options.width * 11 // 4
    )


def _training_config(options: argparse.Namespace) -> TrainingConfig:
    if options.device == "auto":
        options.device = "cuda" if torch.cuda.is_available() else "cpu"
    return TrainingConfig(
        seconds=options.minutes * 60,
        tokens_per_batch=options.batch_tokens,
        device=options.device,
        checkpoint=options.work / "checkpoint.pt",
        tuning=options.start_from is not None,
    )


def _tokenizer(options: argparse.Namespace, model: LanguageModel, *, is_resumed: bool) -> Tokenizer:
    """The one that is resumed, that of the file to start from (as its weights), or a new one."""
    path = options.work / "tokenizer.json"
    if options.start_from and not is_resumed:
        read_model(options.start_from, model).save(str(path))
    elif not is_resumed:
        vocabulary_size = model.embedding.num_embeddings
        train_tokenizer(_texts(), vocabulary_size).save(str(path))
    return Tokenizer.from_file(str(path))


def _texts() -> Iterator[str]:
    rng = random.Random("tokenizer")
    for _ in range(_TOKENIZER_DIALOGUES):
        made = dialogue(rng)
        yield render(made.messages, made.tools)


def _evaluate(path: Path, every: int) -> int:
    score = evaluate(path, every)
    print(score.table())
    for case, answer in score.mistakes:
        print(f"{case.group} [{case.language}] {case.messages[-1]['content']!r}: {answer!r}")
    missed = [name for name, bar in _BARS.items() if _share(score, name) < bar]
    print(f"missed: {', '.join(missed)}" if missed else "every bar is met")
    return 1 if missed else 0


def _share(score: Score, prefix: str) -> float:
    groups = {group for group, _ in score.asked if group.startswith(prefix)}
    shares = [score.share(group) for group in groups]
    return sum(right for right, _ in shares) / sum(asked for _, asked in shares)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
