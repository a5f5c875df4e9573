import { afterEach, describe, expect, it } from "vitest";
import {
  isPublicAddress,
  safeFetch,
  type SafeFetchOptions,
} from "../../../functions/_channels/safe-fetch.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";

const asked: string[] = [];
afterEach(() => void asked.splice(0));

const names: Record<string, string[]> = {
  "public.example": ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"],
  "one-of-two.example": ["93.184.216.34", "10.0.0.5"],
  "six.example": ["2606:2800:220:1::1"],
  "inside.example": ["192.168.1.10"],
  "localhost": ["127.0.0.1", "::1"],
  "metadata.google.internal": ["169.254.169.254"],
  "mapped.example": ["::ffff:10.1.2.3"],
  "localtest.me": ["127.0.0.1"],
  "nat64.example": ["64:ff9b::7f00:1"],
  "nothing.example": [],
};

const safe = (more: Partial<SafeFetchOptions> = {}) =>
  safeFetch({
    resolve: (host) =>
      host in names ? Promise.resolve(names[host]) : Promise.reject(new Error("ENOTFOUND")),
    fetch: (input) => {
      asked.push(String(input instanceof Request ? input.url : input));
      return Promise.resolve(new Response("fine"));
    },
    max_bytes: 1000,
    timeout_ms: 1000,
    ...more,
  });

const refusalOf = (call: Promise<Response>): Promise<string> =>
  call.then(() => "answered", (error) => error instanceof Refusal ? error.code : String(error));

const forbidden = [
  "https://127.0.0.1/",
  "https://127.1/",
  "https://127.0.1/",
  "https://127.255.255.254/",
  "https://2130706433/",
  "https://0x7f000001/",
  "https://0x7f.0.0.1/",
  "https://0x7f.1/",
  "https://0177.0.0.1/",
  "https://0177.0.0.01/",
  "https://017700000001/",
  "https://127.0.0.1./",
  "https://①②⑦.⓪.⓪.①/",
  "https://127。0。0。1/",
  "https://0.0.0.0/",
  "https://0/",
  "https://[::]/",
  "https://[::1]/",
  "https://[0:0:0:0:0:0:0:1]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[::ffff:7f00:1]/",
  "https://[::ffff:169.254.169.254]/",
  "https://[::127.0.0.1]/",
  "https://[64:ff9b::7f00:1]/",
  "https://[2002:7f00:1::]/",
  "https://[2001:0:7f00:1::]/",
  "https://[fe80::1]/",
  "https://[fc00::1]/",
  "https://[fd00:ec2::254]/",
  "https://[fec0::1]/",
  "https://[ff02::1]/",
  "https://[2001:db8::1]/",
  "https://[100::1]/",
  "https://[2606:2800:220:1:0:5efe:7f00:1]/",
  "https://10.0.0.1/",
  "https://10.255.255.255/",
  "https://172.16.0.1/",
  "https://172.31.255.254/",
  "https://192.168.0.1/",
  "https://169.254.169.254/latest/meta-data/",
  "https://2852039166/latest/meta-data/",
  "https://0xa9fea9fe/",
  "https://169.254.170.2/",
  "https://100.64.0.1/",
  "https://100.100.100.200/",
  "https://100.127.255.254/",
  "https://192.0.0.192/",
  "https://192.0.2.1/",
  "https://198.18.0.1/",
  "https://198.51.100.7/",
  "https://203.0.113.7/",
  "https://224.0.0.1/",
  "https://239.255.255.250/",
  "https://240.0.0.1/",
  "https://255.255.255.255/",
  "https://localhost/",
  "https://LOCALHOST/",
  "https://localhost./",
  "https://localtest.me/",
  "https://metadata.google.internal/computeMetadata/v1/",
  "https://inside.example/",
  "https://one-of-two.example/",
  "https://mapped.example/",
  "https://nat64.example/",
  "https://nothing.example/",
  "https://unknown.example/",
  "https://public.example:8080/",
  "https://public.example:22/",
  "https://user@public.example/",
  "https://user:word@public.example/",
  "https://public.example@127.0.0.1/",
  "https://:word@public.example/",
  "http://public.example/",
  "http://93.184.216.34/",
  "HTTP://127.0.0.1/",
  "file:///etc/passwd",
  "ftp://public.example/",
  "gopher://127.0.0.1:6379/_INFO",
  "data:text/plain,hello",
  "blob:https://public.example/1",
  "javascript:alert(1)",
  "ws://public.example/",
  "unix:///var/run/docker.sock",
  "dict://127.0.0.1:11211/stat",
  "ldap://127.0.0.1/",
  "//public.example/",
  "public.example",
  "/etc/passwd",
  "",
];

describe("a URL that data can influence", () => {
  it(`is refused before anything is sent, in ${forbidden.length} shapes`, async () => {
    expect(forbidden.length).toBeGreaterThanOrEqual(60);
    const passed: string[] = [];
    for (const url of forbidden) {
      if (await refusalOf(safe()(url)) !== "url_denied") passed.push(url);
    }
    expect(passed).toEqual([]);
    expect(asked).toEqual([]);
  });

  it("is refused as a Request and as a URL object as well", async () => {
    expect(await refusalOf(safe()(new Request("https://127.0.0.1/")))).toBe("url_denied");
    expect(await refusalOf(safe()(new URL("https://[::1]/")))).toBe("url_denied");
    expect(asked).toEqual([]);
  });

  it("is refused when its host is not on the list that was made to be complete", async () => {
    const call = safe({ allowed_hosts: ["api.example"], only_allowed_hosts: true });
    expect(await refusalOf(call("https://public.example/"))).toBe("url_denied");
    expect(await refusalOf(call("https://api.example.evil.example/"))).toBe("url_denied");
    expect(await refusalOf(call("https://api.example/"))).toBe("answered");
  });

  it("may be private, without TLS and on any port where its host was named", async () => {
    const call = safe({ allowed_hosts: ["127.0.0.1", "[::1]", "bridge.internal"] });
    for (const url of ["http://127.0.0.1:8787/", "http://[::1]:1/", "http://bridge.internal/x"]) {
      expect(await refusalOf(call(url))).toBe("answered");
    }
    expect(await refusalOf(call("http://user@bridge.internal/"))).toBe("url_denied");
    expect(await refusalOf(call("file://bridge.internal/etc/passwd"))).toBe("url_denied");
  });

  it("is called when it is public", async () => {
    for (
      const url of [
        "https://public.example/a?b=c",
        "https://six.example/",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1::1]/",
      ]
    ) expect(await (await safe()(url)).text()).toBe("fine");
  });
});

describe("the answer", () => {
  it.each([301, 302, 303, 307, 308])("is not followed elsewhere: %i", async (status) => {
    const call = safe({
      fetch: (input, init) => {
        asked.push(String(input));
        expect(init?.redirect).toBe("manual");
        return Promise.resolve(
          new Response(null, { status, headers: { location: "http://169.254.169.254/" } }),
        );
      },
    });
    expect(await refusalOf(call("https://public.example/"))).toBe("url_denied");
    expect(asked).toHaveLength(1);
  });

  it("is not read when the name has moved to a private address in the meantime", async () => {
    let looks = 0;
    const call = safe({
      resolve: () => Promise.resolve(looks++ === 0 ? ["93.184.216.34"] : ["127.0.0.1"]),
    });
    expect(await refusalOf(call("https://rebind.example/"))).toBe("url_denied");
    expect(looks).toBe(2);
  });

  it("is not read when it says that it is too long, nor to its end when it turns out to be", async () => {
    const long = (headers: Record<string, string>) =>
      safe({ fetch: () => Promise.resolve(new Response("x".repeat(1001), { headers })) });
    expect(await refusalOf(long({ "content-length": "1001" })("https://public.example/"))).toBe(
      "url_denied",
    );
    const streamed = await long({})("https://public.example/");
    await expect(streamed.text()).rejects.toMatchObject({ code: "url_denied" });
    const fits = await safe({ fetch: () => Promise.resolve(new Response("x".repeat(1000))) })(
      "https://public.example/",
    );
    expect((await fits.text()).length).toBe(1000);
  });

  it("is waited for so long and no longer, headers and body alike", async () => {
    const slow = safe({
      timeout_ms: 30,
      fetch: (_, init) =>
        new Promise((_, reject) =>
          init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason))
        ),
    });
    await expect(slow("https://public.example/")).rejects.toMatchObject({ name: "TimeoutError" });
  });

  it("obeys the caller's own signal, too", async () => {
    const mine = new AbortController();
    const call = safe({
      fetch: (_, init) =>
        new Promise((_, reject) => {
          if (init!.signal!.aborted) reject(init!.signal!.reason);
          init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason));
        }),
    });
    const waiting = call("https://public.example/", { signal: mine.signal });
    mine.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });

  it("keeps its status and headers", async () => {
    const call = safe({
      fetch: () => Promise.resolve(new Response("no", { status: 404, headers: { "x-a": "b" } })),
    });
    const answer = await call("https://public.example/");
    expect([answer.status, answer.headers.get("x-a"), await answer.text()]).toEqual([
      404,
      "b",
      "no",
    ]);
  });
});

describe("a public address", () => {
  it.each(["8.8.8.8", "1.1.1.1", "2606:4700::1111", "172.32.0.1", "100.128.0.1", "11.0.0.1"])(
    "is %s",
    (address) => expect(isPublicAddress(address)).toBe(true),
  );
  it.each(["", "example", "1.2.3", "::ffff:0:0", "fe80::1%eth0", "10.0.0.1", "::"])(
    "is not %j",
    (address) => expect(isPublicAddress(address)).toBe(false),
  );
});
