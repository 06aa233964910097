// From the sound card's rate to 24 kHz: a windowed sinc, evaluated at each output sample.

const HALF_WIDTH = 16; // zero crossings on each side
const STEPS = 512; // table entries between two zero crossings

/** The kernel from its middle outwards: sinc times a Blackman window. */
const KERNEL = Float32Array.from({ length: HALF_WIDTH * STEPS + 2 }, (_, index) => {
  const x = index / STEPS;
  if (x >= HALF_WIDTH) return 0;
  const angle = Math.PI * (1 + x / HALF_WIDTH);
  const window = 0.42 - 0.5 * Math.cos(angle) + 0.08 * Math.cos(2 * angle);
  return x === 0 ? window : (window * Math.sin(Math.PI * x)) / (Math.PI * x);
});

export class Resampler {
  constructor(fromHz, toHz) {
    this._step = fromHz / toHz; // input samples per output sample
    this._cutoff = Math.min(1, 0.95 * (toHz / fromHz)); // of the input's Nyquist frequency
    this._reach = Math.ceil(HALF_WIDTH / this._cutoff);
    this._input = new Float32Array(2 * this._reach);
    this._position = this._reach; // of the next output sample in _input
  }

  /** What can be computed after these further samples (Float32Array). */
  push(samples) {
    const input = new Float32Array(this._input.length + samples.length);
    input.set(this._input);
    input.set(samples, this._input.length);
    const output = [];
    while (this._position + this._reach < input.length) {
      output.push(this._at(input, this._position));
      this._position += this._step;
    }
    const done = Math.floor(this._position) - this._reach;
    this._input = input.slice(done);
    this._position -= done;
    return output;
  }

  _at(input, position) {
    const first = Math.ceil(position - this._reach);
    const last = Math.floor(position + this._reach);
    let sum = 0;
    for (let i = first; i <= last; i++) {
      const index = Math.round(Math.abs(position - i) * this._cutoff * STEPS);
      sum += input[i] * (KERNEL[index] ?? 0);
    }
    return sum * this._cutoff;
  }
}
