// One WebSocket to /v1/realtime that comes back by itself, and says in words why when it cannot.

const BACKOFF_MS = [500, 1_000, 2_000, 4_000, 8_000];
const NORMAL_CLOSE = 1000;
const FINAL = new Set(["key_needed", "key_wrong", "origin_refused"]); // trying again is in vain

/**
 * Events: "status" with {status, reason, seconds}, "message" with the server's event as `detail`,
 * "audio" with the server's voice (Int16Array).
 * Status is "offline", "connecting", "online", "waiting" (tries again in `seconds`) or "refused".
 */
export class Connection extends EventTarget {
  constructor() {
    super();
    this.status = "offline";
    this._key = "";
    this._socket = null;
    this._wanted = false;
    this._failures = 0;
    this._suspicion = ""; // why the last attempt seemed to be refused for good
    this._timer = 0;
    window.addEventListener("online", () => this.status === "waiting" && this._connect());
  }

  /** Connect, and stay connected until `close`. */
  open(key = "") {
    this._key = key;
    this._wanted = true;
    this._failures = 0;
    this._suspicion = "";
    this._connect();
  }

  close(reason = "") {
    this._wanted = false;
    clearTimeout(this._timer);
    this._drop();
    this._tell("offline", reason);
  }

  /** Send a client event; without a connection it is lost, as speech would be. */
  send(event) {
    if (this._socket?.readyState === WebSocket.OPEN) this._socket.send(JSON.stringify(event));
  }

  /** Send the caller's voice (Int16Array), once binary audio has been asked for. */
  sendAudio(samples) {
    if (this._socket?.readyState === WebSocket.OPEN) this._socket.send(samples);
  }

  /** Bytes that wait to be sent: a slow network shows here. */
  get backlog() {
    return this._socket?.bufferedAmount ?? 0;
  }

  /** Wait until it is online (true), or nobody tries any more (false). */
  settled() {
    return new Promise((resolve) => {
      const look = () => {
        if (!["online", "offline", "refused"].includes(this.status)) return;
        this.removeEventListener("status", look);
        resolve(this.status === "online");
      };
      this.addEventListener("status", look);
      look();
    });
  }

  _connect() {
    clearTimeout(this._timer);
    this._drop();
    this._tell("connecting");
    let socket;
    try {
      socket = new WebSocket(address(), subprotocols(this._key));
    } catch {
      this._refuse("key_unusable"); // it holds letters that a subprotocol may not
      return;
    }
    this._socket = socket;
    socket.binaryType = "arraybuffer";
    let opened = false;
    socket.onopen = () => (opened = true);
    socket.onmessage = ({ data }) => this._receive(data);
    socket.onclose = ({ code }) => this._closed(opened, code);
  }

  _receive(data) {
    if (data instanceof ArrayBuffer) {
      this.dispatchEvent(new CustomEvent("audio", { detail: new Int16Array(data) }));
      return;
    }
    const event = JSON.parse(data);
    if (event.type === "session.created") {
      this._failures = 0;
      this._suspicion = "";
      this._tell("online");
    }
    this.dispatchEvent(new CustomEvent("message", { detail: event }));
  }

  async _closed(opened, code) {
    this._socket = null;
    if (!this._wanted) return;
    if (opened && code === NORMAL_CLOSE) {
      this.close("hung_up");
      return;
    }
    const reason = opened ? "connection_lost" : await whyRefused(this._key);
    if (!this._wanted || this._socket) return;
    if (!FINAL.has(reason)) this._retry(reason);
    else if (reason === this._suspicion) this._refuse(reason);
    else {
      this._suspicion = reason; // or the server has become ready since: the next attempt tells
      this._connect();
    }
  }

  _retry(reason) {
    this._suspicion = "";
    const wait = BACKOFF_MS[Math.min(this._failures++, BACKOFF_MS.length - 1)];
    this._tell("waiting", reason, wait / 1000);
    this._timer = setTimeout(() => this._connect(), wait);
  }

  _refuse(reason) {
    this._wanted = false;
    this._tell("refused", reason);
  }

  _drop() {
    if (!this._socket) return;
    this._socket.onclose = this._socket.onmessage = null;
    this._socket.close(NORMAL_CLOSE);
    this._socket = null;
  }

  _tell(status, reason = "", seconds = 0) {
    this.status = status;
    this.dispatchEvent(new CustomEvent("status", { detail: { status, reason, seconds } }));
  }
}

function address() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return `${scheme}://${location.host}/v1/realtime?model=tinig`;
}

function subprotocols(key) {
  return key ? ["realtime", `openai-insecure-api-key.${key}`] : ["realtime"];
}

/** A browser is not told why a WebSocket was refused, so ask: a key of the interface's strings. */
async function whyRefused(key) {
  try {
    const ready = await fetch("/readyz", { cache: "no-store" });
    if (!ready.ok) return (await ready.json()).status === "full" ? "server_full" : "server_draining";
    const facts = await (await fetch("/v1/tinig", { cache: "no-store" })).json();
    if (facts.needs_key) return key ? "key_wrong" : "key_needed";
    return "origin_refused";
  } catch {
    return "server_unreachable";
  }
}
