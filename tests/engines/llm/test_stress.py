"""Many calls at a time on real llama.cpp, interrupted at random."""

import asyncio
import random
from dataclasses import dataclass, field
from pathlib import Path

from engines.batcher import Priority
from engines.llm import ChatRequest, Completion, Forget, LlmEngine, Message, TextDelta
from tests.tiny_llm import SYSTEM, LlmBatcher, Steps, ask, assistant, config, outputs_of, user

WORDS = [
    "what",
    "is",
    "the",
    "capital",
    "of",
    "España",
    "Pilipinas",
    "भारत",
    "राजधानी",
    "क्या",
    "oo",
]


@dataclass
class Call:
    """One caller of the stress test."""

    session: str
    chance: random.Random
    messages: list[Message] = field(default_factory=lambda: [SYSTEM])
    cancelled: int = 0
    answered: list[tuple[ChatRequest, str]] = field(default_factory=list)

    async def talk(self, batcher: LlmBatcher, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(self.chance.random() * 0.05)
            words = self.chance.choices(WORDS, k=self.chance.randint(1, 12))
            await self._guess(batcher, words)
            self.messages.append(user(" ".join(words)))
            self.messages.append(assistant(await self._answer(batcher)))
        await ask(batcher, Forget(self.session))

    async def _guess(self, batcher: LlmBatcher, words: list[str]) -> None:
        partial = (*self.messages, user(" ".join(words[: len(words) // 2])))
        request = ChatRequest(self.session, partial, generate=False)
        answer = await ask(batcher, request, priority=Priority.PARTIAL)
        assert answer.completion.reason in ("ready", "skipped")

    async def _answer(self, batcher: LlmBatcher) -> str:
        """What the caller hears, which may be only the beginning."""
        request = ChatRequest(self.session, tuple(self.messages), max_tokens=24)
        patience = self.chance.choice([3, 8, 100])
        heard = ""
        async with batcher.submit(request) as job:
            async for output in job:
                match output:
                    case TextDelta(text=text):
                        heard += text
                    case Completion():
                        self.answered.append((request, heard))
                patience -= 1
                if not patience:
                    self.cancelled += 1
                    break
        return heard


async def test_many_calls_with_interruptions_leave_nothing_behind(random_model: Path) -> None:
    engine = LlmEngine(config(random_model, sequences=8, context_tokens=1024))
    calls = [Call(f"call {index}", random.Random(index)) for index in range(24)]
    async with LlmBatcher("llm", engine) as batcher:
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(call.talk(batcher, turns=4))
        assert batcher.failure is None
    engine.assert_idle()
    assert engine._cache.used == 0
    assert engine._cache.evictions > 0
    assert sum(call.cancelled for call in calls) > 10
    assert max(batcher.batch_sizes) >= 6


async def test_answers_under_load_equal_those_to_the_same_tokens_alone(random_model: Path) -> None:
    engine = LlmEngine(config(random_model, sequences=6, context_tokens=1024))
    engine.load()
    steps, chance = Steps(engine), random.Random(1)
    jobs = []
    for index in range(30):
        words = " ".join(chance.choices(WORDS, k=chance.randint(1, 20)))
        messages = (SYSTEM, user(words), assistant("Oo."), user(words[:10]))
        job, started = steps.start(
            ChatRequest(f"call {index % 9}", messages[: chance.choice([2, 4])], max_tokens=16)
        )
        if started:
            jobs.append((job, job.state.prompt))
        if chance.random() < 0.2 and steps.running:
            steps.stop([chance.choice(steps.running)])
        steps.step(chance.randint(1, 8))
    steps.finish()
    finished = [(job, prompt) for job, prompt in jobs if job.finished]
    assert len(finished) > 15
    alone = Steps(LlmEngine(config(random_model, sequences=1)))
    alone.engine.load()
    for job, prompt in finished:
        again = alone.submit(job.request)
        again.state = prompt
        alone.start(Forget(job.request.session))
        assert alone.admit(again)
        alone.finish()
        assert outputs_of(again).text == outputs_of(job).text
