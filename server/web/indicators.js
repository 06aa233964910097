// Whose turn it is, and how loud both sides are.

import { make } from "./dom.js";
import { t } from "./i18n.js";
import { level } from "./pcm.js";

const STATES = [
  "listening_idle",
  "listening_active",
  "processing",
  "ai_generating",
  "ai_speaking",
  "interrupted",
];
const FALL = 0.8; // of the level, each frame of 20 ms: meters rise at once and fall slowly

/** The six states in a row; the current one stands out, and colours the talk button. */
export class StateStrip {
  constructor(list, button) {
    this._button = button;
    this._items = new Map(STATES.map((state) => [state, make("li", state)]));
    list.append(...this._items.values());
    this.show("listening_idle");
  }

  show(current) {
    this._button.dataset.state = current;
    for (const [state, item] of this._items) {
      if (state === current) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
  }

  translate() {
    for (const [state, item] of this._items) item.textContent = t(`state_${state}`);
  }
}

/** A level meter; drawn at the screen's pace, however often it is told. */
export class Meter {
  constructor(element) {
    this._element = element;
    this._level = 0;
    this._drawing = false;
  }

  show(frame) {
    this._level = Math.max(level(frame), FALL * this._level);
    this._draw();
  }

  rest() {
    this._level = 0;
    this._draw();
  }

  _draw() {
    if (this._drawing) return;
    this._drawing = true;
    requestAnimationFrame(() => {
      this._drawing = false;
      this._element.style.setProperty("--level", this._level.toFixed(3));
    });
  }
}
