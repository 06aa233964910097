// The buttons and keys with which one talks, writes, mutes, stops and hangs up.

import { byId } from "./dom.js";
import { t } from "./i18n.js";
import { preferences } from "./preferences.js";

const ANSWERING = new Set(["ai_generating", "ai_speaking", "interrupted"]);

/** `actions`: start(), addMicrophone(), say(text), saveTranscript(), saveAudio(). */
export class Controls {
  constructor(call, actions) {
    this._call = call;
    this._actions = actions;
    this._listenToTalk();
    this._listenToKeys();
    byId("hang-up").onclick = () => call.end();
    byId("stop").onclick = () => call.interrupt();
    byId("mute").onclick = () => {
      call.mute(!call.isMuted);
      this.show();
    };
    byId("save-transcript").onclick = actions.saveTranscript;
    byId("save-audio").onclick = actions.saveAudio;
    byId("composer").onsubmit = (event) => {
      event.preventDefault();
      const text = byId("text").value.trim();
      byId("text").value = "";
      if (text) actions.say(text);
    };
  }

  /** Bring every control to where the call stands. */
  show() {
    const { isOn, hasMicrophone, isHeld, isMuted, state, recording } = this._call;
    const look = !isOn || !hasMicrophone ? "off" : preferences.mode === "hold" ? "hold" : "on";
    const words = { off: "talk_start", on: "talk_end", hold: isHeld ? "talk_release" : "talk_hold" };
    byId("talk-label").textContent = t(words[look]);
    byId("talk").dataset.look = look;
    byId("talk").classList.toggle("pressed", isHeld);
    byId("hang-up").hidden = !isOn || look === "on";
    byId("mute").disabled = look !== "on";
    byId("mute").setAttribute("aria-pressed", String(isMuted));
    byId("stop").disabled = !isOn || !ANSWERING.has(state);
    byId("save-audio").disabled = recording === null;
    // Into an open microphone a screen reader's voice would be heard as the caller's.
    byId("captions-log").ariaLive = isOn && hasMicrophone ? "off" : "polite";
  }

  get _mayPress() {
    return preferences.mode === "hold" && this._call.isOn && this._call.hasMicrophone;
  }

  /** Hands-free the button begins and ends the call; with push to talk it is held down. */
  _talk() {
    if (!this._call.isOn) this._actions.start();
    else if (this._call.isOpeningMicrophone) return;
    else if (!this._call.hasMicrophone) this._actions.addMicrophone();
    else if (preferences.mode === "free") this._call.end();
  }

  _toggle() {
    if (this._call.isHeld) this._release();
    else this._press();
  }

  _press() {
    this._call.press();
    this.show();
  }

  _release() {
    this._call.release();
    this.show();
  }

  _listenToTalk() {
    const talk = byId("talk");
    talk.onclick = ({ detail }) => {
      const byHand = detail > 0;
      if (byHand || !this._mayPress) this._talk();
      else this._toggle(); // screen readers click, and cannot hold
    };
    talk.onpointerdown = ({ button }) => {
      if (button === 0 && this._mayPress) this._press();
    };
    talk.oncontextmenu = (event) => event.preventDefault(); // what a long press on a phone gives
    for (const type of ["pointerup", "pointercancel", "blur"]) {
      window.addEventListener(type, () => this._release());
    }
  }

  /** Space talks wherever it has no other use, as Enter on the button; Escape stops an answer. */
  _listenToKeys() {
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this._call.isOn) this._call.interrupt();
      if (!isTalkKey(event) || isShortcut(event)) return;
      event.preventDefault();
      if (event.repeat) return;
      if (this._mayPress) this._press();
      else this._talk();
    });
    document.addEventListener("keyup", (event) => {
      if (!isTalkKey(event)) return;
      event.preventDefault(); // or the button that has the focus would be clicked as well
      this._release();
    });
  }
}

function isTalkKey({ key, target }) {
  if (key === "Enter") return target.id === "talk";
  return key === " " && !target.closest("input, select, textarea, summary, button:not(#talk)");
}

/** Of the system: many choose the keyboard's language with Space and another key. */
function isShortcut({ ctrlKey, altKey, metaKey }) {
  return ctrlKey || altKey || metaKey;
}
