import { expect, test } from "vitest";
import { fn, parameter } from "../src/host/calls/calls-fixture.ts";
import { guestWith } from "./functions-fixture.ts";

test("first", async () => {
  const guest = await guestWith("worker", {
    add: fn(({ a, b }) => (a as number) + (b as number), { parameters: ["a", parameter("b", { isOptional: true, defaultText: "10" })] }),
    slow: fn(async ({ x }) => { await new Promise((r) => setTimeout(r, 10)); return x; }, { parameters: ["x"], isAsync: true }),
    "billing.invoice": fn(() => "paid"),
  });
  console.log(await guest.run("from host import add, slow\nimport asyncio\n[add(1), add(a=1,b=2), slow(4), await slow(5), await asyncio.gather(*[slow(i) for i in range(3)])]"));
  console.log(await guest.run("from host.billing import invoice\ninvoice()"));
  console.log(await guest.run("import time, sandboa\nt=time.perf_counter()\nfor i in range(20000): add(1,2)\n(time.perf_counter()-t)/20000*1e6"));
  console.log(guest.faults);
  expect(1).toBe(1);
});
