// The call as it was heard: the caller on the left, Tinig on the right, as a stereo WAV file.

import { wav } from "./pcm.js";

const FRAME = 480;
const FRAME_MS = 20;
const SILENCE = new Int16Array(FRAME);
const MAXIMUM_FRAMES = (30 * 60 * 1000) / FRAME_MS; // 30 minutes: 173 MB of memory
const TOLERATED_FRAMES = 10; // the two audio threads deliver in bursts

export class Recording {
  constructor() {
    this._startedMs = performance.now();
    this._caller = [];
    this._server = [];
  }

  /** A frame of 20 ms from the microphone; `silent` while the caller does not mean to be heard. */
  addCaller(frame, silent = false) {
    this._add(this._caller, silent ? SILENCE : frame);
  }

  /** A frame of 20 ms that was played. */
  addServer(frame) {
    this._add(this._server, frame);
  }

  /** The file so far, or null when there is nothing. */
  toBlob() {
    const frames = Math.max(this._caller.length, this._server.length);
    if (!frames) return null;
    const samples = new Int16Array(frames * FRAME * 2);
    interleave(samples, this._caller, 0);
    interleave(samples, this._server, 1);
    return wav(samples, 2);
  }

  /** Both sides stay aligned by the clock: a device that was away leaves silence. */
  _add(side, frame) {
    const due = (performance.now() - this._startedMs) / FRAME_MS - TOLERATED_FRAMES;
    while (side.length < Math.min(due, MAXIMUM_FRAMES)) side.push(SILENCE);
    if (side.length < MAXIMUM_FRAMES) side.push(frame);
  }
}

function interleave(samples, frames, channel) {
  let at = channel;
  for (const frame of frames) {
    for (const sample of frame) {
      samples[at] = sample;
      at += 2;
    }
  }
}
