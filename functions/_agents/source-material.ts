import { readSymbol } from "../_domain/alert-word.ts";
import type { Json } from "../_domain/json.ts";
import type { Input, StepWork } from "../_domain/task.ts";
import type { EvidenceRef } from "../_domain/result.ts";

type Fields = { [key: string]: Json };

const isFields = (value: Json | undefined): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const payloadOf = (task: StepWork["task"]): Fields =>
  isFields(task.payload) ? task.payload : {};

/** The parsed alert of a signal, or null for any other request. */
export function alertOf(task: StepWork["task"]): Fields | null {
  const { alert } = payloadOf(task);
  return isFields(alert) ? alert : null;
}

const mostFields = 64;

function scalar(value: Json): string | null {
  if (typeof value === "string") return value.trim() === "" ? null : value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

/** Fields with a value, as text; lists of plain values are joined. Nested objects are not facts one can cite. */
export function scalars(fields: Fields): [name: string, value: string][] {
  return Object.entries(fields).slice(0, mostFields).flatMap(
    ([name, value]): [string, string][] => {
      const texts = (Array.isArray(value) ? value : [value]).map(scalar).filter((text) =>
        text !== null
      );
      return texts.length === 0 ? [] : [[name, texts.join(", ")]];
    },
  );
}

/** The instrument that a request names in one of the usual words, spelt as the archive spells it. */
export function symbolOf(task: StepWork["task"]): string | null {
  const fields = alertOf(task) ?? payloadOf(task);
  for (const name of ["symbol", "ticker", "instrument", "pair", "market"]) {
    const value = fields[name];
    const read = typeof value === "string" ? readSymbol(value) : null;
    if (read !== null) return read.symbol;
  }
  return null;
}

/** The words that a request asks to have handled. */
export function givenText(task: StepWork["task"]): string | null {
  if (typeof task.payload === "string") return task.payload.trim() || null;
  const fields = payloadOf(task);
  for (const name of ["text", "content", "message", "body"]) {
    const value = fields[name];
    if (typeof value === "string" && value.trim() !== "") return value.trim();
  }
  return null;
}

const citable = new Set(["research", "retrieval"]);

export const sourcesAmong = (inputs: readonly Input[]): Input[] =>
  inputs.filter((input) => citable.has(input.type));

/** Whether a source says of itself that it was found before and not for this task. */
export function isStale({ content }: Input): boolean {
  try {
    return Object(JSON.parse(content)).stale === true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

export const cite = (inputs: readonly Input[]): EvidenceRef[] =>
  sourcesAmong(inputs).map((input) => ({
    artifact_id: input.artifact_id,
    node_id: input.node_id,
    checksum: input.checksum,
    ...(isStale(input) ? { stale: true } : {}),
  }));
