// What both sides say, while they say it.

import { make } from "./dom.js";
import { number, t } from "./i18n.js";

/** One message: its element, and the pieces of text with the place of each in the audio. */
class Caption {
  constructor(id, role) {
    this.id = id;
    this.role = role;
    this.pieces = []; // {text, atMs}
    this.cutMs = null; // the answer was heard up to here
    this.isFinal = false;
    this.time = new Date();
    this.text = make("p", "caption-text");
    this.facts = make("p", "caption-facts");
    this.element = make("li", `caption ${role}`, this.text, this.facts);
  }

  append(text, atMs) {
    this.pieces.push({ text, atMs });
    // What stands there already is not written again: a screen reader would read it again.
    if (this.pieces.length > 1 && this.cutMs === null) this.text.append(text);
    else this._draw();
  }

  replace(text) {
    this.pieces = [{ text, atMs: 0 }];
    this.isFinal = true;
    this._draw();
  }

  cut(atMs) {
    this.cutMs = atMs;
    this._draw();
  }

  /** The words that were heard, and those that were not. */
  split() {
    if (this.cutMs === null) return [this.pieces.map(({ text }) => text).join(""), ""];
    let heard = "";
    let unheard = "";
    for (const [index, piece] of this.pieces.entries()) {
      const endMs = this.pieces[index + 1]?.atMs ?? this.endMs;
      const share = (this.cutMs - piece.atMs) / Math.max(1, endMs - piece.atMs);
      const end = wordEnd(piece.text, share);
      heard += piece.text.slice(0, end);
      unheard += piece.text.slice(end);
    }
    return [heard, unheard];
  }

  /** Where the last piece ends, guessed from the pace of speech: it may not have come whole. */
  get endMs() {
    const last = this.pieces.at(-1);
    return last ? last.atMs + Math.max(400, 65 * last.text.length) : 0;
  }

  _draw() {
    const [heard, unheard] = this.split();
    this.element.classList.toggle("pending", !this.isFinal && this.role === "user");
    this.text.replaceChildren(heard);
    if (unheard) {
      const rest = make("s", "unheard", unheard);
      rest.title = t("not_heard");
      this.text.append(rest);
    }
  }
}

export class Captions {
  constructor(list, empty, languageName) {
    this._list = list;
    this._empty = empty;
    this._languageName = languageName;
    this._captions = new Map(); // of this conversation, by item
    this._log = []; // lines of all conversations on this page, for the transcript
    this._isFollowed = true; // the end of them is kept in sight
    this._follow();
  }

  /** A message begins, unless it has begun already. */
  begin(id, role) {
    if (this._captions.has(id)) return this._captions.get(id);
    const caption = new Caption(id, role);
    caption.element.prepend(make("span", "caption-who", t(role === "user" ? "you" : "tinig")));
    this._captions.set(id, caption);
    this._log.push(caption);
    this._add(caption.element);
    if (role === "user") {
      caption.text.append(make("span", "dots", "•••"));
      this._isFollowed = true;
    }
    return caption;
  }

  /** Words of the caller that are certain already. */
  partial(id, delta) {
    const caption = this.begin(id, "user");
    if (!caption.isFinal) caption.append(delta, 0);
  }

  /** What the caller said in the end; nothing, when it was no speech. */
  heard(id, text, language) {
    const caption = this.begin(id, "user");
    if (!text) {
      this._remove(caption);
      return;
    }
    caption.text.lang = language;
    caption.replace(text);
    if (language) caption.facts.textContent = this._languageName(language);
  }

  /** Words of the answer, which sound from `atMs` of its audio. */
  words(id, delta, atMs) {
    this.begin(id, "assistant").append(delta, atMs);
  }

  cut(id, atMs) {
    this._captions.get(id)?.cut(atMs);
  }

  /** What the turn's record says of the language and how sure that is. */
  annotate(turn) {
    const caption = this._captions.get(turn.item_id);
    if (!caption?.isFinal) return;
    const sure = turn.language_probabilities[turn.language] ?? 1;
    caption.facts.textContent = t("sure", {
      language: this._languageName(turn.language),
      percent: number(100 * sure),
      words: number(100 * turn.confidence),
    });
    const others = Object.entries(turn.language_probabilities).sort((a, b) => b[1] - a[1]);
    caption.facts.title = others
      .map(([code, share]) => `${this._languageName(code)} ${number(100 * share, 1)}%`)
      .join(", ");
  }

  /** What a sound of the caller over an answer was. */
  note({ verdict, stages }) {
    const heard = stages.at(-1)?.heard ?? "";
    const line = t(`verdict_${verdict}`, { heard: heard ? `“${heard}”` : "" });
    const title = stages
      .map((stage) => `${stage.stage} ${stage.at_ms} ms: ${stage.verdict} ${stage.heard}`)
      .join("\n");
    this.tell(line, verdict).title = title;
  }

  /** A line between the messages; its element. */
  tell(line, kind) {
    const element = make("li", `note ${kind}`, line);
    this._log.push({ line, time: new Date() });
    this._add(element);
    return element;
  }

  /** Who paused without a word, or was stopped before the first, leaves nothing behind. */
  sweep() {
    for (const caption of this._captions.values()) {
      if (!caption.pieces.length) this._remove(caption);
    }
  }

  /** A conversation begins that knows nothing of those above it. */
  startConversation() {
    if (this._captions.size) {
      this.tell(t("new_conversation"), "divider");
    }
    this._captions.clear();
  }

  /** This conversation's messages, as far as they were heard: the last `count`. */
  messages(count) {
    return [...this._captions.values()]
      .map((caption) => ({ id: caption.id, role: caption.role, text: caption.split()[0].trim() }))
      .filter(({ text }) => text)
      .slice(-count);
  }

  /** All of this page's conversations as text. */
  transcript() {
    const lines = this._log.map((entry) => {
      const time = entry.time.toLocaleTimeString([], { hour12: false });
      if (entry.line) return `${time}  (${entry.line})`;
      const [heard, unheard] = entry.split();
      const who = t(entry.role === "user" ? "you" : "tinig");
      return `${time}  ${who}: ${heard.trim()}${unheard ? ` [${unheard.trim()}]` : ""}`;
    });
    return lines.join("\n") + "\n";
  }

  get isEmpty() {
    return this._log.length === 0;
  }

  _add(element) {
    this._list.append(element);
    this._empty.hidden = true;
  }

  _remove(caption) {
    caption.element.remove();
    this._captions.delete(caption.id);
    this._log.splice(this._log.indexOf(caption), 1);
    this._empty.hidden = !this.isEmpty;
  }

  /** Follow what is said, until the user scrolls up to read. */
  _follow() {
    const log = this._list.parentElement;
    const below = () => log.scrollHeight - log.scrollTop - log.clientHeight;
    log.addEventListener("scroll", () => (this._isFollowed = below() < 40));
    const sizes = new ResizeObserver(() => {
      if (this._isFollowed) log.scrollTop = log.scrollHeight;
    });
    sizes.observe(log);
    sizes.observe(this._list);
  }
}

/** The end of the last word that lies wholly within this share of the text. */
function wordEnd(text, share) {
  const limit = Math.floor(text.length * Math.max(0, share));
  if (limit >= text.length) return text.length;
  return Math.max(0, text.lastIndexOf(" ", limit));
}
