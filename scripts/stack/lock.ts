import { Sentence } from "./sentence.ts";

export interface Lock {
  /** True when the last owner ended without giving the lock back. */
  takenOver: boolean;
  release(): Promise<void>;
}

/** A path that cannot be the data directory, as a sentence. Deno's own words would tell to allow everything. */
export function unusable(directory: string, error: unknown): Sentence {
  const why = error instanceof Error && !(error instanceof Deno.errors.NotCapable)
    ? error.message.replace(/ \(os error.*/s, "")
    : "No access";
  return new Sentence(
    `${directory} cannot be the data directory (${why}): set DATA_DIR to a directory that can be made and written.`,
  );
}

/**
 * One process per data directory: PGlite opens a directory twice without an error and ruins it. The kernel holds the
 * lock, not the file's text: it goes away with its process, whatever ended it, and a reused pid means nothing.
 * The text tells a person who it is.
 */
export async function lockDirectory(directory: string, purpose: string): Promise<Lock> {
  const path = `${directory}/lock`;
  const file = await openLock(directory, path).catch((error) => {
    throw unusable(directory, error);
  });
  const held = await lockSoon(file).catch((error) => {
    file.close();
    throw new Sentence(
      `${path} cannot be locked (${error.message}): put DATA_DIR on a local disk.`,
    );
  });
  const before = (await Deno.readTextFile(path)).trim();
  if (!held) {
    file.close();
    throw new Sentence(
      `${directory} is in use by ${
        before || "another process"
      }. Stop that one, or set DATA_DIR to another directory.`,
    );
  }
  await file.truncate();
  await file.write(
    new TextEncoder().encode(
      `${purpose}, process ${Deno.pid}, since ${new Date().toISOString()}\n`,
    ),
  );
  return {
    takenOver: before !== "",
    async release() {
      await file.truncate();
      await file.unlock();
      file.close();
    },
  };
}

/** A process that was killed lets go when the kernel has taken it down, which is a moment after the kill. */
async function lockSoon(file: Deno.FsFile): Promise<boolean> {
  for (let left = 10;; left--) {
    if (await file.tryLock(true)) return true;
    if (left <= 1) return false;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function openLock(directory: string, path: string): Promise<Deno.FsFile> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  return await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
}
