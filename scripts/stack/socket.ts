import { explain, Sentence } from "./sentence.ts";

/** One request on the socket: what to do, and with what. */
export interface Ask {
  command: string;
  [argument: string]: unknown;
}

export type Told = { ok: true; result: unknown } | { ok: false; sentence: string };

export type Commands = Record<string, (ask: Ask) => Promise<unknown>>;

const longestLine = 1024 * 1024;
// Linux takes 107 bytes, macOS 103.
const longestPath = 100;

export const socketPath = (dataDir: string): string => `${dataDir}/ags.sock`;

export interface SocketServer {
  close(): void;
}

/** Answers the operators' CLI: one line of JSON in, one out. Only the owner of the directory can open it. */
export async function listen(dataDir: string, commands: Commands): Promise<SocketServer> {
  const path = socketPath(dataDir);
  if (new TextEncoder().encode(path).length > longestPath) {
    throw new Sentence(`${path} is too long for a socket's name: set DATA_DIR to a shorter path.`);
  }
  await removeStale(path);
  const listener = Deno.listen({ transport: "unix", path });
  await Deno.chmod(path, 0o600);
  const open = new Set<Deno.Conn>();
  const serve = async () => {
    for await (const connection of listener) {
      open.add(connection);
      answer(connection, commands).catch(() => {
        // The CLI hung up before it read the answer; nobody is left to be told.
      }).finally(() => {
        open.delete(connection);
        connection.close();
      });
    }
  };
  const serving = serve();
  serving.catch((error) => console.error(explain(error)));
  return { close: () => listener.close() };
}

/** The lock is ours, so a socket that is there belongs to nobody any more. */
async function removeStale(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function answer(connection: Deno.Conn, commands: Commands): Promise<void> {
  const told = await carryOut(await readLine(connection), commands);
  await writeLine(connection, JSON.stringify(told));
}

async function carryOut(line: string, commands: Commands): Promise<Told> {
  try {
    const ask = JSON.parse(line) as Ask;
    if (!Object.hasOwn(commands, ask.command)) {
      return { ok: false, sentence: `The running platform knows no command "${ask.command}".` };
    }
    return { ok: true, result: await commands[ask.command](ask) ?? null };
  } catch (error) {
    return { ok: false, sentence: error instanceof Error ? error.message : String(error) };
  }
}

/** Asks the running stack; null when none runs here. */
export async function askStack<T>(dataDir: string, ask: Ask): Promise<T | null> {
  let connection: Deno.Conn;
  try {
    connection = await Deno.connect({ transport: "unix", path: socketPath(dataDir) });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused) {
      return null;
    }
    throw error;
  }
  try {
    await writeLine(connection, JSON.stringify(ask));
    const told = JSON.parse(await readLine(connection)) as Told;
    if (!told.ok) throw new Sentence(told.sentence);
    return told.result as T;
  } finally {
    connection.close();
  }
}

async function writeLine(connection: Deno.Conn, line: string): Promise<void> {
  let bytes = new TextEncoder().encode(`${line}\n`);
  while (bytes.length > 0) bytes = bytes.subarray(await connection.write(bytes));
}

async function readLine(connection: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(16 * 1024);
  let text = "";
  while (!text.includes("\n")) {
    const read = await connection.read(chunk);
    if (read === null) throw new Sentence("The other end of the socket closed without an answer.");
    text += decoder.decode(chunk.subarray(0, read), { stream: true });
    if (text.length > longestLine) throw new Sentence("The line on the socket is too long.");
  }
  return text.slice(0, text.indexOf("\n"));
}
