// One line of words for what went wrong, read out by screen readers.

import { byId } from "./dom.js";
import { t } from "./i18n.js";

/** Show a string of the interface. */
export function notify(key, values = {}) {
  byId("notice-text").textContent = t(key, values);
  byId("notice").hidden = false;
}

export function clearNotice() {
  byId("notice").hidden = true;
}

byId("notice-close").onclick = clearNotice;
