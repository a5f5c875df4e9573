import { constants, open } from "node:fs/promises";
import { Unanswered } from "./unanswered.ts";

export interface Artifact {
  text: string;
  modified_at: string;
}

/** A file that another program writes, read whole within a bound; null where there is none. Follows links, refuses what is no file. */
export async function readArtifact(
  path: string,
  max_bytes: number,
  signal: AbortSignal,
): Promise<Artifact | null> {
  signal.throwIfAborted();
  const file = await opened(path);
  if (file === null) return null;
  try {
    const { size, mtime, isFile } = await statOf(file);
    if (!isFile) throw new Unanswered("it is no ordinary file");
    if (size > max_bytes) throw new Unanswered(`it is larger than ${max_bytes} bytes`);
    const buffer = new Uint8Array(max_bytes + 1);
    let length = 0;
    while (length < buffer.length) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > max_bytes) throw new Unanswered(`it is larger than ${max_bytes} bytes`);
    const text = new TextDecoder("utf-8").decode(buffer.subarray(0, length));
    return { text, modified_at: mtime.toISOString() };
  } finally {
    await file.close();
  }
}

type Handle = Awaited<ReturnType<typeof open>>;

async function statOf(file: Handle) {
  const stat = await file.stat();
  return { size: stat.size, mtime: stat.mtime, isFile: stat.isFile() };
}

async function opened(path: string): Promise<Handle | null> {
  try {
    // Non-blocking, so that a pipe in a file's place cannot hold the page.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
