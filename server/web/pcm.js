// 16-bit PCM: how loud it is, and as a WAV file.

export const RATE_HZ = 24_000;

/** Loudness of a frame from 0 (-60 dB of full scale, or less) to 1. */
export function level(samples) {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  const rms = Math.sqrt(energy / Math.max(1, samples.length)) / 32_768;
  return Math.min(1, Math.max(0, 1 + (20 * Math.log10(rms + 1e-9)) / 60));
}

/** A WAV file: Int16Array of interleaved channels. */
export function wav(samples, channels, rateHz = RATE_HZ) {
  const header = new DataView(new ArrayBuffer(44));
  const text = (at, letters) => [...letters].forEach((c, i) => header.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  header.setUint32(4, 36 + samples.byteLength, true);
  text(8, "WAVEfmt ");
  header.setUint32(16, 16, true); // length of this part
  header.setUint16(20, 1, true); // PCM
  header.setUint16(22, channels, true);
  header.setUint32(24, rateHz, true);
  header.setUint32(28, rateHz * channels * 2, true);
  header.setUint16(32, channels * 2, true);
  header.setUint16(34, 16, true);
  text(36, "data");
  header.setUint32(40, samples.byteLength, true);
  return new Blob([header, samples], { type: "audio/wav" });
}
