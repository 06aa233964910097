"""Models and vocabularies of llama.cpp, through the low-level API of llama-cpp-python, with types.

Neither this nor `context` knows of chats or sessions. One thread uses them.
"""

import ctypes
import logging
import weakref
from functools import cached_property
from pathlib import Path
from typing import Any

from llama_cpp import llama_cpp as lib

from engines.errors import EngineError
from engines.loaded import model_error

log = logging.getLogger(__name__)

# ggml's levels, one below Python's: it warns of every context shorter than the model's longest.
_PYTHON_LEVELS = {1: logging.DEBUG, 2: logging.DEBUG, 3: logging.INFO, 4: logging.ERROR}
_CONTINUED = 5  # ggml's level of a line's further pieces
_SENTENCE_PIECE = 1  # LLAMA_VOCAB_TYPE_SPM

# Tags that must be seen in the text even where a model's conversion made them control tokens.
VISIBLE_TAGS = ("<tool_call>", "</tool_call>")


class _LogLine:
    """Joins the pieces that ggml logs into lines."""

    def __init__(self) -> None:
        self.text = ""
        self.level = logging.DEBUG

    def add(self, level: int, piece: bytes) -> None:
        if level != _CONTINUED:
            self.level = _PYTHON_LEVELS.get(level, logging.DEBUG)
        # Vocabularies are logged byte for byte, and a token need not be whole UTF-8.
        self.text += piece.decode("utf-8", "replace")
        if self.text.endswith("\n"):
            log.log(self.level, "%s", self.text.rstrip())
            self.text = ""


_line = _LogLine()


def _on_log(level: int, piece: bytes, _user_data: ctypes.c_void_p) -> None:
    _line.add(level, piece)


_log_callback = lib.llama_log_callback(_on_log)  # llama.cpp keeps it: it must live on


def supports_gpu() -> bool:
    """Whether this build of llama.cpp has a GPU to put layers on."""
    return bool(lib.llama_supports_gpu_offload())


def gpu_name() -> str:
    """The GPU backend of this build in lower case, such as "cuda"."""
    backends = [part.split(":")[0].strip() for part in _system_info().split("|") if ":" in part]
    return next((name.lower() for name in backends if name != "CPU"), "gpu")


def _system_info() -> str:
    return bytes(lib.llama_print_system_info()).decode("utf-8", "replace")


class Owned:
    """Memory of llama.cpp's, freed with the last object that holds this one, and before what it
    `needs`; but not at the interpreter's exit, when a thread may still be inside a decode."""

    def __init__(self, pointer: Any, free: Any, *, needs: object = None) -> None:
        self.pointer = pointer
        self._needs = needs
        weakref.finalize(self, free, pointer).atexit = False


class Vocabulary:
    """Text to tokens and back."""

    def __init__(self, model: Owned) -> None:
        self._model = model  # of which the vocabulary is a part
        self._pointer: Any = lib.llama_model_get_vocab(model.pointer)
        self._pieces: dict[int, bytes] = {}
        self.size = int(lib.llama_vocab_n_tokens(self._pointer))
        self.bos = int(lib.llama_vocab_bos(self._pointer))
        self.adds_bos = bool(lib.llama_vocab_get_add_bos(self._pointer)) and self.bos >= 0

    def text_of(self, token: int) -> str:
        """How the vocabulary writes a token; "" for one that it lacks (-1)."""
        if token < 0:
            return ""
        return bytes(lib.llama_vocab_get_text(self._pointer, token)).decode("utf-8", "replace")

    @property
    def bos_text(self) -> str:
        return self.text_of(self.bos)

    @property
    def eos_text(self) -> str:
        return self.text_of(int(lib.llama_vocab_eos(self._pointer)))

    @cached_property
    def control_texts(self) -> tuple[str, ...]:
        """The texts that tokenize to control tokens, which no message's content may hold."""
        control = (t for t in range(self.size) if lib.llama_vocab_is_control(self._pointer, t))
        return tuple(text for token in control if (text := self.text_of(token)))

    @cached_property
    def joins_segments(self) -> bool:
        """Whether text can be tokenized in segments: false where each would get a space before."""
        return lib.llama_vocab_type(self._pointer) != _SENTENCE_PIECE or (
            b"".join(map(self.piece, self._encode("a"))) == b"a"
        )

    def tokenize(self, text: str) -> list[int]:
        """Tokens of a segment of a rendered prompt; control tokens are recognised by their text."""
        return self._encode(text) if text else []

    def _encode(self, text: str) -> list[int]:
        data = text.encode()
        room = len(data) + 2
        tokens = (lib.llama_token * room)()
        count = lib.llama_tokenize(self._pointer, data, len(data), tokens, room, False, True)
        if count < 0:
            raise EngineError(f"llama.cpp could not tokenize a text of {len(text)} characters.")
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for; not always whole UTF-8 characters."""
        if token not in self._pieces:
            self._pieces[token] = self._decode(token)
        return self._pieces[token]

    def _decode(self, token: int) -> bytes:
        special = self.text_of(token) in VISIBLE_TAGS
        room = 64
        while True:
            buffer = ctypes.create_string_buffer(room)
            count = lib.llama_token_to_piece(self._pointer, token, buffer, room, 0, special)
            if count >= 0:
                return buffer.raw[:count]
            room = -count

    def ends_answer(self, token: int) -> bool:
        """Whether a token ends the assistant's turn (end of sequence, end of turn, ...)."""
        return bool(lib.llama_vocab_is_eog(self._pointer, token))


class Model:
    """The weights of a GGUF file. `gpu_layers`: how many on the GPU, -1 for all."""

    def __init__(self, path: Path, *, gpu_layers: int) -> None:
        lib.llama_log_set(_log_callback, ctypes.c_void_p(0))
        lib.llama_backend_init()
        parameters = lib.llama_model_default_params()
        parameters.n_gpu_layers = gpu_layers
        self.pointer: Any = lib.llama_model_load_from_file(str(path).encode(), parameters)
        if not self.pointer:
            raise model_error(path, "is not a GGUF model that llama.cpp can load")
        self.vocabulary = Vocabulary(Owned(self.pointer, lib.llama_model_free))
        self.train_context_tokens = int(lib.llama_model_n_ctx_train(self.pointer))

    @property
    def chat_template(self) -> str:
        """The Jinja source of the file's chat template; "" if it has none."""
        source = lib.llama_model_chat_template(self.pointer, None)
        return bytes(source).decode() if source else ""

    @property
    def shares_prefixes(self) -> bool:
        """Whether a part of one sequence's memory can be given to another: not with recurrence."""
        recurrent = lib.llama_model_is_recurrent(self.pointer)
        return not (recurrent or lib.llama_model_is_hybrid(self.pointer))
