"""The starter LLM's parts: tokenizer, model, batches, training, GGUF file and evaluation."""
