import { z } from "zod";
import { ideaSchema } from "../_domain/idea.ts";

/** A decimal as it stands on the wire: plain digits. Only such text can be calculated with. */
const decimal = z.string().max(64).regex(/^-?\d{1,38}(?:\.\d{1,18})?$/);
const figure = ideaSchema.shape.entry.extend({ value: decimal.nullable() });

/** The trader's proposal as the critic takes it: what it cannot calculate with or does not know, it cannot judge. */
export const judgedIdea = ideaSchema.extend({
  entry: figure,
  stop_loss: figure,
  take_profits: z.array(figure).max(10),
  size: figure,
  reward_risk: decimal.nullable(),
});
export type JudgedIdea = z.infer<typeof judgedIdea>;
export type JudgedFigure = z.infer<typeof figure>;
