import { describe, expect, it } from "vitest";
import { type Listener, refusalOf } from "../../../command-center/server/admission.ts";

const loopback: Listener = {
  hostname: "127.0.0.1",
  port: 54380,
  network: "loopback",
  name: "desk.tail1234.ts.net",
};
const tailnet: Listener = { ...loopback, hostname: "100.101.102.103", network: "tailnet" };

const ask = (headers: Record<string, string>, peer = "127.0.0.1", listener = loopback) =>
  refusalOf({ method: "GET", headers: new Headers(headers) }, peer, listener);

describe("who is answered", () => {
  it("answers loopback under its own names", () => {
    for (const host of ["127.0.0.1:54380", "localhost:54380", "[::1]:54380", "LOCALHOST:54380"]) {
      expect(ask({ host }), host).toBeNull();
    }
  });

  it("refuses a Host that is not its own: a name that was bound to loopback by somebody else", () => {
    const foreign = [
      "evil.example:54380",
      "127.0.0.1",
      "127.0.0.1:80",
      "127.0.0.1.nip.io:54380",
      "localhost:54380@evil.example",
      "desk.tail1234.ts.net:54380",
      "",
    ];
    for (const host of foreign) expect(ask({ host }), host).toMatch(/Host/);
    expect(ask({})).toMatch(/Host/);
  });

  it("refuses a peer that is not on the trusted network, whatever it says of itself", () => {
    const host = "127.0.0.1:54380";
    for (const peer of ["192.168.1.20", "203.0.113.9", "100.64.0.9", "", "fd00::1"]) {
      expect(ask({ host, "tailscale-user-login": "admin@example.com" }, peer), peer)
        .toMatch(/trusted network/);
    }
    expect(ask({ host: "100.101.102.103:54380" }, "192.168.1.20", tailnet)).toMatch(/trusted/);
    expect(ask({ host: "100.101.102.103:54380" }, "127.0.0.1", tailnet)).toMatch(/trusted/);
  });

  it("answers a peer of the tailnet under the address or the machine's name, and no header of a proxy from there", () => {
    const peer = "100.99.1.2";
    expect(ask({ host: "100.101.102.103:54380" }, peer, tailnet)).toBeNull();
    expect(ask({ host: "desk.tail1234.ts.net:54380" }, peer, tailnet)).toBeNull();
    expect(ask({ host: "localhost:54380" }, peer, tailnet)).toMatch(/Host/);
    expect(
      ask(
        { host: "100.101.102.103:54380", "tailscale-user-login": "admin@example.com" },
        peer,
        tailnet,
      ),
    ).toMatch(/do not come from loopback/);
  });

  it("answers through tailscale serve only whom tailscale names", () => {
    const served = { host: "desk.tail1234.ts.net", "x-forwarded-for": "100.99.1.2" };
    expect(ask({ ...served, "tailscale-user-login": "someone@example.com" })).toBeNull();
    expect(ask(served)).toMatch(/names nobody/);
    expect(ask({ ...served, host: "127.0.0.1:54380" })).toMatch(/Host/);
    expect(
      ask({ ...served, "tailscale-user-login": "a@example.com" }, "127.0.0.1", {
        ...loopback,
        name: null,
      }),
    ).toMatch(/Host/);
  });

  it("never answers a request that came through Funnel", () => {
    expect(
      ask({
        host: "desk.tail1234.ts.net",
        "x-forwarded-for": "203.0.113.9",
        "tailscale-user-login": "someone@example.com",
        "tailscale-funnel-request": "?1",
      }),
    ).toMatch(/Funnel/);
  });

  it("lets no page of another origin read it", () => {
    const host = "127.0.0.1:54380";
    expect(ask({ host, origin: "https://evil.example" })).toMatch(/another origin/);
    expect(ask({ host, origin: "null" })).toMatch(/another origin/);
    expect(ask({ host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }))
      .toMatch(/another site/);
    expect(ask({ host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" })).toBeNull();
    expect(ask({ host, origin: "http://127.0.0.1:54380" })).toBeNull();
  });
});
