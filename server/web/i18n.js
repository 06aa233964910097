// The interface's words, one JSON file for each language.

export const LANGUAGES = { en: "English", es: "Español", fr: "Français", hi: "हिन्दी", tl: "Tagalog" };
const ALIASES = { fil: "tl" }; // browsers call Tagalog so

let strings = {};
export let language = "en";

/** The language of the browser that the interface has, or English. */
export function preferredLanguage() {
  const codes = navigator.languages.map((tag) => tag.split("-")[0].toLowerCase());
  return codes.map((code) => ALIASES[code] ?? code).find((code) => code in LANGUAGES) ?? "en";
}

/** Load a language and put its words into every element that names a string. */
export async function useLanguage(code) {
  const response = await fetch(`/web/strings/${code}.json`);
  strings = await response.json();
  language = code;
  document.documentElement.lang = code;
  translate(document);
}

/** The string `key`, with each {name} replaced. */
export function t(key, values = {}) {
  const text = strings[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Fill in data-t (text), data-t-label (aria-label, and a button's title), data-t-hint (placeholder). */
function translate(root) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
    if (element.tagName === "BUTTON") element.title = t(element.dataset.tLabel);
  }
  for (const element of root.querySelectorAll("[data-t-hint]")) {
    element.placeholder = t(element.dataset.tHint);
  }
}

/** A number as the interface's language writes it. */
export function number(value, digits = 0) {
  return value.toLocaleString(language === "tl" ? "fil" : language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
