import type { PendingRow, Row } from "./row.ts";
import { approvals } from "./rows/approvals.ts";
import { deciding } from "./rows/deciding.ts";

/** Every row of the matrix, in its order. One that cannot run yet says what it waits for. */
export const rows: readonly (Row | PendingRow)[] = [
  ...approvals,
  ...deciding,
].sort((one, other) => one.id - other.id);
