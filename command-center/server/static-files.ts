export interface StaticFile {
  text: string;
  type: string;
}
export type StaticFiles = ReadonlyMap<string, StaticFile>;

const types: Record<string, string> = {
  "style.css": "text/css; charset=utf-8",
  "watch.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
};

/** Read once, at the start: three files by name, and no path from a request. */
export async function staticFiles(
  read: (name: string) => Promise<string>,
): Promise<StaticFiles> {
  const files = new Map<string, StaticFile>();
  for (const [name, type] of Object.entries(types)) {
    files.set(name, { text: await read(name), type });
  }
  return files;
}
