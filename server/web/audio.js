// The microphone and the loudspeaker, each an AudioWorklet with a small face.

import { RATE_HZ } from "./pcm.js";

/** Why there is no sound; `reason` is a key of the interface's strings. */
export class AudioError extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

const REASONS = {
  NotAllowedError: "mic_refused",
  SecurityError: "mic_refused",
  NotFoundError: "mic_missing",
  OverconstrainedError: "mic_missing",
  NotReadableError: "mic_busy",
};

/**
 * The caller's voice: `onFrame(Int16Array)` every 20 ms at 24 kHz, `onLost()` when it is unplugged
 * or no longer allowed. Throws AudioError.
 */
export async function openMicrophone(deviceId, onFrame, onLost) {
  const stream = await userMedia(deviceId);
  stream.getAudioTracks()[0].onended = onLost;
  const context = new AudioContext({ latencyHint: "interactive" });
  const close = () => {
    stream.getTracks().forEach((track) => track.stop());
    return context.close();
  };
  const worklet = await capture(context, stream).catch(async (error) => {
    await close();
    throw error instanceof AudioError ? error : new AudioError("mic_failed");
  });
  worklet.port.onmessage = ({ data }) => onFrame(data);
  return {
    /** A muted microphone gives silence: time goes on for the server. */
    mute: (muted) => stream.getAudioTracks().forEach((track) => (track.enabled = !muted)),
    close: () => {
      worklet.port.onmessage = null;
      return close();
    },
  };
}

/** The worklet that the stream goes into. */
async function capture(context, stream) {
  await loadWorklet(context, "/web/worklets/capture.js");
  const worklet = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
  context.createMediaStreamSource(stream).connect(worklet);
  await context.resume();
  return worklet;
}

async function loadWorklet(context, url) {
  try {
    await context.audioWorklet.addModule(url);
  } catch {
    throw new AudioError("server_silent");
  }
}

async function userMedia(deviceId) {
  if (!navigator.mediaDevices) throw new AudioError("mic_insecure");
  const audio = {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    channelCount: 1,
    ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
  };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new AudioError(REASONS[error.name] ?? "mic_failed");
  }
}

/**
 * The server's voice: `onPlayed({frame, item, played, playing, endSeconds})` every 20 ms. Throws
 * AudioError.
 */
export async function openSpeaker(deviceId, onPlayed) {
  const context = new AudioContext({ latencyHint: "interactive", sampleRate: RATE_HZ });
  await loadWorklet(context, "/web/worklets/playback.js");
  const worklet = new AudioWorkletNode(context, "playback", {
    numberOfInputs: 0,
    outputChannelCount: [1],
  });
  worklet.port.onmessage = ({ data }) => onPlayed(data);
  worklet.connect(context.destination);
  await context.resume();
  const speaker = {
    wake: () => context.resume(),
    sleep: () => context.suspend(),
    push: (samples, item) => worklet.port.postMessage({ push: samples, item }, [samples.buffer]),
    end: () => worklet.port.postMessage({ end: true }),
    pause: () => worklet.port.postMessage({ pause: true }),
    resume: () => worklet.port.postMessage({ pause: false }),
    flush: () => worklet.port.postMessage({ flush: true }),
    setDevice: (id) => context.setSinkId?.(id),
    /** By the clock of `endSeconds`. */
    nowSeconds: () => context.currentTime,
    latencySeconds: () => context.outputLatency || context.baseLatency || 0,
  };
  if (deviceId) await speaker.setDevice(deviceId)?.catch(() => {}); // unplugged: the default one
  return speaker;
}

/** Whether the page may choose where sound comes out. */
export const canChooseSpeaker = "setSinkId" in AudioContext.prototype;

/** Devices of a kind ("audioinput", "audiooutput") as [id, label] pairs; labels need permission. */
export async function devices(kind) {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return all
    .filter((device) => device.kind === kind && device.deviceId && device.deviceId !== "default")
    .map((device, index) => [device.deviceId, device.label || `${index + 1}`]);
}
