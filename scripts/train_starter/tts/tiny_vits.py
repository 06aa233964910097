"""Write the VITS graph of the tests: Piper's own architecture, tiny, its weights random.

`python -m scripts.train_starter.tts.tiny_vits tests/engines/tts/data/tiny_vits.onnx`
"""

import sys

import torch
from piper.train.vits.models import SynthesizerTrn
from torch import Tensor, nn

_NUM_SYMBOLS, _NUM_SPEAKERS, _CHANNELS = 256, 2, 8
_DECODER_DEVIATION = 0.15  # loud: as Piper initialises it, it would be near silence


class PiperExport(nn.Module):
    """The inputs and the output of `piper.train.export_onnx`."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.dec, self.model = model.dec, model  # the first name is the one its weights get

    def forward(self, ids: Tensor, lengths: Tensor, scales: Tensor, speakers: Tensor) -> Tensor:
        """Phoneme ids [B, T] -> audio [B, 1, 1, N]."""
        audio = self.model.infer(
            ids,
            lengths,
            noise_scale=scales[0],
            length_scale=scales[1],
            noise_scale_w=scales[2],
            sid=speakers,
        )[0]
        return audio.unsqueeze(1)


def main() -> None:
    """Export to the path given."""
    torch.manual_seed(0)
    model = SynthesizerTrn(
        n_vocab=_NUM_SYMBOLS,
        spec_channels=513,
        segment_size=32,
        inter_channels=_CHANNELS,
        hidden_channels=_CHANNELS,
        filter_channels=2 * _CHANNELS,
        n_heads=2,
        n_layers=1,
        kernel_size=3,
        p_dropout=0.0,
        resblock="2",
        resblock_kernel_sizes=(3, 5, 7),
        resblock_dilation_sizes=((1, 2), (2, 6), (3, 12)),
        upsample_rates=(8, 8, 4),
        upsample_initial_channel=2 * _CHANNELS,
        upsample_kernel_sizes=(16, 16, 8),
        n_speakers=_NUM_SPEAKERS,
        gin_channels=_CHANNELS,
    ).eval()
    model.dec.remove_weight_norm()
    for weight in model.dec.parameters():
        nn.init.normal_(weight, std=_DECODER_DEVIATION)
    ids = torch.randint(0, _NUM_SYMBOLS, (1, 50))
    torch.onnx.export(
        PiperExport(model).eval(),
        (ids, torch.tensor([50]), torch.tensor([0.667, 1.0, 0.8]), torch.tensor([0])),
        sys.argv[1],
        opset_version=15,
        input_names=["input", "input_lengths", "scales", "sid"],
        output_names=["output"],
        dynamic_axes={
            "input": {0: "batch_size", 1: "phonemes"},
            "input_lengths": {0: "batch_size"},
            "output": {0: "batch_size", 2: "time"},
        },
        dynamo=False,
    )


if __name__ == "__main__":
    main()
