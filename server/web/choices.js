// The settings: shown, remembered, and told to the call.

import { canChooseSpeaker, devices } from "./audio.js";
import { byId, fillSelect } from "./dom.js";
import { commonVoices, languages, needsKey } from "./facts.js";
import { number, t } from "./i18n.js";
import { prefer, preferences, storeKey, storedKey } from "./preferences.js";

/** Show every choice, in the interface's language. */
export async function showChoices() {
  const automatic = ["", t("language_auto")];
  fillSelect(byId("language"), [automatic, ...languages()], preferences.language);
  if (languages().length) prefer("language", byId("language").value); // another server's are gone
  showVoices();
  showSpeed(preferences.speed);
  byId("key-field").hidden = !needsKey();
  byId("key").value = storedKey();
  document.querySelector(`[name=mode][value=${preferences.mode}]`).checked = true;
  await showDevices();
}

/** Devices' names are told only once the microphone is allowed. */
export async function showDevices() {
  const system = ["", t("device_default")];
  const show = async (id, kind) =>
    fillSelect(byId(id), [system, ...(await devices(kind))], preferences[id]);
  await show("microphone", "audioinput");
  await show("speaker", "audiooutput");
  byId("speaker-field").hidden = !canChooseSpeaker;
}

/** Put the cursor where the server's key belongs. */
export function askForKey() {
  byId("key-field").hidden = false;
  byId("settings").open = true;
  byId("key").focus();
}

/** `onMode()` and `onMicrophone()` follow such a choice. */
export function listenToChoices(call, { onMode, onMicrophone }) {
  const choose = (id, value, after = () => {}) => {
    byId(id).onchange = async ({ target }) => {
      prefer(id, value(target));
      await after();
      call.configure();
    };
  };
  const text = ({ value }) => value;
  choose("language", text, showVoices);
  choose("voice", text);
  choose("speed", ({ value }) => Number(value));
  choose("microphone", text, onMicrophone);
  choose("speaker", text, () => call.useSpeaker(preferences.speaker));
  byId("speed").oninput = ({ target }) => showSpeed(Number(target.value));
  byId("key").onchange = ({ target }) => storeKey(target.value.trim());
  for (const radio of document.querySelectorAll("[name=mode]")) {
    radio.onchange = () => {
      prefer("mode", radio.value);
      call.configure();
      onMode();
    };
  }
  navigator.mediaDevices?.addEventListener("devicechange", showDevices);
}

/** Only voices that can speak whatever language the caller may speak. */
function showVoices() {
  const codes = preferences.language ? [preferences.language] : languages().map(([code]) => code);
  const options = commonVoices(codes).map((name) => [name, name]);
  fillSelect(byId("voice"), [["default", t("voice_default")], ...options], preferences.voice);
  if (codes.length) prefer("voice", byId("voice").value);
}

function showSpeed(speed) {
  byId("speed").value = speed;
  byId("speed-value").textContent = `${number(speed, 2)}×`;
}
