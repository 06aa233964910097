"""The starter LLM's tokenizer, read back from its GGUF file."""

import gguf
import pytest
from llama_cpp import Llama

from engines.config import STARTER
from scripts.train_starter.language_model.tokenizer import tokenizer_of

MODEL = STARTER / "llm" / "starter.gguf"


@pytest.fixture(scope="module")
def llama() -> Llama:
    return Llama(str(MODEL), vocab_only=True, verbose=False)


@pytest.mark.parametrize(
    "text",
    [
        "<|im_start|>user\nBook the dentist for Monday at 10.<|im_end|>\n",
        "¿Cuál es la capital de España?",
        "J'ai besoin d'un rendez-vous à onze heures.",
        "मुझे सोमवार को दस बजे अपॉइंटमेंट चाहिए।",
        "Gusto ko po ng appointment sa Lunes nang alas diyes.",
    ],
)
def test_it_cuts_text_as_llama_cpp_does(llama: Llama, text: str) -> None:
    fields = gguf.GGUFReader(MODEL).fields
    tokenizer = tokenizer_of(
        fields["tokenizer.ggml.tokens"].contents(), fields["tokenizer.ggml.merges"].contents()
    )
    assert tokenizer.encode(text).ids == llama.tokenize(text.encode(), add_bos=False, special=True)
