"""Features to sound, without learned weights and made of operations that ONNX has.

A source-filter vocoder in the manner of WORLD's: pulses at the fundamental frequency and noise,
mixed by the aperiodicity, shaped by the envelope in short overlapping spectra. The pulses get the
envelope's minimum phase, as a vocal tract would give them.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scripts.train_starter.tts.features import HOP_SAMPLES, RATE_HZ, band_weights

FFT_SIZE = 512
STEP_SAMPLES = FFT_SIZE // 4  # between spectra; frames are interpolated to it
_SPECTRA_PER_FRAME = HOP_SAMPLES // STEP_SAMPLES
_PADDING = (FFT_SIZE - STEP_SAMPLES) // 2  # centres each spectrum on its step
_OVERLAP_GAIN = 0.5  # squared root-Hann windows at a quarter's step add up to 2
# Aperiodicity in dB is piecewise linear: -60 at 0 Hz, two predicted points, 0 at half the rate.
_APERIODICITY_HZ = (0.0, 3000.0, 6000.0, RATE_HZ / 2)
_LOWEST_APERIODICITY_DB = -60.0


class Vocoder(nn.Module):
    """B sentences of L frames to samples."""

    def __init__(self) -> None:
        super().__init__()
        bins = np.arange(FFT_SIZE // 2 + 1)
        times = np.arange(FFT_SIZE)
        window = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * times / FFT_SIZE))
        phases = 2 * np.pi * np.outer(bins, times) / FFT_SIZE
        basis = np.concatenate([np.cos(phases), -np.sin(phases)]) * window
        once = np.full(len(bins), 2.0)  # all bins but the outermost stand for two
        once[[0, -1]] = 1.0
        points = np.stack(
            [np.interp(bins * RATE_HZ / FFT_SIZE, _APERIODICITY_HZ, row) for row in np.eye(4)]
        )
        self.num_bins = len(bins)
        self._constant("basis", basis[:, None])  # [2 bins, 1, FFT_SIZE]
        self._constant("synthesis_gain", np.tile(once, 2)[:, None] / FFT_SIZE * _OVERLAP_GAIN)
        self._constant("bands_to_bins", band_weights(FFT_SIZE))
        self._constant("points_to_bins", points)
        self._constant("minimum_phase", _minimum_phase())

    def _constant(self, name: str, value: np.ndarray) -> None:
        self.register_buffer(name, torch.tensor(value, dtype=torch.float32))

    def forward(self, bands: Tensor, pitch: Tensor, voiced: Tensor, aperiodicity: Tensor) -> Tensor:
        """Log power [B, L, bands], Hz [B, L], 0 or 1 [B, L], dB [B, L, 2] -> [B, samples]."""
        log_amplitude = 0.5 * torch.matmul(_refine(bands), self.bands_to_bins)
        noisiness = self._noisiness(_refine(aperiodicity), _refine(voiced.unsqueeze(-1)))
        loudness = torch.exp(log_amplitude)
        tonal = loudness * torch.sqrt(torch.clamp(1 - noisiness * noisiness, min=0))
        phase = torch.matmul(log_amplitude, self.minimum_phase)
        pulses = self._analyse(self._pulses(pitch, voiced))
        noise = self._analyse(_noise_like(pitch)) * _twice(loudness * noisiness)
        shaped = self._turn(pulses, tonal * torch.cos(phase), tonal * torch.sin(phase)) + noise
        audio = F.conv_transpose1d(
            shaped * self.synthesis_gain, self.basis, stride=STEP_SAMPLES
        ).squeeze(1)
        return audio[:, _PADDING : _PADDING + pitch.shape[1] * HOP_SAMPLES]

    def _analyse(self, signal: Tensor) -> Tensor:
        """[B, samples] -> [B, 2 bins, steps]: real parts, then imaginary parts."""
        padded = F.pad(signal, (_PADDING, _PADDING)).unsqueeze(1)
        return F.conv1d(padded, self.basis, stride=STEP_SAMPLES)

    def _turn(self, spectra: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """Complex product of [B, 2 bins, steps] with gains [B, steps, bins]."""
        real, imaginary = spectra[:, : self.num_bins], spectra[:, self.num_bins :]
        cosine, sine = cosine.transpose(1, 2), sine.transpose(1, 2)
        return torch.cat([real * cosine - imaginary * sine, real * sine + imaginary * cosine], 1)

    def _pulses(self, pitch: Tensor, voiced: Tensor) -> Tensor:
        """A pulse whenever the phase wraps, shared by the two samples around that moment.

        Its energy is that of white noise of variance 1, whatever the pitch.
        """
        step = _to_samples(pitch) / RATE_HZ  # cycles per sample
        phase = torch.cumsum(step, 1)
        cycles = torch.floor(phase)
        wraps = cycles - F.pad(cycles[:, :-1], (1, 0))
        lateness = torch.clamp((phase - cycles) / torch.clamp(step, min=1e-5), 0, 1)
        sounding = (_to_samples(voiced) > 0.5).to(pitch.dtype)
        height = torch.sqrt(1 / torch.clamp(step, min=1e-5)) * wraps * sounding
        return height * (1 - lateness) + F.pad((height * lateness)[:, 1:], (0, 1))

    def _noisiness(self, aperiodicity: Tensor, voiced: Tensor) -> Tensor:
        """The noise's share of the amplitude [B, steps, bins]; all of it where unvoiced."""
        points = torch.clamp(aperiodicity, min=_LOWEST_APERIODICITY_DB, max=0)
        edges = torch.zeros_like(points[..., :1])
        curve = torch.cat([edges + _LOWEST_APERIODICITY_DB, points, edges], -1)
        share = torch.pow(10.0, torch.matmul(curve, self.points_to_bins) / 20)
        return share * voiced + (1 - voiced)


def _minimum_phase() -> np.ndarray:
    """[bins, bins]: log amplitudes to the phase of a causal filter, by folding the cepstrum."""
    cepstra = np.fft.irfft(np.eye(FFT_SIZE // 2 + 1), axis=1)
    cepstra[:, 1 : FFT_SIZE // 2] *= 2
    cepstra[:, FFT_SIZE // 2 + 1 :] = 0
    return np.fft.rfft(cepstra, axis=1).imag


def _noise_like(pitch: Tensor) -> Tensor:
    return torch.randn_like(_to_samples(pitch))


def _to_samples(values: Tensor) -> Tensor:
    """[B, L] -> [B, samples], in straight lines between the centres of frames."""
    return _interpolate(values.unsqueeze(1), HOP_SAMPLES).squeeze(1)


def _refine(values: Tensor) -> Tensor:
    """[B, L, C] -> [B, steps, C]."""
    return _interpolate(values.transpose(1, 2), _SPECTRA_PER_FRAME).transpose(1, 2)


def _interpolate(values: Tensor, factor: int) -> Tensor:
    return F.interpolate(values, scale_factor=float(factor), mode="linear", align_corners=False)


def _twice(gain: Tensor) -> Tensor:
    """[B, steps, bins] -> [B, 2 bins, steps]: one gain for real and imaginary parts."""
    turned = gain.transpose(1, 2)
    return torch.cat([turned, turned], 1)
