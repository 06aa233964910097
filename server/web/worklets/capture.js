// The microphone, on the audio thread: frames of 20 ms, 16 bits, 24 kHz, posted to the page.

import { Resampler } from "./resampler.js";

const RATE_HZ = 24_000;
const FRAME = 480;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this._resampler = new Resampler(sampleRate, RATE_HZ);
    this._frame = new Int16Array(FRAME);
    this._filled = 0;
  }

  process([input]) {
    const channel = input[0];
    if (!channel) return true; // the device gives nothing at the moment
    for (const value of this._resampler.push(channel)) this._put(value);
    return true;
  }

  _put(value) {
    this._frame[this._filled++] = Math.max(-1, Math.min(1, value)) * 32_767;
    if (this._filled < FRAME) return;
    this.port.postMessage(this._frame, [this._frame.buffer]);
    this._frame = new Int16Array(FRAME);
    this._filled = 0;
  }
}

registerProcessor("capture", Capture);
