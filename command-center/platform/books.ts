/** Asks one question of the database; the rows have the columns that it names. */
export type Ask = (question: string, params?: unknown[]) => Promise<unknown[]>;

/**
 * The platform's database as the command center holds it: each reading is a transaction of the role `command_center` that
 * cannot write, whatever is asked in it.
 */
export interface Books {
  kind: "embedded" | "postgres";
  read<T>(work: (ask: Ask) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
