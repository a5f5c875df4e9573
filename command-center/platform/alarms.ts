import { z } from "zod";
import type { AlertFact, StopFact } from "../facts/alarm.ts";
import type { Reader } from "../truth/reading.ts";
import { answer, count, time } from "./answer.ts";
import type { Books } from "./books.ts";
import { platformReader } from "./reader.ts";

const alertRow = z.object({
  alert_id: z.string(),
  code: z.string(),
  severity: z.enum(["info", "warning", "critical"]),
  subject: z.string(),
  value: z.string().nullable(),
  threshold: z.string().nullable(),
  task_id: z.string().nullable(),
  opened_at: time,
  seen: count,
  acknowledged_by: z.string().nullable(),
}).transform(({ alert_id: id, ...rest }): AlertFact => ({ id, ...rest }));

const stopRow = z.object({
  scope: z.enum(["all", "t3"]),
  state: z.enum(["running", "stopped", "unknown"]),
  changed_at: time.nullable(),
  changed_by: z.string().nullable(),
  reason: z.string().nullable(),
});

export const platformAlerts = (books: Books): Reader<readonly AlertFact[]> =>
  platformReader(books, (ask) =>
    answer(
      ask,
      alertRow,
      "select * from command_center.alerts order by severity, opened_at limit 200",
    ));

export const platformStops = (books: Books): Reader<readonly StopFact[]> =>
  platformReader(
    books,
    (ask) => answer(ask, stopRow, "select * from command_center.stops order by scope"),
  );
