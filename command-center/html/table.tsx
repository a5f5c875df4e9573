import { addressOf, type Asked } from "../views/asked.ts";
import type { Level } from "../views/level.ts";
import type { Content } from "./jsx-runtime.ts";

export interface Column<R> {
  name: string;
  /** The key of the rows' order that the head sorts by. */
  sort?: string;
  cell: (row: R) => Content;
}

/** The roles are written out: a phone shows a row as a card, and a table that is laid out as blocks is read as none. */
export function Table<R extends { key: string; level: Level }>(
  { caption, columns, rows, asked, under = false }: {
    caption: string;
    /** Under a head that says the same, the caption is for whoever hears the page. */
    under?: boolean;
    columns: readonly Column<R>[];
    rows: readonly R[];
    asked: Asked;
  },
) {
  return (
    <table role="table">
      <caption class={under ? "heard" : ""}>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ name, sort }) => (
            <th scope="col" role="columnheader" {...sorting(asked, sort)}>
              {sort === undefined
                ? name
                : <a href={addressOf(asked, { sort: turned(asked, sort) })}>{name}</a>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr role="row" id={anchor(row.key)} data-row={row.key} class={row.level}>
            {columns.map(({ name, cell }, i) =>
              i === 0
                ? <th scope="row" role="rowheader" data-label={name}>{cell(row)}</th>
                : <td role="cell" data-label={name}>{cell(row)}</td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export const anchor = (key: string): string => key.replaceAll(/[^A-Za-z0-9_-]+/g, "-");

const turned = ({ sort }: Asked, key: string): string => sort === key ? `${key}-down` : key;

function sorting({ sort }: Asked, key: string | undefined): { "aria-sort"?: string } {
  if (key === undefined) return {};
  if (sort === key) return { "aria-sort": "ascending" };
  return sort === `${key}-down` ? { "aria-sort": "descending" } : {};
}
