import { describe, expect, it } from "vitest";
import { addressFor, isTailnet } from "../../../command-center/server/address.ts";

const lan = { name: "eth0", address: "192.168.1.20" };
const carrier = { name: "wwan0", address: "100.70.1.2" };
const four = { name: "tailscale0", address: "100.101.102.103" };
const six = { name: "tailscale0", address: "fd7a:115c:a1e0::1" };
const wish = (more: object = {}) => ({ tailscale: false, address: null, port: 54380, ...more });

describe("where the command center listens", () => {
  it("listens on loopback where nothing else is asked", () => {
    expect(addressFor(wish(), [lan, four])).toMatchObject({
      ok: true,
      hostname: "127.0.0.1",
      network: "loopback",
    });
    expect(addressFor(wish({ address: "::1" }), [])).toMatchObject({ ok: true, hostname: "::1" });
  });

  it("refuses every other address, 0.0.0.0 and :: included", () => {
    const others = ["0.0.0.0", "::", "192.168.1.20", "100.70.1.2", "203.0.113.9", "localhost", ""];
    for (const address of others) {
      expect(addressFor(wish({ address }), [lan, carrier, four]), address).toMatchObject({
        ok: false,
        problem: expect.stringMatching(/^Not starting: /),
      });
    }
  });

  it("takes the address of the tailscale interface from the interface itself", () => {
    expect(addressFor(wish({ tailscale: true }), [lan, carrier, six, four])).toMatchObject({
      ok: true,
      hostname: "100.101.102.103",
      network: "tailnet",
    });
    expect(addressFor(wish({ tailscale: true }), [six])).toMatchObject({ hostname: six.address });
    expect(addressFor(wish({ address: four.address }), [four])).toMatchObject({ ok: true });
  });

  it("refuses to start where the tailscale interface is missing, or is not certain", () => {
    expect(addressFor(wish({ tailscale: true }), [lan])).toMatchObject({ ok: false });
    // A provider gives its customers addresses of the same range: the range alone proves nothing.
    expect(addressFor(wish({ tailscale: true }), [carrier])).toMatchObject({ ok: false });
    expect(addressFor(wish({ tailscale: true }), [{ name: "tailscale0", address: "10.0.0.2" }]))
      .toMatchObject({ ok: false });
    const tunnels = [
      { name: "utun3", address: "100.101.102.103" },
      { name: "utun4", address: "100.101.102.104" },
    ];
    expect(addressFor(wish({ tailscale: true }), tunnels)).toMatchObject({ ok: false });
  });

  it("knows the ranges of a tailnet to their ends", () => {
    const inside = ["100.64.0.0", "100.127.255.255", "fd7a:115c:a1e0::1", "::ffff:100.64.0.1"];
    const outside = ["100.63.255.255", "100.128.0.0", "100.150.151.152", "fd7a:115c:a1e1::1", "x"];
    expect(inside.filter(isTailnet)).toEqual(inside);
    expect(outside.filter(isTailnet)).toEqual([]);
  });
});
