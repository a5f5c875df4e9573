import { addressOf, type Asked } from "../views/asked.ts";

/** Everything that a view can be asked is in its address; the form only writes it. */
export function Filters(
  { asked, only, tiers = false }: { asked: Asked; only: readonly string[]; tiers?: boolean },
) {
  return (
    <form class="filters" method="get" action={asked.path} role="search">
      <label>
        Search <input type="search" name="q" value={asked.search} maxlength="200" />
      </label>
      <label>
        Show{" "}
        <select name="only">
          <option value="">everything</option>
          {only.map((word) => (
            <option value={word} {...(asked.only === word ? { selected: true } : {})}>
              {word.replaceAll("_", " ")}
            </option>
          ))}
        </select>
      </label>
      {tiers && (
        <label>
          Tier{" "}
          <select name="tier">
            <option value="">all</option>
            {["T0", "T1", "T2", "T3"].map((tier) => (
              <option value={tier} {...(asked.tier === tier ? { selected: true } : {})}>
                {tier}
              </option>
            ))}
          </select>
        </label>
      )}
      {asked.sort !== null && <input type="hidden" name="sort" value={asked.sort} />}
      {!asked.refresh && <input type="hidden" name="refresh" value="off" />}
      <button type="submit">Apply</button>
      {(asked.search !== "" || asked.only !== null || asked.tier !== null) && (
        <a class="button" href={addressOf(asked, { search: "", only: null, tier: null })}>
          Show everything
        </a>
      )}
    </form>
  );
}
