// The agents SDK as it comes: two turns with an interruption, then a tool call, over the server's
// WebSocket. Says what happened as JSON on its last line.
//
//   node client.mjs ws://127.0.0.1:8080/v1/realtime FOLDER
//
// FOLDER holds what the caller says: question.pcm, interruption.pcm, booking.pcm (PCM16, 24 kHz).
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { RealtimeAgent, RealtimeSession, tool } from "@openai/agents/realtime";

const [url, folder] = process.argv.slice(2);
const FRAME_MS = 20;
const FRAME_BYTES = (2 * 24000 * FRAME_MS) / 1000;

const told = { interruptions: 0, calls: [], errors: [], events: [] };

const text = { type: "string" };
const properties = { day: text, hour: text, service: text };
const book = tool({
  name: "book_appointment",
  description: "Books an appointment at the clinic.",
  parameters: { type: "object", properties, required: [], additionalProperties: true },
  strict: false, // the starter model is small: it may leave one out
  execute: async (input) => {
    told.calls.push(input);
    return JSON.stringify({ status: "confirmed" });
  },
});

const agent = new RealtimeAgent({
  name: "clinic",
  instructions: "You help the callers of a clinic.",
  tools: [book],
});

const session = new RealtimeSession(agent, { transport: "websocket", model: "tinig" });
session.on("audio_interrupted", () => (told.interruptions += 1));
session.on("error", (error) => told.errors.push(JSON.stringify(error)));
session.on("transport_event", (event) => told.events.push(event.type));

// ---- a microphone that never stops, as a real one ------------------------------------------------

let waiting = Buffer.alloc(0);

function say(name) {
  waiting = Buffer.concat([waiting, readFileSync(`${folder}/${name}.pcm`)]);
}

async function record() {
  let frames = 0;
  const begun = performance.now();
  for (;;) {
    const frame = Buffer.alloc(FRAME_BYTES);
    waiting.copy(frame, 0, 0, FRAME_BYTES);
    waiting = waiting.subarray(FRAME_BYTES);
    session.sendAudio(new Uint8Array(frame).buffer);
    frames += 1;
    await sleep(Math.max(0, begun + frames * FRAME_MS - performance.now()));
  }
}

function count(type) {
  return told.events.filter((name) => name === type).length;
}

async function until(isThere, what) {
  for (let waited = 0; !isThere(); waited += 50) {
    if (waited > 30000) throw new Error(`not within 30 s: ${what}`);
    await sleep(50);
  }
}

async function converse() {
  say("question");
  await until(() => count("response.output_audio.delta") > 0, "the first answer");
  await sleep(500);
  say("interruption");
  await until(() => told.interruptions > 0, "the interruption");
  await until(() => count("response.done") === 2, "the end of the second answer");
  await sleep(1500); // hear it out
  say("booking");
  await until(() => told.calls.length > 0, "the tool call");
  await until(() => count("response.done") === 4, "the answer to the tool's result");
  await until(() => count("conversation.item.truncated") > 0, "the end of what was heard");
}

await session.connect({ apiKey: "not asked for", url });
record().catch((error) => told.errors.push(String(error)));
try {
  await converse();
} catch (error) {
  told.errors.push(String(error));
}
const texts = (role) =>
  session.history
    .filter((item) => item.type === "message" && item.role === role)
    .map((item) => item.content.map((part) => part.text ?? part.transcript ?? "").join(" "));
const last = { ...told, events: [...new Set(told.events)], said: texts("assistant"), heard: texts("user") };
console.log(JSON.stringify(last));
process.exit(told.errors.length ? 1 : 0);
