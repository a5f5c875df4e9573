import { z } from "zod";
import type { KpiFacts } from "../facts/kpi.ts";
import type { Reader } from "../truth/reading.ts";
import { answer, count, time } from "./answer.ts";
import type { Books } from "./books.ts";
import { platformReader } from "./reader.ts";

const currentRow = z.object({
  kpi: z.string(),
  subject: z.string(),
  value: count.nullable(),
  unit: z.string(),
  samples: count,
  target: count.nullable(),
  status: z.enum(["unknown", "no_target", "met", "missed"]),
});
const hourRow = z.object({
  kpi: z.string(),
  subject: z.string(),
  unit: z.string(),
  hour: time,
  value: count.nullable(),
});

/** One window at a time: the view computes only the one that is asked for. */
export const platformKpis = (books: Books, window: string): Reader<KpiFacts> =>
  platformReader(books, async (ask) => ({
    window,
    current: await answer(
      ask,
      currentRow,
      `select kpi, subject, value, unit, samples, target, status from public.kpi_current where "window" = $1 order by kpi, subject`,
      [window],
    ),
    hours: await answer(
      ask,
      hourRow,
      "select * from command_center.kpi_by_hour order by kpi, subject, hour",
    ),
  }));
