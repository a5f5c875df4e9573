import type { TestDatabase } from "./database.ts";

/** One thing that happens to a breaker. Times are whole milliseconds; `back` counts from the newest admission to the one that ends. */
export type Happening =
  | { does: "wait"; ms: number }
  | { does: "admit" }
  | { does: "report"; back: number; outcome: "success" | "failure" | "released" }
  | { does: "trip" }
  | { does: "reset" };

/** What is seen after one happening. */
export interface Seen {
  answer: "none" | "admitted" | "probe" | "refused";
  state: "closed" | "open" | "half_open";
  failures: number;
}

const rest = 120_000;
const lease = 60_000;
const minute = 60_000;

/** The rules of a breaker in a second wording, to hold the SQL against. It knows nothing of tables. */
export function breakerModel() {
  let now = 0;
  let state: Seen["state"] = "closed";
  let failures = 0;
  let recent: number[] = [];
  let openedAt = 0;
  let probe = -1;
  let probeUntil = 0;
  /** Per admission: whether it was a probe, and whether it was let in at all. */
  const admissions: { isProbe: boolean; isIn: boolean }[] = [];

  const open = (failed: boolean) => {
    state = "open";
    openedAt = now;
    if (failed) failures++;
    recent = [];
    probe = -1;
  };
  const close = () => {
    state = "closed";
    failures = 0;
    recent = [];
    probe = -1;
  };
  function admit(): Seen["answer"] {
    const id = admissions.length;
    const isDue = state === "open" ? now >= openedAt + rest : now >= probeUntil;
    if (state === "closed") {
      admissions.push({ isProbe: false, isIn: true });
      return "admitted";
    }
    if (!isDue) {
      admissions.push({ isProbe: false, isIn: false });
      return "refused";
    }
    admissions.push({ isProbe: true, isIn: true });
    state = "half_open";
    probe = id;
    probeUntil = now + lease;
    return "probe";
  }
  function report(of: number, outcome: "success" | "failure" | "released"): Seen["answer"] {
    const { isProbe, isIn } = admissions[of];
    if (!isIn) return "none";
    if (state === "closed") {
      if (outcome === "success") [failures, recent] = [0, []];
      if (outcome === "failure") {
        recent = [...recent, now].slice(-5);
        if (recent.length === 5 && now - recent[0] <= minute) open(true);
        else failures++;
      }
      return "none";
    }
    if (state === "half_open" && probe === of) {
      if (outcome === "success") close();
      else if (outcome === "failure") open(true);
      else probeUntil = now;
      return "none";
    }
    return isProbe ? "refused" : "none";
  }
  return (happening: Happening): Seen => {
    let answer: Seen["answer"] = "none";
    if (happening.does === "wait") now += happening.ms;
    else if (happening.does === "admit") answer = admit();
    else if (happening.does === "trip") open(false);
    else if (happening.does === "reset") {
      if (state !== "closed") close();
    } else if (admissions.length > 0) {
      const of = admissions.length - 1 - happening.back % admissions.length;
      answer = report(of, happening.outcome);
    }
    return { answer, state, failures };
  };
}

/**
 * Plays a whole story in one statement, with the commands that workers and people call: a scratch database of PGlite
 * takes hundreds of stories a second this way, and ten one by one.
 */
export async function installPlayer(db: TestDatabase): Promise<void> {
  await db.owner(
    `create function private.play(p_tool text, p_story jsonb) returns jsonb language plpgsql set search_path = '' as $$
    declare
      v_item jsonb;
      v_answer jsonb;
      v_word text;
      v_admissions jsonb := '[]';
      v_of jsonb;
      v_seen jsonb := '[]';
    begin
      update private.test_clock set at = at + interval '1 hour';
      perform api.reset_breaker(p_tool, 'a new story', 'test');
      perform api.report_call(p_tool, null, 'success');
      for v_item in select s from jsonb_array_elements(p_story) s loop
        v_word := 'none';
        case v_item ->> 'does'
          when 'wait' then
            update private.test_clock set at = at + make_interval(secs => (v_item ->> 'ms')::double precision / 1000);
          when 'admit' then
            v_answer := api.admit_call(p_tool);
            v_word := case when v_answer ? 'refused' then 'refused' when v_answer ->> 'probe' is not null then 'probe' else 'admitted' end;
            v_admissions := v_admissions || jsonb_build_array(v_answer);
          when 'trip' then perform api.trip_breaker(p_tool, 'looks odd', 'test');
          when 'reset' then perform api.reset_breaker(p_tool, 'looks well', 'test');
          else
            if jsonb_array_length(v_admissions) > 0 then
              v_of := v_admissions -> (jsonb_array_length(v_admissions) - 1 - (v_item ->> 'back')::integer % jsonb_array_length(v_admissions));
              if not v_of ? 'refused' then
                v_answer := api.report_call(p_tool, (v_of ->> 'probe')::uuid, v_item ->> 'outcome', 'no answer');
                v_word := case when v_answer ? 'refused' then 'refused' else 'none' end;
              end if;
            end if;
        end case;
        v_seen := v_seen || (select jsonb_build_array(jsonb_build_object('answer', v_word, 'state', b.state, 'failures', b.consecutive_failures))
          from public.circuit_breakers b where b.tool = p_tool);
      end loop;
      return v_seen;
    end $$`,
  );
}

export async function play(db: TestDatabase, tool: string, story: Happening[]): Promise<Seen[]> {
  const [{ seen }] = await db.owner<{ seen: Seen[] }>("select private.play($1, $2) as seen", [
    tool,
    JSON.stringify(story),
  ]);
  return seen;
}
