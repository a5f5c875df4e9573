export const figureNames = [
  "steps",
  "unbatched",
  "intake",
  "e2e",
  "start",
  "depth",
  "held",
  "embedded",
  "parts",
];
/** Measured where it is asked for by name: it explains another figure. */
const usualFigures = figureNames.filter((name) => name !== "parts");

export const usage = `npm run bench -- [options]

  --only a,b        these figures alone: ${figureNames.join(", ")};
                    parts is measured only where it is named
  --quick           smaller everywhere, at most four minutes
  --rounds N        rounds of each comparison (3; 2 with --quick)
  --depth N         ready steps of the deep queue (1000000; 100000 with --quick)
  --held-minutes M  how long the snapshot is held (10; 0.5 with --quick)
  --json            one object on the last line, progress on stderr
  --help

DATABASE_URL names a scratch PostgreSQL to measure on; without it the bench starts one of its own.`;

/** What was asked for, or a sentence about what is wrong with it. */
export function parseArguments(words) {
  const given = new Map();
  for (let i = 0; i < words.length; i++) {
    const [name, inline] = words[i].split("=", 2);
    if (["--quick", "--json", "--help"].includes(name)) {
      if (inline !== undefined) return { problem: `${name} takes no value` };
      given.set(name, true);
    } else if (["--only", "--rounds", "--depth", "--held-minutes"].includes(name)) {
      const value = inline ?? words[++i];
      if (value === undefined) return { problem: `${name} needs a value` };
      given.set(name, value);
    } else return { problem: `${words[i]} is no option` };
  }
  const quick = given.has("--quick");
  const number = (name, usual, least, most) => {
    const value = given.has(name) ? Number(given.get(name)) : usual;
    return value >= least && value <= most ? value : null;
  };
  const rounds = number("--rounds", quick ? 2 : 3, 1, 20);
  const depth = number("--depth", quick ? 100_000 : 1_000_000, 1_000, 10_000_000);
  const heldMinutes = number("--held-minutes", quick ? 0.5 : 10, 0.1, 60);
  if (rounds === null || !Number.isInteger(rounds)) {
    return { problem: "--rounds is a whole number from 1 to 20" };
  }
  if (depth === null || !Number.isInteger(depth)) {
    return { problem: "--depth is a whole number from 1000 to 10000000" };
  }
  if (heldMinutes === null) return { problem: "--held-minutes is a number from 0.1 to 60" };
  const only = given.has("--only") ? String(given.get("--only")).split(",") : usualFigures;
  const unknown = only.find((name) => !figureNames.includes(name));
  if (unknown !== undefined) {
    return { problem: `${unknown || "nothing"} is no figure: ${figureNames.join(", ")}` };
  }
  return {
    only: figureNames.filter((name) => only.includes(name)),
    quick,
    json: given.has("--json"),
    help: given.has("--help"),
    rounds,
    depth,
    heldMinutes,
  };
}
