import { createHash } from "node:crypto";
import { type Answer, type Asked, HttpFake } from "./http-fake.ts";

export interface Books {
  issues: object[];
  pulls: object[];
  reviews: Record<number, object[]>;
  statuses: Record<string, object[]>;
  files: Record<number, string[]>;
}

/** A Gitea of one repository: its paging, its ETags, its way to answer a commit without checks. */
export class GiteaFake extends HttpFake {
  readonly books: Books = { issues: [], pulls: [], reviews: {}, statuses: {}, files: {} };
  token = "machine-token";
  login = "command-center";
  /** What the server allows a page to hold, whatever is asked for. */
  page_most = 50;
  paging: "link" | "count" | "neither" = "link";
  etags = false;
  /** Paths that answer something of their own. */
  readonly odd = new Map<string, Answer>();

  constructor() {
    super((asked) => this.#route(asked));
  }

  #route({ method, url, headers }: Asked): Answer {
    if (method !== "GET") return { status: 405 };
    if (headers.authorization !== `token ${this.token}`) return { status: 401, body: {} };
    const odd = this.odd.get(url.pathname);
    if (odd !== undefined) return odd;
    const answer = this.#read(url);
    if (!this.etags || answer.status !== undefined) return answer;
    const etag = `"${
      createHash("sha256").update(JSON.stringify(answer.body ?? "")).digest("hex")
    }"`;
    return headers["if-none-match"] === etag
      ? { status: 304, headers: { etag } }
      : { ...answer, headers: { ...answer.headers, etag } };
  }

  #read(url: URL): Answer {
    if (url.pathname === "/api/v1/user") return { body: { id: 9, login: this.login } };
    const path = /^\/api\/v1\/repos\/example\/plane(\/.*)$/.exec(url.pathname)?.[1];
    if (path === undefined) return { status: 404, body: { message: "not found" } };
    const { issues, pulls, reviews, statuses, files } = this.condition === "empty"
      ? { issues: [], pulls: [], reviews: {}, statuses: {}, files: {} }
      : this.books;
    if (path === "/issues") return this.#page(url, issues);
    if (path === "/pulls") return this.#page(url, pulls);
    const [, number, part] = /^\/pulls\/(\d+)\/(reviews|files)$/.exec(path) ?? [];
    if (part === "reviews") return this.#page(url, reviews[Number(number)] ?? []);
    if (part === "files") {
      return this.#page(url, (files[Number(number)] ?? []).map((filename) => ({ filename })));
    }
    const sha = /^\/commits\/([^/]+)\/status$/.exec(path)?.[1];
    if (sha === undefined) return { status: 404, body: { message: "not found" } };
    const parts = statuses[sha] ?? [];
    // Without a single status the body is empty, as older servers do it.
    if (parts.length === 0) return {};
    return { body: { state: "", sha, total_count: parts.length, statuses: parts, url: "" } };
  }

  #page(url: URL, rows: object[]): Answer {
    const limit = Math.min(Number(url.searchParams.get("limit") ?? 30), this.page_most);
    const page = Number(url.searchParams.get("page") ?? 1);
    const next = page * limit < rows.length;
    const headers: Record<string, string> = this.paging === "link"
      ? {
        "x-total-count": String(rows.length),
        link: next ? `<${url.origin}${url.pathname}?page=${page + 1}>; rel="next"` : "",
      }
      : this.paging === "count"
      ? { "x-total-count": String(rows.length) }
      : {};
    return { headers, body: rows.slice((page - 1) * limit, page * limit) };
  }
}
