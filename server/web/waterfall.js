// When each turn's milestones were reached, from the end of the caller's speech.

import { make } from "./dom.js";
import { number, t } from "./i18n.js";

const SHOWN_TURNS = 20;

export class Waterfall {
  constructor(list, empty, languageName) {
    this._list = list;
    this._empty = empty;
    this._languageName = languageName;
    this._turns = 0;
  }

  /** `heardMs`: when the first sound left the loudspeaker, or null. */
  add(turn, heardMs) {
    const milestones = inOrder(turn.milestones_ms, heardMs);
    if (!milestones.length) return;
    this._turns += 1;
    for (const details of this._list.querySelectorAll("details")) details.open = false;
    const summary = make("summary", "", this._title(turn), totals(milestones));
    const details = make("details", "turn", summary, bars(milestones));
    details.open = true;
    this._list.prepend(make("li", "", details));
    while (this._list.children.length > SHOWN_TURNS) this._list.lastChild.remove();
    this._empty.hidden = true;
  }

  _title(turn) {
    const title = make("span", "turn-title", t("turn_number", { number: number(this._turns) }));
    title.append(make("span", "tag", this._languageName(turn.language)));
    if (turn.draft === "hit") title.append(make("span", "tag good", t("draft_hit")));
    if (turn.status === "cancelled") title.append(make("span", "tag", t("turn_cancelled")));
    return title;
  }
}

/** [name, ms] pairs in the order of time. */
function inOrder(milestonesMs, heardMs) {
  const all = { ...milestonesMs };
  delete all.speech_end; // the zero of the others
  if (heardMs !== null) all.heard = heardMs;
  return Object.entries(all).sort((a, b) => a[1] - b[1]);
}

function totals(milestones) {
  const times = Object.fromEntries(milestones);
  const first = times.heard ?? times.first_audio_sent;
  return make("span", "turn-total", first === undefined ? "" : t("ms", { ms: number(first) }));
}

/** One row for each milestone; its bar reaches from the milestone before to it. */
function bars(milestones) {
  const start = Math.min(0, milestones[0][1]);
  const span = Math.max(1, milestones.at(-1)[1] - start);
  const rows = milestones.map(([name, ms], index) => {
    const from = index ? milestones[index - 1][1] : 0;
    const bar = make("span", `bar ${name}`);
    bar.style.setProperty("--from", `${(100 * (Math.min(from, ms) - start)) / span}%`);
    bar.style.setProperty("--width", `${(100 * Math.abs(ms - from)) / span}%`);
    const track = make("td", "track", bar);
    track.setAttribute("aria-hidden", "true");
    const label = make("th", "", t(`milestone_${name}`));
    label.scope = "row";
    return make("tr", "", label, track, make("td", "time", t("ms", { ms: number(ms) })));
  });
  return make("table", "waterfall", make("tbody", "", ...rows));
}
