"""`python -m scripts.train_starter.stt`: make the corpus, train, export, evaluate, in one command.

Stopped and started again with `--resume`, it goes on from the newest checkpoint. The working folder
holds the corpus (some 4 GB) and the checkpoint; it can be carried to another machine. Nothing is
downloaded: on a machine with a GPU and no network the corpus is made there, too.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from scripts.train_starter.checkpoints import goes_on
from scripts.train_starter.stt.data import TOKENIZER_NAME, corpus_plan, make_corpus, prepare
from scripts.train_starter.stt.evaluate import quick_score, report
from scripts.train_starter.stt.export import export, size_megabytes
from scripts.train_starter.stt.train import Progress, TrainConfig, run

NUM_PLAIN_SHARDS, NUM_WIDE_SHARDS = 12, 64
POLL_SECONDS = 5.0
QUICK_SENTENCES, REPORT_SENTENCES = 10, 24  # of every language


@dataclass(frozen=True, slots=True)
class Job:
    """The whole job."""

    work: Path
    out: Path
    minutes: float
    num_processes: int
    num_corpus_workers: int
    resume: bool

    @property
    def corpus(self) -> Path:
        """Shards, tokenizer, inventory of phonemes."""
        return self.work / "corpus"

    @property
    def training(self) -> TrainConfig:
        """For the training processes."""
        device = "cuda" if torch.cuda.is_available() else "cpu"
        num_processes = 1 if device == "cuda" else self.num_processes
        return TrainConfig(self.corpus, self.work, self.minutes, num_processes, device)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.train_starter.stt", description=__doc__
    )
    parser.add_argument("--minutes", type=float, default=100, help="of training, resumed ones too")
    parser.add_argument("--out", type=Path, default=Path("models/starter/stt"))
    parser.add_argument("--work", type=Path, default=Path("build/stt"), help="working folder")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    parser.add_argument("--evaluate", action="store_true", help="only print the figures of --out")
    arguments = parser.parse_args()
    if arguments.evaluate:
        print_report(arguments.out)
        return
    workers = max(1, arguments.processes // 2)
    train(
        Job(
            arguments.work,
            arguments.out,
            arguments.minutes,
            arguments.processes,
            workers,
            arguments.resume,
        )
    )


def train(job: Job) -> None:
    """Corpus and training side by side; figures at every checkpoint; the model at the end."""
    config = job.training
    goes_on(config.checkpoint, resume=job.resume)
    prepare(job.corpus)
    spawn = multiprocessing.get_context("spawn")
    plan = corpus_plan(NUM_PLAIN_SHARDS, NUM_WIDE_SHARDS)
    workers = job.num_corpus_workers
    parts = [(job.corpus, plan[worker::workers]) for worker in range(workers)]
    makers = [spawn.Process(target=make_corpus, args=part) for part in parts]
    trainers = [
        spawn.Process(target=run, args=(rank, config)) for rank in range(config.num_processes)
    ]
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))
    for process in (*makers, *trainers):
        process.start()
    try:
        watch(job, makers, trainers)
    finally:
        for process in (*makers, *trainers):
            process.terminate()
    export(config.checkpoint, job.corpus / TOKENIZER_NAME, job.out)
    print(f"{job.out}: {size_megabytes(job.out):.1f} MB")
    print_report(job.out)


def watch(job: Job, makers: Sequence[BaseProcess], trainers: Sequence[BaseProcess]) -> None:
    """Print figures for every new checkpoint until the training has ended."""
    checkpoint = job.training.checkpoint
    seen = checkpoint.stat().st_mtime if checkpoint.exists() else 0.0
    while True:
        running = any(process.is_alive() for process in trainers)
        failed = [process for process in (*makers, *trainers) if process.exitcode]
        if failed:
            sys.exit(f"A process ended with status {failed[0].exitcode}: its error is above.")
        if checkpoint.exists() and checkpoint.stat().st_mtime > seen:
            seen = checkpoint.stat().st_mtime
            print_quick_score(job)
        if not running:
            return
        time.sleep(POLL_SECONDS)


def print_report(folder: Path) -> None:
    """All figures of a model, as they come."""
    for line in report(folder, REPORT_SENTENCES):
        print(line, flush=True)


def print_quick_score(job: Job) -> None:
    """One point of the curve."""
    trial = job.work / "trial"
    shutil.rmtree(trial, ignore_errors=True)
    export(job.training.checkpoint, job.corpus / TOKENIZER_NAME, trial)
    progress = Progress(*torch.load(job.training.checkpoint, map_location="cpu")["progress"])
    figures = quick_score(trial, QUICK_SENTENCES)
    print(f"after {progress.presentations} presentations, {figures}", flush=True)


if __name__ == "__main__":
    main()
