import { clip, decode, maxAlertBytes, tidy } from "./alert-body.ts";
import { Fields, fieldsOf, usable } from "./alert-field.ts";
import { readJson } from "./alert-json.ts";
import { type Alert, nothingNamed, readAlert, symbolNames, texts } from "./alert-read.ts";
import { withoutSecrets } from "./alert-secret.ts";
import { readText } from "./alert-text.ts";

export type { AlertKind, Side } from "./alert-action.ts";
export type { Alert } from "./alert-read.ts";
export { maxAlertBytes } from "./alert-body.ts";

export type ParsedAlert =
  | { ok: true; alert: Alert; clean_body: string }
  | { ok: false; code: "unusable_alert"; reason: string; clean_body: string };

/**
 * Reads whatever TradingView sends, by the body alone: the content type says `text/plain` of JSON with a line break.
 * Never throws. The secrets go first, so that no later step can put one into a field or a reason.
 */
export function parseAlert(body: string): ParsedAlert {
  const sent = decode(tidy(body.slice(0, maxAlertBytes)));
  const text = withoutSecrets(sent);
  const clean_body = clip(text);
  const unusable = (reason: string): ParsedAlert => ({
    ok: false,
    code: "unusable_alert",
    reason,
    clean_body,
  });
  if (body.length > maxAlertBytes) {
    return unusable("The alert is longer than 16 KiB; send the figures only.");
  }
  if (text.trim() === "") {
    return unusable(
      "The alert is empty; write a message in TradingView's alert, for example BUY {{ticker}} @ {{close}}.",
    );
  }
  const read = readFields(text.trim());
  if ("problem" in read) return unusable(read.problem);
  // A comment goes with the secrets, so what was repaired shows in the original alone.
  const original = /^\s*\{/.test(sent) ? readJson(sent) : null;
  const alert = readAlert(
    read.fields,
    read.repaired || (original?.ok === true && original.repaired),
  );
  return "problem" in alert ? unusable(alert.problem) : { ok: true, alert, clean_body };
}

type ReadFields = { fields: Fields; repaired: boolean } | { problem: string };

function readFields(text: string, depth = 0): ReadFields {
  if (!/^["{[]/.test(text) || /^\[removed\]/.test(text) || /^""/.test(text)) {
    return { fields: new Fields(readText(text)), repaired: false };
  }
  const json = readJson(text);
  if (!json.ok) {
    return text.startsWith('"') ? { fields: new Fields(readText(text)), repaired: false } : {
      problem:
        `The alert is not valid JSON: ${json.reason}; check the message's quotes, commas and brackets.`,
    };
  }
  const { node, repaired } = json;
  if (node.type === "array") {
    return { problem: "The alert is a list; send one object for one instrument." };
  }
  if (node.type === "string" && depth < 2) return readFields(node.text.trim(), depth + 1);
  if (node.type !== "object") return { problem: nothingNamed };
  const all = fieldsOf(node);
  if (all.some(({ name, value }) => symbolNames.includes(name as never) && value !== "")) {
    return { fields: new Fields(all), repaired };
  }
  // `{"text": "BUY BTCUSDT"}`: what the fields leave open, the text may say.
  const said = all.filter(({ name, value }) => texts.includes(name as never) && usable(value))
    .map(({ value }) => depth < 2 ? readFields(value, depth + 1) : null)
    .find((inner) => inner !== null && "fields" in inner && inner.fields.all.length > 0);
  const inner = said && "fields" in said ? said.fields.all : [];
  return {
    fields: new Fields([
      ...inner,
      ...all.filter(({ name }) => inner.length === 0 || name !== "text"),
    ]),
    repaired,
  };
}
