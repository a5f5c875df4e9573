/// <reference lib="deno.worker" />
import { openSnapshot } from "../stack/snapshot.ts";
import { type Answer, question } from "./question.ts";

export interface Asked {
  dump: Blob;
  text: string;
  limit: number;
}

/** A thread passes on values, not errors with the fields that Postgres gave them. */
export type Answered = { ok: true; answer: Answer } | { ok: false; message: string; code?: string };

self.onmessage = async ({ data }: MessageEvent<Asked>) => {
  self.postMessage(await answer(data));
};

async function answer({ dump, text, limit }: Asked): Promise<Answered> {
  try {
    return { ok: true, answer: await question(await openSnapshot(dump), text, limit) };
  } catch (error) {
    const { message, code } = error as { message?: string; code?: string };
    return { ok: false, message: message ?? String(error), code };
  }
}
