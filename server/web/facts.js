// What the server says of itself: its languages, its voices, whether it needs a key.

let facts = { languages: [], voices: {}, needs_key: false };

/** Ask for them; throws when the server does not answer. */
export async function askFacts() {
  facts = await (await fetch("/v1/tinig", { cache: "no-store" })).json();
}

export const needsKey = () => facts.needs_key;

/** [code, name in itself] of each language. */
export const languages = () => facts.languages.map(({ code, name }) => [code, name]);

export function languageName(code) {
  return facts.languages.find((language) => language.code === code)?.name ?? code;
}

/** The voices that can speak all of these languages. */
export function commonVoices(codes) {
  const [first = [], ...others] = codes.map((code) => facts.voices[code] ?? []);
  return first.filter((name) => others.every((voices) => voices.includes(name)));
}
