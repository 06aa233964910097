// One call: the connection, the microphone and the loudspeaker, and what the server's events do to
// them. It tells of what happens by events and draws nothing.

import { openMicrophone, openSpeaker } from "./audio.js";
import { Connection } from "./connection.js";
import { RATE_HZ } from "./pcm.js";
import { Recording } from "./recording.js";

const EXTENSIONS = ["state", "turn", "interruption", "playback", "handover"];
const SHORTEST_PRESS_MS = 200; // a shorter one was a slip
const FRAME_MS = 20;
const EARLY_FRAMES = 10_000 / FRAME_MS; // what is said while the line is being opened, at most
const LARGEST_BACKLOG_BYTES = 256 * 1024; // five seconds of speech that the network does not take

/**
 * Events, each with a `detail`: "status" (of the connection), "state" (one of the six), "caller"
 * {id}, "partial" {id, delta}, "heard" {id, text, language}, "answer" {id}, "words" {id, delta,
 * atMs}, "cut" {id, atMs}, "turn" {turn, heardMs}, "interruption", "handover", "error" {message}, "lost" (the
 * microphone), and the frames of 20 ms of both sides: "input" {frame}, "output" {frame, endSeconds}.
 */
export class Call extends EventTarget {
  /** `history()` gives the messages that a new connection is told, so that it goes on. */
  constructor(preferences, history) {
    super();
    this.recording = null;
    this.isOn = false;
    this.isMuted = false;
    this.isHeld = false; // push to talk: pressed
    this.state = "listening_idle";
    this.connection = new Connection();
    this._preferences = preferences;
    this._history = history;
    this._microphone = null;
    this._openingMicrophone = null; // the promise of one that the browser has not given yet
    this._speaker = null;
    this._pressedMs = 0;
    this._isAsked = false; // a response was asked for and has not come yet
    this._responseId = null; // of the response in progress
    this._cancelledId = null; // of the last response that was cancelled here
    this._message = null; // {id, responseId} of the message whose audio comes
    this._early = []; // frames that were captured before the line was open
    this._turn = null; // whose first sound has not been played yet
    this._firstSound = { responseId: null }; // of the last answer, when by the page's clock
    this._forgetAnswer();
    this.connection.addEventListener("status", ({ detail }) => this._onStatus(detail));
    this.connection.addEventListener("message", ({ detail }) => this._onMessage(detail));
    this.connection.addEventListener("audio", ({ detail }) => this._receiveAudio(detail));
  }

  get hasMicrophone() {
    return this._microphone !== null;
  }

  /** The browser is asked for a microphone, which may take as long as the user likes. */
  get isOpeningMicrophone() {
    return this._openingMicrophone !== null;
  }

  /** Begin; throws AudioError. Without a microphone it is a conversation in writing. */
  async start({ withMicrophone, key }) {
    this.recording = new Recording();
    if (withMicrophone) await this.useMicrophone();
    await this._wakeSpeaker();
    this.isOn = true;
    this.connection.open(key);
  }

  /**
   * Take the chosen microphone into the call, in place of the one it has. Throws AudioError.
   * One that comes when the call is over, or another is chosen, is not taken.
   */
  async useMicrophone() {
    this._closeMicrophone();
    const opening = openMicrophone(
      this._preferences.microphone,
      this._onCaptured,
      this._onMicrophoneLost,
    );
    this._openingMicrophone = opening;
    const microphone = await opening.catch((error) => this._giveUpMicrophone(opening, error));
    if (this._openingMicrophone !== opening) {
      microphone?.close();
      return;
    }
    this._openingMicrophone = null;
    this._microphone = microphone;
    microphone.mute(this.isMuted);
  }

  async useSpeaker(deviceId) {
    await this._speaker?.setDevice(deviceId);
  }

  end() {
    this.connection.close();
  }

  mute(muted) {
    this.isMuted = muted;
    this._microphone?.mute(muted);
  }

  /** Push to talk: the button goes down. */
  press() {
    if (this.isHeld) return;
    this.interrupt();
    this.connection.send({ type: "input_audio_buffer.clear" });
    this._pressedMs = performance.now();
    this.isHeld = true;
  }

  /** Push to talk: the button goes up, and what was said is answered. */
  release() {
    if (!this.isHeld) return;
    this.isHeld = false;
    if (performance.now() - this._pressedMs < SHORTEST_PRESS_MS) {
      this.connection.send({ type: "input_audio_buffer.clear" });
      return;
    }
    this.connection.send({ type: "input_audio_buffer.commit" });
    this._ask();
  }

  /** Say something in writing. */
  say(id, text) {
    this.interrupt();
    this.connection.send({ type: "conversation.item.create", item: message(id, "user", text) });
    this._ask();
  }

  /** The user stops the answer, though it may not have begun. */
  interrupt() {
    const isAnswered = this._isAsked || this._responseId !== null;
    if (isAnswered) this.connection.send({ type: "response.cancel" });
    this._isAsked = false;
    this._cancelledId = this._responseId; // what of it is on its way here is not for anybody
    this._silence();
  }

  /** Tell the server what was chosen. */
  configure() {
    const { mode, language, voice, speed } = this._preferences;
    const session = {
      type: "realtime",
      output_modalities: ["audio"],
      audio: {
        input: {
          transcription: { model: "whisper", language: language || null },
          turn_detection: mode === "hold" ? null : { type: "server_vad" },
        },
        output: { voice, speed },
      },
      tinig: { events: EXTENSIONS, binary_audio: true },
    };
    this.connection.send({ type: "session.update", session });
  }

  _ask() {
    this._isAsked = true;
    this.connection.send({ type: "response.create" });
  }

  // ---- the devices ----------------------------------------------------------------------------

  async _wakeSpeaker() {
    try {
      this._speaker ??= await openSpeaker(this._preferences.speaker, this._onPlayed);
      await this._speaker.wake();
    } catch (error) {
      this._closeMicrophone(); // there is no call
      throw error;
    }
  }

  /** Why there is none is told only where one is still waited for. */
  _giveUpMicrophone(opening, error) {
    if (this._openingMicrophone !== opening) return;
    this._openingMicrophone = null;
    throw error;
  }

  _closeMicrophone() {
    this._openingMicrophone = null;
    this._microphone?.close();
    this._microphone = null;
  }

  _onCaptured = (frame) => {
    const meant = this._preferences.mode === "free" || this.isHeld;
    this.recording.addCaller(frame, !meant || this.isMuted);
    this._tell("input", { frame });
    if (!meant || this.connection.backlog > LARGEST_BACKLOG_BYTES) return;
    if (this.connection.status === "online") this.connection.sendAudio(frame);
    else if (this._isOpening && this._early.length < EARLY_FRAMES) this._early.push(frame);
  };

  /** Nobody waits for the line before they speak; while it is lost, they do. */
  get _isOpening() {
    return this._preferences.mode === "free" && this.connection.status !== "waiting";
  }

  _onMicrophoneLost = () => {
    this._closeMicrophone();
    this._tell("lost");
  };

  _onPlayed = ({ frame, item, played, playing, endSeconds }) => {
    if (this.isOn) this.recording.addServer(frame);
    this._playedItem = item;
    this._playedMs = (1000 * played) / RATE_HZ;
    if (playing && item === this._item && this._firstSound.playedMs === null) {
      const agoSeconds = this._speaker.nowSeconds() - endSeconds + FRAME_MS / 1000;
      const delaySeconds = this._speaker.latencySeconds() - agoSeconds;
      this._firstSound.playedMs = performance.now() + 1000 * delaySeconds;
      this._tellTurn();
    }
    this._tell("output", { frame, endSeconds });
  };

  /** Stop the sound at once, and tell the server how much of it was heard. */
  _silence() {
    this._speaker?.flush();
    const atMs = this._playedItem === this._item ? Math.round(this._playedMs) : 0;
    if (this._item === null || atMs >= Math.round(this._receivedMs)) return;
    this.connection.send({
      type: "conversation.item.truncate",
      item_id: this._item,
      content_index: 0,
      audio_end_ms: atMs,
    });
    this._tell("cut", { id: this._item, atMs });
    this._forgetAnswer();
  }

  _forgetAnswer() {
    this._tellTurn();
    this._item = null; // the answer whose audio comes or plays
    this._receivedMs = 0; // of its audio
    this._playedItem = null;
    this._playedMs = 0;
  }

  // ---- what the connection tells --------------------------------------------------------------

  _onStatus(detail) {
    if (detail.status === "online") {
      this.configure();
      for (const { id, role, text } of this._history()) {
        this.connection.send({ type: "conversation.item.create", item: message(id, role, text) });
      }
      for (const frame of this._early.splice(0)) this.connection.sendAudio(frame);
    } else if (detail.status !== "connecting") {
      this._silence();
      this._early = [];
      this._isAsked = false;
      this._responseId = null;
      this._forgetAnswer();
      this._setState("listening_idle");
    }
    if (detail.status === "offline" || detail.status === "refused") this._hangUp();
    this._tell("status", detail);
  }

  _hangUp() {
    this.isOn = false;
    this.isHeld = false;
    this._closeMicrophone();
    this._speaker?.sleep();
  }

  _onMessage(event) {
    HANDLERS[event.type]?.(this, event);
  }

  _setState(state) {
    this.state = state;
    this._tell("state", state);
  }

  /** One that begins while the user talks comes too late. */
  _beginResponse({ response }) {
    this._isAsked = false;
    this._responseId = response.id;
    if (this.isHeld) this.interrupt();
  }

  _beginMessage({ item, response_id: responseId }) {
    if (item.type !== "message") return;
    this._message = { id: item.id, responseId };
    this._tell("answer", { id: item.id });
  }

  _receiveAudio(samples) {
    const { id, responseId } = this._message;
    if (responseId === this._cancelledId) return;
    if (id !== this._item) {
      this._tellTurn();
      this._item = id;
      this._receivedMs = 0;
      this._firstSound = { responseId, receivedMs: performance.now(), playedMs: null };
    }
    this._receivedMs += (1000 * samples.length) / RATE_HZ;
    this._speaker.push(samples, id);
  }

  _receiveWords(event) {
    if (event.response_id === this._cancelledId) return;
    const atMs = event.item_id === this._item ? this._receivedMs : 0;
    this._tell("words", { id: event.item_id, delta: event.delta, atMs });
  }

  _receiveTurn({ turn }) {
    this._tellTurn();
    this._turn = turn;
    const isAwaited = this._item !== null && this._firstSound.responseId === turn.response_id;
    if (!isAwaited || this._firstSound.playedMs !== null) this._tellTurn();
  }

  /** The turn's record, with when its first sound was played if it was. */
  _tellTurn() {
    const turn = this._turn;
    if (!turn) return;
    this._turn = null;
    const sentMs = turn.milestones_ms.first_audio_sent;
    const { responseId, receivedMs, playedMs } = this._firstSound;
    const known = responseId === turn.response_id && playedMs !== null;
    const heardMs = known ? sentMs + playedMs - receivedMs : null;
    this._tell("turn", { turn, heardMs });
  }

  _tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const HANDLERS = {
  "input_audio_buffer.speech_started": (call, event) => {
    call._silence();
    call._tell("caller", { id: event.item_id });
  },
  "input_audio_buffer.committed": (call, event) => call._tell("caller", { id: event.item_id }),
  "conversation.item.input_audio_transcription.delta": (call, event) =>
    call._tell("partial", { id: event.item_id, delta: event.delta }),
  "conversation.item.input_audio_transcription.completed": (call, event) =>
    call._tell("heard", {
      id: event.item_id,
      text: event.transcript,
      language: event.languages?.[0]?.code ?? "",
    }),
  "conversation.item.input_audio_transcription.failed": (call, event) =>
    call._tell("heard", { id: event.item_id, text: "", language: "" }),
  "response.created": (call, event) => call._beginResponse(event),
  "response.output_item.added": (call, event) => call._beginMessage(event),
  "response.output_audio_transcript.delta": (call, event) => call._receiveWords(event),
  "response.output_audio.done": (call) => call._speaker.end(),
  "response.done": (call) => (call._responseId = null),
  "tinig.state": (call, event) => call._setState(event.state),
  "tinig.playback": (call, event) =>
    event.action === "pause" ? call._speaker.pause() : call._speaker.resume(),
  "tinig.turn": (call, event) => call._receiveTurn(event),
  "tinig.handover": (call) => call._tell("handover"),
  "tinig.interruption": (call, event) => call._tell("interruption", event.interruption),
  error: (call, { error }) => {
    if (!HARMLESS.has(error.code)) call._tell("error", { message: error.message });
  },
};

// What the page asked for came too late: the answer had ended by itself meanwhile.
const HARMLESS = new Set([
  "response_cancel_not_active",
  "item_truncate_invalid_item_id",
  "input_audio_buffer_commit_empty",
]);

function message(id, role, text) {
  const type = role === "assistant" ? "output_text" : "input_text";
  return { id, type: "message", role, content: [{ type, text }] };
}
