// The page: what the user does goes to the call, what the call tells is shown.

import { AudioError } from "./audio.js";
import { Call } from "./call.js";
import { Captions } from "./captions.js";
import { askForKey, listenToChoices, showChoices, showDevices } from "./choices.js";
import { Controls } from "./controls.js";
import { byId, download, fillSelect, make } from "./dom.js";
import { askFacts, languageName, languages } from "./facts.js";
import { LANGUAGES, number, preferredLanguage, t, useLanguage } from "./i18n.js";
import { Meter, StateStrip } from "./indicators.js";
import { clearNotice, notify } from "./notice.js";
import { prefer, preferences, storedKey } from "./preferences.js";
import { Waterfall } from "./waterfall.js";

const REMEMBERED_MESSAGES = 12; // what a new connection is told of the conversation so far
const EXAMPLES = ["example_1", "example_2", "example_3"];

let starting = null; // a call that begins

export const call = new Call(preferences, () => captions.messages(REMEMBERED_MESSAGES));
const captions = new Captions(byId("captions"), byId("empty"), languageName);
const waterfall = new Waterfall(byId("turns"), byId("timing-empty"), languageName);
const strip = new StateStrip(byId("states"), byId("talk"));
const meterYou = new Meter(byId("meter-you"));
const meterTinig = new Meter(byId("meter-tinig"));
const controls = new Controls(call, { start, addMicrophone, say, saveTranscript, saveAudio });

listenToCall();
listenToChoices(call, {
  onMode,
  onMicrophone: () => (call.hasMicrophone || call.isOpeningMicrophone) && addMicrophone(),
});
byId("interface").onchange = async ({ target }) => {
  prefer("interface", target.value);
  await useLanguage(target.value);
  await showAll();
};
await useLanguage(preferences.interface || preferredLanguage());
await askFacts().catch(() => notify("server_silent"));
await showAll();

/** All that depends on the interface's language. */
async function showAll() {
  const names = languages().map(([, name]) => name);
  byId("empty-text").textContent = t("empty_text", { languages: names.join(", ") });
  byId("examples").replaceChildren(...EXAMPLES.map(exampleButton));
  const chosen = preferences.interface || preferredLanguage();
  fillSelect(byId("interface"), Object.entries(LANGUAGES), chosen);
  strip.translate();
  showStatus(call.connection.status);
  controls.show();
  await showChoices();
}

function exampleButton(key) {
  const button = make("button", "example", t(key));
  button.type = "button";
  button.onclick = () => say(button.textContent);
  return button;
}

function showStatus(status, seconds = "") {
  byId("connection").dataset.status = status;
  byId("connection").textContent = t(`status_${status}`, { seconds });
}

// ---- what the call tells ----------------------------------------------------------------------

function listenToCall() {
  const on = (type, react) => call.addEventListener(type, ({ detail }) => react(detail));
  on("status", onStatus);
  on("state", onState);
  on("caller", ({ id }) => captions.begin(id, "user"));
  on("partial", ({ id, delta }) => captions.partial(id, delta));
  on("heard", ({ id, text, language }) => captions.heard(id, text, language));
  on("answer", ({ id }) => captions.begin(id, "assistant"));
  on("words", ({ id, delta, atMs }) => captions.words(id, delta, atMs));
  on("cut", ({ id, atMs }) => captions.cut(id, atMs));
  on("turn", onTurn);
  on("interruption", (record) => captions.note(record));
  on("handover", () => captions.tell(t("handover"), "handover"));
  on("error", ({ message }) => notify("server_error", { message }));
  on("lost", onMicrophoneLost);
  on("input", ({ frame }) => meterYou.show(frame));
  on("output", ({ frame }) => meterTinig.show(frame));
}

function onStatus({ status, reason, seconds }) {
  const values = { seconds: number(seconds, seconds < 1 ? 1 : 0) };
  showStatus(status, values.seconds);
  if (reason) notify(reason, values);
  else if (status === "online") clearNotice();
  if (reason.startsWith("key_")) askForKey();
  if (!call.isOn) meterYou.rest();
  controls.show();
}

function onState(state) {
  strip.show(state);
  if (state === "listening_idle") captions.sweep();
  byId("save-transcript").disabled = captions.isEmpty;
  controls.show();
}

function onTurn({ turn, heardMs }) {
  captions.annotate(turn);
  waterfall.add(turn, heardMs);
}

function onMicrophoneLost() {
  notify("mic_missing");
  meterYou.rest();
  controls.show();
}

/** Who holds a button to talk is not muted: their button for it is of no use then. */
function onMode() {
  if (preferences.mode === "hold") call.mute(false);
  controls.show();
}

// ---- what the user does -----------------------------------------------------------------------

/** Once, however often it is asked for while the browser asks for the microphone. */
function start(withMicrophone = true) {
  starting ??= begin(withMicrophone).finally(() => (starting = null));
  return starting;
}

async function begin(withMicrophone) {
  clearNotice();
  captions.startConversation();
  await withWords(() => call.start({ withMicrophone, key: storedKey() }));
  await showDevices();
}

async function addMicrophone() {
  clearNotice();
  await withWords(() => call.useMicrophone());
}

/** What has to do with sound fails in words. */
async function withWords(action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof AudioError)) throw error;
    notify(error.reason);
  }
  controls.show();
}

async function say(text) {
  await starting;
  if (!call.isOn) await start(false);
  if (!(await call.connection.settled())) {
    byId("text").value = `${byId("text").value} ${text}`.trim(); // beside what is being written
    return;
  }
  const id = `item_${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
  captions.heard(id, text, "");
  call.say(id, text);
}

function saveTranscript() {
  download(new Blob([captions.transcript()], { type: "text/plain" }), "tinig.txt");
}

function saveAudio() {
  const file = call.recording.toBlob();
  if (file) download(file, "tinig.wav");
}
