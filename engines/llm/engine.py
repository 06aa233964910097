"""The language model: many chats at a time on one llama.cpp context.

Every step decodes one batch: the next token of every answer in the making, then as much of the
waiting prompts as a budget allows, so that a long prompt does not make the others stutter. The
cache of a session is kept from turn to turn (see `kv_cache`), also when a job was cancelled half
way.

Chats that nobody waits for in real time are decoded in steps without calls, so that a call waits
for one such step at most, and they for calls as long as those take. They hold a quarter of the
sequences, and hardly ever evict a caller (`_may_evict`).
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from engines.batcher import Priority
from engines.config import LlmConfig
from engines.errors import EngineError, ModelError
from engines.llm.answer import AnswerStream
from engines.llm.chat import ChatTemplate
from engines.llm.context import Batch, Context, Sampler
from engines.llm.kv_cache import KvCache, KvSequence
from engines.llm.llama import Model, gpu_name, supports_gpu
from engines.llm.prompt import Memory, Prompt, PromptBuilder
from engines.llm.requests import ChatRequest, Completion, Forget
from engines.llm.work import ChatWork, LlmJob, Share, end_without_decoding
from engines.loaded import LoadedModel, megabytes_of, model_error, stopwatch

log = logging.getLogger(__name__)

# A prompt that no answer waits for may take this many chunks in a step.
_CHUNKS_ALONE = 4
# Kept free for an answer before it begins, if the context is four times as long. What is said aloud
# is shorter; a longer one goes on while there is room.
_ANSWER_TOKENS = 256


class LlmEngine:
    """A GGUF model behind a `Batcher`. A job's outputs are those of `ChatOutput`: at last
    a `Completion`.

    A job is refused with `ContextTooLong` if it does not fit even without its history, and with
    `EngineError` if the chat template refuses it.
    """

    def __init__(self, config: LlmConfig) -> None:
        self.config = config
        self.max_batch = config.sequences
        self.loaded: tuple[LoadedModel, ...] = ()
        self._chats: dict[KvSequence, ChatWork] = {}

    def load(self) -> None:
        """Load and warm the model. Raises `ModelError` naming the file and what mends it."""
        path = Path(self.config.model)
        if not path.is_file():
            raise model_error(path, "is missing")
        with stopwatch() as watch:
            try:
                device = self._load(path)
            except ModelError:
                raise
            except EngineError as error:
                raise model_error(path, f"cannot be used: {error}") from error
        self.loaded = (
            LoadedModel("llm", path.stem, str(path), device, megabytes_of(path), watch.seconds),
        )

    def start(self, job: LlmJob) -> bool:
        """Take a sequence with room for the whole prompt and an answer of usual length."""
        request = job.request
        if isinstance(request, Forget):
            self._cache.forget(request.session)
            job.state = Completion("ready")
            return True
        # A prompt that was made while there was no room still stands in the job.
        prompt = job.state if isinstance(job.state, Prompt) else self._build_prompt(request)
        sequence = self._acquire(job, request, prompt)
        if sequence is not None:
            job.state = self._open(job, request, prompt, sequence)
        else:
            job.state = prompt if request.generate else Completion("skipped", len(prompt.tokens))
        return sequence is not None or not request.generate

    def step(self, jobs: Sequence[LlmJob]) -> None:
        """Decode one batch and sample the next token of every chat whose prompt is done."""
        chats = [job.state for job in jobs if not end_without_decoding(job)]
        of_calls = [chat for chat in chats if not chat.offline]
        shares = self._fill_batch(of_calls or chats)
        if not shares:
            return
        try:
            self._context.decode(self._batch)
        except Exception:
            for share in shares:  # who knows what their part of the KV cache holds now
                self._chats.pop(share.chat.sequence)
                self._cache.release(share.chat.sequence, intact=False)
            raise
        for share in shares:
            self._advance(share)

    def stop(self, job: LlmJob) -> None:
        """Give the sequence back; its cache is kept for the session's next request."""
        chat = job.state
        if isinstance(chat, ChatWork) and chat.sequence in self._chats:
            del self._chats[chat.sequence]
            chat.sequence.memory = chat.memory
            self._cache.release(chat.sequence)

    def assert_idle(self) -> None:
        """Raise `AssertionError` if a job holds a sequence or a cell leaked."""
        assert not self._chats, f"{len(self._chats)} chats were never stopped"
        self._cache.assert_idle()

    def _load(self, path: Path) -> str:
        """Load everything. Returns the device."""
        config = self.config
        on_gpu = supports_gpu() and config.gpu_layers != 0
        if config.gpu_layers > 0 and not on_gpu:
            log.warning("gpu_layers is %d, but llama.cpp has no GPU here", config.gpu_layers)
        model = Model(path, gpu_layers=config.gpu_layers if on_gpu else 0)
        if not model.chat_template:
            raise model_error(path, "has no chat template")
        self._chunk_tokens = chunk_tokens(config, on_gpu=on_gpu)
        batch_tokens = config.sequences + _CHUNKS_ALONE * self._chunk_tokens
        self._batch = Batch(batch_tokens)
        self._context = Context(
            model,
            tokens=config.context_tokens,
            sequences=config.sequences,
            batch_tokens=batch_tokens,
            threads=config.threads,
        )
        self._cache = KvCache(
            self._context, sequences=config.sequences, shares_prefixes=model.shares_prefixes
        )
        self._vocabulary = model.vocabulary
        self._prompts = PromptBuilder(
            _template_of(model),
            model.vocabulary,
            max_tokens=min(self._cache.capacity, model.train_context_tokens),
        )
        self._warm()
        return gpu_name() if on_gpu else "cpu"

    def _warm(self) -> None:
        """Decode a prompt and a token: memory is mapped and kernels are chosen on first use."""
        prompt = self._vocabulary.tokenize("Hello, how are you?")
        for position, tokens in ((0, prompt), (len(prompt), prompt[:1])):
            self._batch.clear()
            self._batch.add(tokens, sequence=0, position=position, output=True)
            self._context.decode(self._batch)
        self._context.clear(0)

    def _build_prompt(self, request: ChatRequest) -> Prompt:
        return self._prompts.build(
            request.messages,
            request.tools,
            self._memory_of(request.session),
            answer_tokens=self._answer_tokens(request),  # of a prefill too: both trim alike
            generate=request.generate,
        )

    def _answer_tokens(self, request: ChatRequest) -> int:
        return min(request.max_tokens, _ANSWER_TOKENS, self._prompts.max_tokens // 4)

    def _memory_of(self, session: str) -> Memory:
        sequence = self._cache.find(session)
        if sequence is None:
            return Memory()
        chat = self._chats.get(sequence)
        return chat.memory if chat else sequence.memory

    def _acquire(self, job: LlmJob, request: ChatRequest, prompt: Prompt) -> KvSequence | None:
        """None if there is no room, for now or, for a prefill, without evicting."""
        offline = job.priority is Priority.OFFLINE
        if offline and self._num_offline() >= max(1, self.config.sequences // 4):
            return None
        extra = self._answer_tokens(request) if request.generate else 0
        return self._cache.acquire(
            request.session,
            prompt.tokens,
            reusable=len(prompt.tokens) - request.generate,  # the last one gives the logits
            extra=extra,
            evict=request.generate and self._may_evict(job, len(prompt.tokens) + extra),
            offline=offline,
        )

    def _may_evict(self, job: LlmJob, tokens: int) -> bool:
        """Whether callers who rest make room for a job of so many tokens: of those that nobody
        waits for only for one at a time, and for a quarter of the cells, or it would be refused
        where many callers are silent."""
        if job.priority is not Priority.OFFLINE:
            return True
        return self._num_offline(besides=job) == 0 and tokens <= self._cache.capacity // 4

    def _num_offline(self, besides: LlmJob | None = None) -> int:
        return sum(chat.offline and chat.job is not besides for chat in self._chats.values())

    def _open(
        self, job: LlmJob, request: ChatRequest, prompt: Prompt, sequence: KvSequence
    ) -> ChatWork:
        reused = len(sequence.tokens)
        chat = ChatWork(
            job,
            request,
            prompt,
            sequence,
            pending=prompt.tokens[reused:],
            answer=AnswerStream(stop=request.stop, tools=bool(request.tools)),
            sampler=Sampler(
                temperature=request.temperature,
                top_k=request.top_k,
                top_p=request.top_p,
                seed=request.seed,
            ),
            reused_tokens=reused,
        )
        self._chats[sequence] = chat
        return chat

    def _fill_batch(self, chats: Sequence[ChatWork]) -> list[Share]:
        """Who decodes what in this step: answers first, then prompts by priority, the shortest rest
        first, since it is the soonest to be heard."""
        self._batch.clear()
        decoding = [chat for chat in chats if chat.decoding]
        prefilling = [chat for chat in chats if not chat.decoding]
        prefilling.sort(key=lambda chat: (chat.job.priority, len(chat.pending)))
        shares = [self._add(chat, 1) for chat in decoding]
        budget = self._prefill_budget(decoding, prefilling)
        for chat in prefilling:
            count = min(len(chat.pending), budget)
            if count:
                shares.append(self._add(chat, count))
            budget -= count
        return shares

    def _prefill_budget(self, decoding: Sequence[ChatWork], prefilling: Sequence[ChatWork]) -> int:
        """Tokens of prompts in this step: few if someone listens, or if nothing is urgent and an
        urgent job may come at any moment."""
        urgent = any(chat.job.priority < Priority.PARTIAL for chat in prefilling)
        alone = urgent and not decoding
        return _CHUNKS_ALONE * self._chunk_tokens if alone else self._chunk_tokens

    def _add(self, chat: ChatWork, count: int) -> Share:
        complete = chat.request.generate and count == len(chat.pending)
        index = self._batch.add(
            chat.pending[:count],
            sequence=chat.sequence.id,
            position=len(chat.sequence.tokens),
            output=complete,
        )
        return Share(chat, count, index if complete else None)

    def _advance(self, share: Share) -> None:
        """What was decoded of a chat is known. What its answer raises is told to its reader alone:
        the batch goes on."""
        chat = share.chat
        self._cache.extend(chat.sequence, chat.pending[: share.count])
        chat.pending = chat.pending[share.count :]
        try:
            if share.output is not None:
                self._accept(chat, chat.sampler.pick(self._context, share.output))
            elif not chat.pending:
                chat.finish("ready")
        except Exception as error:
            chat.job.fail(error)

    def _accept(self, chat: ChatWork, token: int) -> None:
        """Take the next token of an answer."""
        if self._vocabulary.ends_answer(token):
            chat.finish("stop")
            return
        for output in chat.answer.feed(token, self._vocabulary.piece(token)):
            chat.job.emit(output)
        if chat.answer.stopped:
            chat.finish("stop")
        elif self._may_go_on(chat):
            chat.pending = [token]
        else:
            chat.finish("length")

    def _may_go_on(self, chat: ChatWork) -> bool:
        """Whether an answer may get longer, and has a cell for its last token."""
        tokens = len(chat.prompt.tokens) + chat.answer.count
        is_whole = chat.answer.count >= chat.request.max_tokens
        if is_whole or tokens >= self._prompts.max_tokens:
            return False
        return chat.sequence.reserved > 0 or self._cache.promise(
            chat.sequence, 1, evict=self._may_evict(chat.job, tokens)
        )


def chunk_tokens(config: LlmConfig, *, on_gpu: bool) -> int:
    """Tokens of prompts in one step beside answers."""
    return config.prefill_chunk_tokens or (256 if on_gpu else 64)


def _template_of(model: Model) -> ChatTemplate:
    vocabulary = model.vocabulary
    return ChatTemplate(
        model.chat_template,
        bos_text=vocabulary.bos_text,
        eos_text=vocabulary.eos_text,
        control_texts=vocabulary.control_texts,
    )
