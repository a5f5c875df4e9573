// Somebody outside, on loopback: speaks as much of the Bot API as a worker uses, and writes down what reached it before it
// answers, in a file. It honours no key: two calls are two messages.
import { appendFileSync } from "node:fs";
import { listenOnLoopback } from "./loopback-server.mjs";

/**
 * `file` holds one JSON line per call that arrived whole: when, which method, for which chat, which text. `answerMs` is how long
 * every answer takes: whoever posts is busy that long, and others get a turn.
 */
export async function openSink(file, { answerMs = 0 } = {}) {
  const calls = [];
  const held = [];
  let mode = "answer";
  let messages = 0;

  function record(method, body) {
    const call = { at: Date.now(), method, chat_id: String(body.chat_id ?? ""), text: body.text };
    calls.push(call);
    appendFileSync(file, `${JSON.stringify(call)}\n`);
  }

  function answer(response, body) {
    if (response.destroyed) return;
    const chat = { id: Number(body.chat_id) || 0, type: "private" };
    const result = { message_id: ++messages, date: Math.floor(Date.now() / 1000), chat };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ ok: true, result }));
  }

  const { url, close } = await listenOnLoopback(async (request, response) => {
    let text = "";
    try {
      for await (const piece of request) text += piece;
    } catch {
      // It broke off before it was whole: nothing reached us.
      return response.destroy();
    }
    const body = text === "" ? {} : JSON.parse(text);
    record(request.url.split("/").at(-1), body);
    if (mode === "hold") held.push(() => answer(response, body));
    else if (mode === "drop") response.destroy();
    else setTimeout(() => answer(response, body), answerMs);
  });
  return {
    url,
    calls,
    /** What was posted to this chat, by text. */
    posts(chatId) {
      const counted = new Map();
      for (const { method, chat_id, text } of calls) {
        if (method !== "sendMessage" || chat_id !== chatId) continue;
        counted.set(text, (counted.get(text) ?? 0) + 1);
      }
      return counted;
    },
    /** answer at once; hold every answer until `release`; drop the connection after writing down. */
    set(next) {
      if (!["answer", "hold", "drop"].includes(next)) throw new TypeError(`${next} is no mode`);
      mode = next;
    },
    release() {
      for (const go of held.splice(0)) go();
    },
    close,
  };
}
