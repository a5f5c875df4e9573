// The part of node:sqlite that is used; the installed types are Node 20's, which has none.
declare module "node:sqlite" {
  interface Statement {
    get(values: Record<string, string | number | null>): Record<string, unknown> | undefined;
  }

  export class DatabaseSync {
    constructor(location: string, options?: { readOnly?: boolean });
    prepare(sql: string): Statement;
    exec(sql: string): void;
    deserialize(bytes: Uint8Array): void;
    close(): void;
  }
}
