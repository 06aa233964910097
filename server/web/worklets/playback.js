// The server's voice, on the audio thread. It can be paused and emptied at once: within one block
// of 128 samples (5 ms at 24 kHz), which fades out so that nothing clicks.
//
// Takes {push: Int16Array, item} (audio of an answer), {end: true} (no more of it comes),
// {pause: bool} and {flush: true}. Posts every 20 ms what was really played: {frame: Int16Array,
// item, played: samples of that item so far, playing: bool, endSeconds: of the frame, by the clock
// of the audio context}.

const FRAME = 480;
const CUSHION = 1_440; // 60 ms gathered before an answer starts: a late packet is not heard

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this._reset();
    this._frame = new Int16Array(FRAME);
    this._filled = 0;
    this.port.onmessage = ({ data }) => this._obey(data);
  }

  _reset() {
    this._queue = []; // {samples, item}
    this._item = null; // that is heard, or was heard last
    this._offset = 0; // into the first of the queue
    this._waiting = 0; // samples in the queue
    this._played = 0;
    this._running = false;
    this._ended = false;
    this._paused = false;
    this._fading = false; // this block is the last for now
    this._flushing = false; // and nothing comes after it
  }

  _obey({ push, item, end, pause, flush }) {
    if (push) this._push(push, item);
    if (end) this._ended = true;
    if (pause !== undefined) {
      this._fading = pause && this._running && !this._paused;
      this._paused = pause;
    }
    if (flush) {
      this._fading = this._running && (!this._paused || this._fading);
      this._flushing = true;
    }
  }

  _push(samples, item) {
    if (this._flushing) this._reset();
    this._ended = false;
    this._queue.push({ samples, item });
    this._waiting += samples.length;
  }

  process(inputs, [[output]]) {
    if (!this._running && (this._waiting >= CUSHION || (this._ended && this._waiting > 0))) {
      this._running = true;
    }
    const sounds = this._running && ((!this._paused && !this._flushing) || this._fading);
    for (let i = 0; i < output.length; i++) {
      const value = sounds ? this._next() : 0;
      output[i] = (this._fading ? value * (1 - i / output.length) : value) / 32_768;
      this._note(output[i], (currentFrame + i + 1) / sampleRate);
    }
    this._fading = false;
    if (this._flushing) this._reset();
    if (this._running && this._waiting === 0) this._running = false;
    return true;
  }

  _next() {
    const first = this._queue[0];
    if (!first) return 0;
    if (first.item !== this._item) {
      this._item = first.item;
      this._played = 0;
    }
    const value = first.samples[this._offset++];
    if (this._offset === first.samples.length) {
      this._queue.shift();
      this._offset = 0;
    }
    this._waiting--;
    this._played++;
    return value;
  }

  _note(value, endSeconds) {
    this._frame[this._filled++] = value * 32_767;
    if (this._filled < FRAME) return;
    const playing = this._running && !this._paused;
    const { _frame: frame, _item: item, _played: played } = this;
    this.port.postMessage({ frame, item, played, playing, endSeconds }, [frame.buffer]);
    this._frame = new Int16Array(FRAME);
    this._filled = 0;
  }
}

registerProcessor("playback", Playback);
