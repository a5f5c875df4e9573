import { type Migration, migrationsFrom } from "./migrate.ts";

/** The project's own directory, with a slash at its end. */
export const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

export const stackFile = (name: string): Promise<string> =>
  Deno.readTextFile(`${root}scripts/stack/${name}`);

export async function readMigrations(): Promise<Migration[]> {
  const files: { name: string; text: string }[] = [];
  for await (const { name, isFile } of Deno.readDir(`${root}migrations`)) {
    if (isFile && name.endsWith(".sql")) {
      files.push({ name, text: await Deno.readTextFile(`${root}migrations/${name}`) });
    }
  }
  return migrationsFrom(files);
}
