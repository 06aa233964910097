// The page: what the user does goes to the call, what the call tells is shown.

import { MicrophoneError, canChooseSpeaker, devices } from "./audio.js";
import { Call } from "./call.js";
import { Captions } from "./captions.js";
import { byId, download, fillSelect, make } from "./dom.js";
import { LANGUAGES, number, preferredLanguage, t, useLanguage } from "./i18n.js";
import { Meter, StateStrip } from "./indicators.js";
import { prefer, preferences, storeKey, storedKey } from "./preferences.js";
import { Waterfall } from "./waterfall.js";

const REMEMBERED_MESSAGES = 12; // what a new connection is told of the conversation so far
const EXAMPLES = ["example_1", "example_2", "example_3"];

let facts = { languages: [], default_language: "en", voices: {}, needs_key: false };

const call = new Call(preferences);
const captions = new Captions(byId("captions"), byId("empty"), languageName);
const waterfall = new Waterfall(byId("turns"), byId("timing-empty"), languageName);
const strip = new StateStrip(byId("states"), byId("talk"));
const meterYou = new Meter(byId("meter-you"));
const meterTinig = new Meter(byId("meter-tinig"));

call.rememberFrom(() => captions.messages(REMEMBERED_MESSAGES));
listenToCall();
listenToControls();
listenToChoices();
listenToKeys();
await useLanguage(preferences.interface || preferredLanguage());
await askFacts();
await showAll();

// ---- what is shown ----------------------------------------------------------------------------

function languageName(code) {
  return facts.languages.find((language) => language.code === code)?.name ?? code;
}

async function askFacts() {
  try {
    facts = await (await fetch("/v1/tinig", { cache: "no-store" })).json();
  } catch {
    notify("server_unreachable");
  }
}

/** Everything that depends on the interface's language or on the server's facts. */
async function showAll() {
  const names = facts.languages.map(({ name }) => name).join(", ");
  byId("empty-text").textContent = t("empty_text", { languages: names });
  byId("examples").replaceChildren(...EXAMPLES.map(exampleButton));
  fillSelect(byId("interface"), Object.entries(LANGUAGES), preferences.interface || preferredLanguage());
  const languages = facts.languages.map(({ code, name }) => [code, name]);
  fillSelect(byId("language"), [["", t("language_auto")], ...languages], preferences.language);
  showVoices();
  showSpeed();
  byId("key-field").hidden = !facts.needs_key;
  byId("key").value = storedKey();
  document.querySelector(`[name=mode][value=${preferences.mode}]`).checked = true;
  strip.translate();
  showStatus(call.connection.status);
  showControls();
  await showDevices();
}

/** The voices that can speak whatever language the caller may speak. */
function showVoices() {
  const codes = preferences.language ? [preferences.language] : Object.keys(facts.voices);
  const [first = [], ...others] = codes.map((code) => facts.voices[code] ?? []);
  const common = first.filter((name) => others.every((voices) => voices.includes(name)));
  const options = common.map((name) => [name, name]);
  fillSelect(byId("voice"), [["default", t("voice_default")], ...options], preferences.voice);
  if (facts.languages.length) prefer("voice", byId("voice").value);
}

function showSpeed() {
  byId("speed").value = preferences.speed;
  byId("speed-value").textContent = `${number(preferences.speed, 2)}×`;
}

async function showDevices() {
  const system = ["", t("device_default")];
  fillSelect(byId("microphone"), [system, ...(await devices("audioinput"))], preferences.microphone);
  fillSelect(byId("speaker"), [system, ...(await devices("audiooutput"))], preferences.speaker);
  byId("speaker-field").hidden = !canChooseSpeaker;
}

function exampleButton(key) {
  const button = make("button", "example", t(key));
  button.type = "button";
  button.onclick = () => say(button.textContent);
  return button;
}

function showStatus(status, seconds = 0) {
  const pill = byId("connection");
  pill.dataset.status = status;
  pill.textContent = t(`status_${status}`, { seconds: number(seconds, seconds < 1 ? 1 : 0) });
}

function showControls() {
  const hold = preferences.mode === "hold" && call.isOn && call.hasMicrophone;
  const live = call.isOn && call.hasMicrophone;
  const label = hold ? (call.isHeld ? "talk_release" : "talk_hold") : live ? "talk_end" : "talk_start";
  byId("talk-label").textContent = t(label);
  byId("talk").dataset.look = hold ? "hold" : live ? "on" : "off";
  byId("talk").classList.toggle("pressed", call.isHeld);
  byId("hang-up").hidden = !(call.isOn && (hold || !live));
  byId("mute").disabled = !live || hold;
  byId("mute").setAttribute("aria-pressed", String(call.isMuted));
  byId("stop").disabled = !call.isOn || !["ai_generating", "ai_speaking", "interrupted"].includes(call.state);
  byId("save-transcript").disabled = captions.isEmpty;
  byId("save-audio").disabled = !call.recording;
}

function notify(key, values = {}) {
  byId("notice-text").textContent = t(key, values);
  byId("notice").hidden = false;
}

function clearNotice() {
  byId("notice").hidden = true;
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
  on("error", ({ message }) => notify("server_error", { message }));
  on("input", ({ frame }) => meterYou.show(frame));
  on("output", ({ frame }) => meterTinig.show(frame));
}

function onStatus({ status, reason, seconds }) {
  showStatus(status, seconds);
  if (reason) notify(reason, { seconds: number(seconds, seconds < 1 ? 1 : 0) });
  else if (status === "online") clearNotice();
  if (reason.startsWith("key_")) askForKey();
  if (status === "offline" || status === "refused") meterYou.rest();
  showControls();
}

function onState(state) {
  strip.show(state);
  if (state === "listening_idle") captions.sweep();
  showControls();
}

function onTurn({ turn, heardMs }) {
  captions.annotate(turn);
  waterfall.add(turn, heardMs);
}

function askForKey() {
  facts.needs_key = true;
  byId("key-field").hidden = false;
  byId("settings").open = true;
  byId("key").focus();
}

// ---- what the user does -----------------------------------------------------------------------

async function start(withMicrophone) {
  clearNotice();
  captions.startConversation();
  try {
    await call.start({ withMicrophone, key: storedKey() });
  } catch (error) {
    onMicrophoneError(error);
  }
  await showDevices(); // their names are told once the microphone is allowed
  showControls();
}

async function addMicrophone() {
  try {
    await call.useMicrophone();
  } catch (error) {
    onMicrophoneError(error);
  }
  showControls();
}

function onMicrophoneError(error) {
  if (!(error instanceof MicrophoneError)) throw error;
  notify(error.reason);
}

async function say(text) {
  if (!call.isOn) await start(false);
  await online();
  const id = `item_${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
  captions.heard(id, text, "");
  call.say(id, text);
  showControls();
}

/** Wait until there is a connection, however long it takes. */
function online() {
  return new Promise((resolve) => {
    const check = () => {
      if (call.connection.status !== "online") return;
      call.removeEventListener("status", check);
      resolve();
    };
    call.addEventListener("status", check);
    check();
  });
}

function onTalk() {
  if (!call.isOn) start(true);
  else if (!call.hasMicrophone) addMicrophone();
  else if (preferences.mode === "free") call.end();
}

function press() {
  if (preferences.mode !== "hold" || !call.isOn || !call.hasMicrophone) return;
  call.press();
  showControls();
}

function release() {
  call.release();
  showControls();
}

function listenToControls() {
  const talk = byId("talk");
  talk.onclick = onTalk;
  talk.onpointerdown = (event) => {
    if (event.button === 0) press();
  };
  for (const type of ["pointerup", "pointercancel", "blur"]) window.addEventListener(type, release);
  talk.oncontextmenu = (event) => event.preventDefault(); // a long press on a phone
  byId("hang-up").onclick = () => call.end();
  byId("stop").onclick = () => call.interrupt();
  byId("mute").onclick = () => {
    call.mute(!call.isMuted);
    showControls();
  };
  byId("notice-close").onclick = clearNotice;
  byId("composer").onsubmit = (event) => {
    event.preventDefault();
    const text = byId("text").value.trim();
    byId("text").value = "";
    if (text) say(text);
  };
  byId("save-transcript").onclick = () =>
    download(new Blob([captions.transcript()], { type: "text/plain" }), "tinig.txt");
  byId("save-audio").onclick = () => {
    const blob = call.recording.toBlob();
    if (blob) download(blob, "tinig.wav");
  };
}

function listenToChoices() {
  const choose = (id, name, after) => {
    byId(id).onchange = async ({ target }) => {
      prefer(name, target.type === "range" ? Number(target.value) : target.value);
      await after?.();
      call.configure();
    };
  };
  choose("language", "language", showVoices);
  choose("voice", "voice");
  choose("speed", "speed", showSpeed);
  byId("speed").oninput = ({ target }) => {
    byId("speed-value").textContent = `${number(Number(target.value), 2)}×`;
  };
  choose("microphone", "microphone", () => call.hasMicrophone && addMicrophone());
  choose("speaker", "speaker", () => call.useSpeaker(preferences.speaker));
  for (const radio of document.querySelectorAll("[name=mode]")) {
    radio.onchange = () => {
      prefer("mode", radio.value);
      call.configure();
      showControls();
    };
  }
  byId("interface").onchange = async ({ target }) => {
    prefer("interface", target.value);
    await useLanguage(target.value);
    await showAll();
  };
  byId("key").onchange = ({ target }) => storeKey(target.value.trim());
  navigator.mediaDevices?.addEventListener("devicechange", showDevices);
}

/** Space is the talk button wherever it is not needed for something else; Escape stops an answer. */
function listenToKeys() {
  const elsewhere = (target) => target.closest("input, select, textarea, summary, button:not(#talk)");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && call.isOn) call.interrupt();
    if (event.key !== " " || elsewhere(event.target)) return;
    event.preventDefault();
    if (event.repeat) return;
    if (call.isOn && call.hasMicrophone && preferences.mode === "hold") press();
    else onTalk();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== " " || elsewhere(event.target)) return;
    event.preventDefault(); // no click after what the key going down has done
    release();
  });
}
