"""One call at a time: the way of an answer stage by stage, and the first token turn by turn."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness import load, server
from benchmarks.results import Exchange, column, milestone, percentiles
from evaluation.report.model import Lines, Plot, Waterfall
from evaluation.tables import markdown
from scripts.train_starter.domain import LANGUAGES

_STAGES: dict[str, Callable[[Exchange], float | None]] = {
    "transcript": milestone("transcript"),
    "first token": milestone("first_token"),
    "first clause": milestone("first_clause"),
    "first audio made": milestone("first_audio_synthesized"),
    "turn confirmed": milestone("turn_confirmed"),
    "first audio sent": milestone("first_audio_sent"),
    "added: confirmed to sent": lambda exchange: exchange.added_ms,
    "voice to voice": lambda exchange: exchange.voice_to_voice_ms,
}

_AFTER = {  # what a stage waits for; the others begin at the end of the speech
    "first token": "transcript",
    "first clause": "first token",
    "first audio made": "first clause",
    "first audio sent": "turn confirmed",
    "voice to voice": "first audio sent",
}


@dataclass(frozen=True, slots=True)
class OneCall:
    """All exchanges of the calls, one after the other."""

    exchanges: tuple[Exchange, ...]

    def table(self) -> str:
        """Markdown: a row a stage; P50, P95 and P99 in ms from the end of the speech."""
        rows = []
        for name, read in _STAGES.items():
            found = percentiles(read(exchange) for exchange in self.exchanges)
            if found:
                rows.append([name, f"{found.p50:.0f}", f"{found.p95:.0f}", f"{found.p99:.0f}"])
        return markdown(["ms", "P50", "P95", "P99"], rows)

    def by_turn(self) -> str:
        """Markdown: first token after the transcript, by the turn's number in its call."""
        rows = []
        for first in range(0, 20, 5):
            turns = [one for one in self.exchanges if first <= one.turn < first + 5]
            rows.append(
                [f"{first + 1} to {first + 5}", column(turns, _thinking), str(_reused(turns))]
            )
        return markdown(["turns", "transcript to first token, P50 / P95 ms", "tokens reused"], rows)

    def plots(self) -> dict[str, Plot]:
        """The median turn stage by stage, and the first token turn by turn."""
        ends = {
            name: found.p50
            for name, read in _STAGES.items()
            if not name.startswith("added")
            and (found := percentiles(read(exchange) for exchange in self.exchanges))
        }
        steps = [(name, ends.get(_AFTER.get(name, ""), 0.0), end) for name, end in ends.items()]
        return {
            "one call": Waterfall("From the end of the speech, medians", steps),
            "first token": Lines(
                "Transcript to first token by turn", "turn of the call", "ms", self._by_turn()
            ),
        }

    def _by_turn(self) -> dict[str, list[tuple[float, float]]]:
        numbers = sorted({one.turn for one in self.exchanges})
        found = {
            number: percentiles(_thinking(one) for one in self.exchanges if one.turn == number)
            for number in numbers
        }
        return {"P50": [(number + 1, one.p50) for number, one in found.items() if one]}

    def to_json(self) -> dict[str, Any]:
        """P50, P95 and P99 by stage, and the turns that failed."""
        return {
            "turns": len(self.exchanges),
            "first_token_ms_by_turn": self._by_turn()["P50"],
            "stages_ms": {
                name: [found.p50, found.p95, found.p99]
                for name, read in _STAGES.items()
                if (found := percentiles(read(exchange) for exchange in self.exchanges))
            },
            "problems": [one.problem for one in self.exchanges if one.problem],
        }


def measure(output: Path, turns: int, on_call: Callable[[str], None]) -> OneCall:
    """A call of `turns` turns in every language, alone on the server."""
    exchanges: list[Exchange] = []
    with server(output) as running:
        for language in LANGUAGES:
            on_call(language)
            loaded = load(
                running,
                *("--calls=1", f"--turns={turns}", f"--seconds={20 * turns}", "--interrupt=0"),
                *("--languages", language),
            )
            exchanges += loaded.result.exchanges
    return OneCall(tuple(exchanges))


def _thinking(exchange: Exchange) -> float | None:
    transcript = exchange.milestones_ms.get("transcript")
    token = exchange.milestones_ms.get("first_token")
    return None if transcript is None or token is None else token - transcript


def _reused(turns: list[Exchange]) -> str:
    """The share of the prompts' tokens that were in the KV cache already."""
    prompt = sum(one.prompt_tokens for one in turns)
    return f"{sum(one.reused_tokens for one in turns) / prompt:.0%}" if prompt else "-"
