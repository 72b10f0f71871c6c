// Words of authority for functions and objects: what they refuse is a PermissionError, and nothing of the function below runs.
import { describe, expect, test } from "vitest";
import { OptionError } from "../../errors/option-error.ts";
import { outcome as fileOutcome } from "../../filesystems/tree-view-fixture.ts";
import { limited } from "../wrappers/limited.ts";
import { observed } from "../wrappers/observed.ts";
import { revocable } from "../wrappers/revocable.ts";
import { capabilityOf, Hands, place, resolve } from "../wrappers/wrapper-fixture.ts";
import { type Approval, approved } from "./approved.ts";
import { expiring } from "./expiring.ts";
import type { FunctionCapability } from "./function-capability.ts";
import {
  answerLater,
  attributeOf,
  Caller,
  counting,
  Database,
  methodOf,
  outcome,
  told,
} from "./function-fixture.ts";
import { hostFunction } from "./host-function.ts";
import { hostObject } from "./host-object.ts";
import type { CallUse } from "./observed-functions.ts";

describe("limited", () => {
  test("calls belong to the capability, whoever has it, and whatever comes of them", async () => {
    const { lookup, calls } = counting();
    const granted = limited(lookup, { calls: 3 });
    expect(await outcome(granted, { id: "a" })).toBe(1);
    expect(await outcome(granted, { id: 1 })).toMatch(/^TypeError/);
    expect(await outcome(granted, { id: "a" }, new Caller("billing.find"))).toBe(2);
    expect(await outcome(granted, { id: "a" })).toBe(
      "PermissionError: lookup() may be called no more: its 3 calls are used up",
    );
    expect(calls.length).toBe(2);
    expect(await outcome(limited(lookup, { calls: 0 }))).toMatch(/its 0 calls are used up$/);
  });

  test("bytes and concurrency are the narrower of both", () => {
    const own = hostFunction({ execute: () => 1, limits: { bytes: 100, concurrency: 2, calls: 9 } });
    expect(limited(own, { bytes: "1 KiB", concurrency: 1 }).limits).toEqual({
      bytes: 100,
      concurrency: 1,
      calls: 9,
    });
    expect(limited(own, { bytes: 10 }).limits).toEqual({ bytes: 10, concurrency: 2, calls: 9 });
  });

  test("of an object, one budget for everything", async () => {
    const db = limited(hostObject(new Database(), { methods: ["query"], attributes: ["rows"] }), {
      calls: 2,
    });
    expect(await outcome(methodOf(db, "query"), { args: ["x"] })).toEqual(["x", undefined, 2, 1]);
    expect(await outcome(attributeOf(db, "rows"))).toBe(2);
    expect(await outcome(attributeOf(db, "rows"), {}, new Caller("db.rows"))).toMatch(
      /^PermissionError: db.rows\(\)/,
    );
  });

  test("a date, or a duration from the first call on; and places as before", async () => {
    const { lookup } = counting();
    const call = new Caller();
    const [short, dated] = [limited(lookup, { until: "1 s" }), limited(lookup, { until: new Date(1500) })];
    expect([await outcome(short, { id: "a" }, call), await outcome(dated, { id: "a" }, call)]).toEqual([
      1, 2,
    ]);
    call.ms = 1500;
    expect(await outcome(dated, { id: "a" }, call)).toBe(
      "PermissionError: lookup() can be called no more: its time is over",
    );
    expect(await outcome(short, { id: "a" }, call)).toBe(3);
    call.ms = 2000;
    expect(await outcome(short, { id: "a" }, call)).toMatch(/^PermissionError/);
    const { capability } = await place(false);
    expect(await fileOutcome(() => resolve(limited(capability, { opens: 0 })).open("d/f", openAccess))).toBe(
      "EDQUOT",
    );
  });

  test("bad limits", () => {
    const { lookup } = counting();
    for (const limits of [
      { opens: 1 },
      { calls: -1 },
      { bytes: "x" },
      { concurrency: 0 },
      { until: new Date(Number.NaN) },
      null,
    ])
      expect(() => limited(lookup, limits as never), JSON.stringify(limits)).toThrow(OptionError);
    expect(() => limited(capabilityOf({} as never), { calls: 1 } as never)).toThrow(OptionError);
  });
});

const openAccess = {
  read: true,
  write: false,
  append: false,
  truncate: false,
  create: "never",
  mode: 0,
} as const;

describe("revocable", () => {
  test("refuses what comes later and ends what is under way, with its signal", async () => {
    const signals: AbortSignal[] = [];
    const slow = hostFunction({
      execute: (_: unknown, { signal }) => {
        signals.push(signal);
        return new Promise(() => {});
      },
    });
    const { capability, revoke } = revocable(slow);
    const waiting = outcome(capability);
    expect(signals[0]?.aborted).toBe(false);
    revoke();
    expect(await waiting).toBe("PermissionError: lookup() was revoked");
    expect(signals[0]?.aborted).toBe(true);
    expect(await outcome(capability)).toBe("PermissionError: lookup() was revoked");
    expect(signals.length).toBe(1);
    revoke();
  });

  test("the guest's own end of a call reaches the function, and costs nothing later", async () => {
    const { capability, revoke } = revocable(
      hostFunction({
        execute: (_: unknown, { signal }) =>
          new Promise((_done, refuse) => signal.addEventListener("abort", () => refuse(signal.reason))),
      }),
    );
    const call = new Caller();
    const waiting = outcome(capability, {}, call);
    call.abort();
    expect(await waiting).toBe("! nobody waits");
    revoke();
  });

  test.each(["sync", "async"])("a %s stream ends at once", async (kind) => {
    let ended = 0;
    let asked = 0;
    const release = answerLater<void>();
    const execute =
      kind === "sync"
        ? function* () {
            try {
              yield 1;
              asked += 1;
              yield 2;
            } finally {
              ended += 1;
            }
          }
        : async function* () {
            try {
              yield 1;
              await release.promise;
            } finally {
              ended += 1;
            }
          };
    const { capability, revoke } = revocable(hostFunction({ execute }));
    const stream = (await outcome(capability)) as AsyncIterator<unknown>;
    expect(await stream.next()).toEqual({ done: false, value: 1 });
    const waiting = kind === "async" ? stream.next().catch(told) : undefined;
    revoke();
    const next = waiting ?? (async () => stream.next())().catch(told);
    expect(await next).toBe("PermissionError: lookup() was revoked");
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    release.resolve();
    await new Promise((done) => setImmediate(done));
    expect([ended, asked]).toEqual([1, 0]);
  });

  test("a dict with a callable `next` is a value, as for the guest: with its answer the call is over", async () => {
    const dict = Object.assign(Object.create(null), { next: async () => 1 });
    let below: AbortSignal | undefined;
    const { capability, revoke } = revocable(
      hostFunction({
        execute: (_: unknown, { signal }) => {
          below = signal;
          return dict;
        },
      }),
    );
    expect(await outcome(capability)).toBe(dict);
    revoke();
    expect(below?.aborted).toBe(false);
  });

  test("an object with everything in it; places as before", async () => {
    const { capability, revoke } = revocable(
      hostObject(new Database(), { methods: ["query"], attributes: ["rows"] }),
    );
    expect(await outcome(attributeOf(capability, "rows"))).toBe(2);
    revoke();
    expect(await outcome(attributeOf(capability, "rows"))).toBe("PermissionError: lookup() was revoked");
    expect(await outcome(methodOf(capability, "query"), { args: [] })).toBe(
      "PermissionError: lookup() was revoked",
    );
    const files = revocable((await place(false)).capability);
    files.revoke();
    expect(await fileOutcome(() => resolve(files.capability).stat(""))).toBe("EACCES");
  });
});

describe("expiring", () => {
  test("gives nothing after its time, not even what was asked before", async () => {
    const release = answerLater<string>();
    const granted = expiring(hostFunction({ execute: () => release.promise }), { after: "1 s" });
    const call = new Caller();
    const early = outcome(granted, {}, call);
    call.ms = 2000;
    release.resolve("late");
    expect(await early).toBe("PermissionError: lookup() can be called no more: its time is over");
    expect(await outcome(granted, {}, call)).toMatch(/^PermissionError/);
  });

  test("a stream until then", async () => {
    const granted = expiring(
      hostFunction({
        execute: function* () {
          yield 1;
          yield 2;
        },
      }),
      { at: new Date(1500) },
    );
    const call = new Caller();
    const stream = (await outcome(granted, {}, call)) as Iterator<unknown>;
    expect(stream.next().value).toBe(1);
    call.ms = 1500;
    expect(() => stream.next()).toThrow("its time is over");
  });

  test("takes a place, and exactly one time", async () => {
    const hands = new Hands();
    const tree = resolve(expiring((await place(false)).capability, { after: 100 }), hands);
    expect(await fileOutcome(() => tree.stat(""))).toBe("ok");
    hands.ms += 100;
    expect(await fileOutcome(() => tree.stat(""))).toBe("EACCES");
    for (const expiry of [
      {},
      { at: new Date(1), after: 1 },
      { at: 1 },
      { at: new Date(Number.NaN) },
      { after: "soon" },
      { in: 1 },
    ])
      expect(() => expiring(counting().lookup, expiry as never), JSON.stringify(expiry)).toThrow(OptionError);
  });
});

describe("approved", () => {
  test.each<[unknown, unknown]>([
    [true, 1],
    [{ approved: true }, 1],
    [Promise.resolve(true), 1],
    [false, "PermissionError: lookup() was not approved"],
    [{ approved: false, reason: "too large" }, "PermissionError: lookup() was not approved: too large"],
    [Promise.resolve({ approved: false }), "PermissionError: lookup() was not approved"],
    ["yes", "PermissionError: lookup() was not approved"],
    [1, "PermissionError: lookup() was not approved"],
    [undefined, "PermissionError: lookup() was not approved"],
    [{ approved: "true" }, "PermissionError: lookup() was not approved"],
  ])("%o", async (answer, expected) => {
    const { lookup, calls } = counting();
    const granted = approved(lookup, () => answer as Approval);
    expect(await outcome(granted, { id: "a" })).toBe(expected);
    expect(calls.length).toBe(expected === 1 ? 1 : 0);
  });

  test("is told what is asked for; if it fails nothing is called, and neither after a late yes", async () => {
    const { lookup, calls } = counting();
    const asked: unknown[] = [];
    const yes = answerLater<boolean>();
    // One that does not look at the signal by itself.
    const plain: FunctionCapability = { ...lookup, invoke: (values) => calls.push(values) };
    const granted = approved(plain, ({ name, arguments: args, signal }) => {
      asked.push([name, args, signal.aborted]);
      return yes.promise;
    });
    const call = new Caller("billing.find");
    const late = outcome(granted, { id: "a" }, call);
    expect(asked).toEqual([["billing.find", { id: "a" }, false]]);
    call.abort();
    yes.resolve(true);
    expect(await late).toBe("! nobody waits");
    const failing = approved(lookup, () => {
      throw new Error("no terminal");
    });
    expect(await outcome(failing, { id: "a" })).toBe("! no terminal");
    expect(calls).toEqual([]);
    expect(() => approved(lookup, true as never)).toThrow(OptionError);
    expect(() => approved({} as never, () => true)).toThrow(OptionError);
  });

  test("each method of an object", async () => {
    const names: string[] = [];
    const db = approved(hostObject(new Database(), { methods: ["query", "drop"] }), ({ name }) => {
      names.push(name);
      return name !== "db.drop";
    });
    expect(await outcome(methodOf(db, "drop"), { args: [] }, new Caller("db.drop"))).toBe(
      "PermissionError: db.drop() was not approved",
    );
    expect(await outcome(methodOf(db, "query"), { args: ["x"] }, new Caller("db.query"))).toEqual([
      "x",
      undefined,
      2,
      1,
    ]);
    expect(names).toEqual(["db.drop", "db.query"]);
  });
});

test("observed: each call when it is over, with its error; a listener that fails changes nothing and is told of", async () => {
  const uses: CallUse[] = [];
  const { lookup } = counting();
  const call = new Caller();
  const granted = observed(lookup, (use) => {
    uses.push(use);
    throw new Error("listener");
  });
  expect(await outcome(granted, { id: "a" }, call)).toBe(1);
  expect(await outcome(granted, { id: 1 }, call)).toMatch(/^TypeError/);
  expect(uses).toMatchObject([
    { name: "lookup", arguments: { id: "a" }, startMs: 1000, endMs: 1000 },
    { arguments: { id: 1 }, isShown: true },
  ]);
  expect("error" in (uses[0] ?? {})).toBe(false);
  expect(call.faults.map(String)).toEqual(["Error: listener", "Error: listener"]);
});
