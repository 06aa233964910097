"""Where bfloat16 is worth it: a CPU that cannot multiply it takes four times as long."""

import torch


def mixed_precision(device: str) -> torch.autocast:
    """A context in which the forward pass runs in bfloat16, where `device` multiplies that."""
    return torch.autocast(device, torch.bfloat16, enabled=_multiplies_bfloat16(device))


def _multiplies_bfloat16(device: str) -> bool:
    if device != "cpu":
        return True
    found = torch.cpu.get_capabilities()
    return bool(found.get("amx_bf16") or found.get("avx512_bf16") or found.get("bf16"))
