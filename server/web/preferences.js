// What the user has chosen, kept by the browser. The key lives only as long as its tab.

const NAME = "tinig";
const DEFAULTS = {
  mode: "free", // or "hold": push to talk
  language: "", // of the caller; "": recognised
  voice: "default",
  speed: 1,
  microphone: "", // device ids; "": the system's choice
  speaker: "",
  interface: "", // language of the page; "": the browser's
};

export const preferences = { ...DEFAULTS, ...stored() };

/** Remember a choice. */
export function prefer(name, value) {
  preferences[name] = value;
  attempt(() => localStorage.setItem(NAME, JSON.stringify(preferences)));
}

/** The server's key, if one was typed in this tab. */
export function storedKey() {
  return attempt(() => sessionStorage.getItem(NAME)) ?? "";
}

export function storeKey(key) {
  attempt(() => sessionStorage.setItem(NAME, key));
}

function stored() {
  return JSON.parse(attempt(() => localStorage.getItem(NAME)) ?? "{}");
}

/** A browser that keeps nothing for this page (private windows) throws; then nothing is kept. */
function attempt(action) {
  try {
    return action();
  } catch {
    return null;
  }
}
