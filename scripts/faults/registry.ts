import type { PendingRow, Row } from "./row.ts";
import { approvals } from "./rows/approvals.ts";
import { breakers } from "./rows/breakers.ts";
import { deciding } from "./rows/deciding.ts";
import { door } from "./rows/door.ts";
import { doorBodies } from "./rows/door-bodies.ts";
import { doorSignatures } from "./rows/door-signatures.ts";
import { doorSql } from "./rows/door-sql.ts";
import { edges } from "./rows/edges.ts";
import { execution } from "./rows/execution.ts";
import { graph } from "./rows/graph.ts";
import { heldSnapshots } from "./rows/held-snapshot.ts";
import { judged } from "./rows/judged.ts";
import { leaking } from "./rows/leaks.ts";
import { pending } from "./rows/pending.ts";
import { redisRows } from "./rows/redis.ts";
import { roles } from "./rows/roles.ts";
import { server } from "./rows/server.ts";
import { serverLimits } from "./rows/server-limits.ts";
import { stops } from "./rows/stops.ts";
import { telegram } from "./rows/telegram.ts";
import { telegramDisguises } from "./rows/telegram-disguises.ts";
import { workers } from "./rows/workers.ts";

/** Every row of the matrix, in its order. One that cannot run yet says what it waits for. */
export const rows: readonly (Row | PendingRow)[] = [
  ...door,
  ...doorBodies,
  ...doorSignatures,
  ...doorSql,
  ...telegram,
  ...telegramDisguises,
  ...approvals,
  ...execution,
  ...workers,
  ...server,
  ...serverLimits,
  ...heldSnapshots,
  ...graph,
  ...roles,
  ...stops,
  ...breakers,
  ...redisRows,
  ...edges,
  ...leaking,
  ...judged,
  ...deciding,
  ...pending,
].sort((one, other) => one.id - other.id);
