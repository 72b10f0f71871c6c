// Schemas and words of authority as programs meet them: real libraries, a real interpreter.
import {
  approved,
  attenuate,
  expiring,
  GuestException,
  hostFunction,
  hostObject,
  limited,
  revocable,
  Sandbox,
} from "sandboa";
import * as v from "valibot";
import { expect, test } from "vitest";
import { z } from "zod";

const failing = (call: string): string => `
try:
    ${call}
except Exception as error:
    told = f"{type(error).__name__}: {error}"
told`;

test("signatures, checks and errors", async () => {
  const functions = {
    lookup: hostFunction({
      description: "Looks up.",
      input: z.object({
        id: z.string().describe("which"),
        n: z.number().int().max(9).default(3),
        tag: z.string().optional(),
      }),
      returns: "dict[str, Any]",
      execute: (input) => input,
    }),
    open: hostFunction({ input: z.looseObject({ id: z.string() }), execute: (input: unknown) => input }),
    total: hostFunction({
      input: v.array(v.number()),
      execute: (all) => all.reduce((one, other) => one + other, 0),
    }),
    quota: hostFunction(() => {
      throw new GuestException("QuotaError", "enough");
    }),
  };
  await using sandbox = await Sandbox.create({ functions });
  const value = async (source: string): Promise<unknown> => (await sandbox.run(source)).value;
  expect(await value("import inspect, host\nfrom host import *\nstr(inspect.signature(host.lookup))")).toBe(
    "(id: 'str', n: 'int' = 3, tag: 'str' = Ellipsis) -> 'dict[str, Any]'",
  );
  expect(await value("inspect.getdoc(host.lookup).splitlines()[0]")).toBe("Looks up.");
  expect(await value("host.lookup('a') == {'id': 'a', 'n': 3}")).toBe(true);
  expect(await value("host.lookup('a', tag='t', n=4) == {'id': 'a', 'n': 4, 'tag': 't'}")).toBe(true);
  expect(await value(failing("host.lookup(1)"))).toBe(
    "TypeError: lookup() argument 'id': Invalid input: expected string, received number",
  );
  expect(await value(failing("host.lookup('a', 10)"))).toMatch(
    /^ValueError: lookup\(\) argument 'n': Too big/,
  );
  expect(await value(failing("host.lookup()"))).toMatch(
    /^TypeError: .*missing 1 required positional argument: 'id'/,
  );
  expect(await value("host.open('a', x=[1]) == {'id': 'a', 'x': [1]}")).toBe(true);
  expect(await value("host.total([1, 2, 3])")).toBe(6);
  expect(await value(failing("host.total(value=[1])"))).toMatch(/^TypeError: .*positional-only/);
  expect(await value(failing("host.quota()"))).toBe("QuotaError: enough");
});

test("words of authority", async () => {
  const asked: unknown[] = [];
  const echo = hostFunction({ input: z.looseObject({ id: z.string() }), execute: (input: unknown) => input });
  let begun: AbortSignal | undefined;
  const slow = hostFunction({
    execute: async (_: unknown, { signal }) => {
      begun = signal;
      setImmediate(revoking.revoke);
      return new Promise(() => {});
    },
  });
  const revoking = revocable(slow);
  class Store {
    size = 2;
    get(key: string, otherwise = "none"): string {
      return `${key} ${otherwise} ${this.size}`;
    }
  }
  const input = z.object({ key: z.string(), otherwise: z.string().optional() });
  const functions = {
    fixed: attenuate(echo, { fixed: { id: "mine", tenant: 7 } }),
    thrice: limited(echo, { calls: 3 }),
    asking: approved(echo, async ({ name, arguments: args }) => {
      asked.push([name, { ...args }]);
      return args.id === "yes" ? true : { approved: false, reason: "not today" };
    }),
    late: expiring(echo, { at: new Date(0) }),
    slow: revoking.capability,
    deep: { store: hostObject(new Store(), { methods: { get: { input } }, attributes: ["size"] }) },
  };
  await using one = await Sandbox.create({ functions });
  await using other = await Sandbox.create({ functions });
  const value = async (source: string, sandbox = one): Promise<unknown> =>
    (await sandbox.run(`import host\n${source}`)).value;
  expect(await value("host.fixed(x=1) == {'id': 'mine', 'tenant': 7, 'x': 1}")).toBe(true);
  expect(await value(failing("host.fixed(tenant=8)"))).toBe(
    "TypeError: fixed() got an unexpected keyword argument 'tenant'",
  );
  expect(await value("host.thrice('a'), host.thrice('b')\nTrue")).toBe(true);
  expect(await value("host.thrice('c')\nTrue", other)).toBe(true);
  expect(await value(failing("host.thrice('d')"))).toBe(
    "PermissionError: thrice() may be called no more: its 3 calls are used up",
  );
  expect(await value("host.asking('yes')['id']")).toBe("yes");
  expect(await value(failing("host.asking('no')"))).toBe(
    "PermissionError: asking() was not approved: not today",
  );
  expect(asked).toEqual([
    ["asking", { id: "yes" }],
    ["asking", { id: "no" }],
  ]);
  expect(await value(failing("host.late('a')"))).toMatch(/^PermissionError: late\(\)/);
  expect(
    await value("from host.deep import store\n[store.get('k'), store.get('k', otherwise='o'), store.size]"),
  ).toEqual([...["k none 2", "k o 2", 2]]);
  // Under way: it is revoked by itself.
  expect(await value(failing("host.slow()"))).toBe("PermissionError: slow() was revoked");
  expect(begun?.aborted).toBe(true);
});

test("inline, a guest that is closed or cancelled from within a call makes no other one", async () => {
  for (const way of ["close", "signal"] as const) {
    let calls = 0;
    const controller = new AbortController();
    const sandbox = await Sandbox.create({
      isolation: "inline",
      functions: {
        f: hostFunction({
          execute: () => {
            calls += 1;
            if (way === "close") void sandbox.close();
            else controller.abort();
            return calls;
          },
        }),
      },
    });
    const run = sandbox.run("from host import f\nfor i in range(50): f()", { signal: controller.signal });
    await expect(run).rejects.toMatchObject({ code: way === "close" ? "SANDBOX_CLOSED" : "RUN_CANCELLED" });
    expect([way, calls]).toEqual([way, 1]);
    await sandbox.close();
  }
});

test("groups and functions may have the names of what every object has", async () => {
  const ping = hostFunction({ execute: () => 1 });
  const [of, text] = [Object.entries, Object.prototype.toString];
  await using sandbox = await Sandbox.create({
    functions: { constructor: { entries: ping }, toString: { ping }, valueOf: ping },
  });
  try {
    expect(sandbox.describe()).toBe(`# host
from typing import Any

def valueOf() -> Any: ...

# host.constructor
from typing import Any

def entries() -> Any: ...

# host.toString
from typing import Any

def ping() -> Any: ...
`);
    expect([Object.entries, Object.hasOwn(text, "ping")]).toEqual([of, false]);
  } finally {
    // Of what was wrong here once everything else would be told in words of its own.
    Object.entries = of;
    Reflect.deleteProperty(text, "ping");
  }
});
