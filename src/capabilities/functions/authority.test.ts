// Words of authority for functions and objects: what they refuse is a PermissionError, and nothing of the function below runs.
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { OptionError } from "../../errors/option-error.ts";
import { outcome as fileOutcome } from "../../filesystems/tree-view-fixture.ts";
import { limited } from "../wrappers/limited.ts";
import { observed } from "../wrappers/observed.ts";
import { revocable } from "../wrappers/revocable.ts";
import { capabilityOf, Hands, place, resolve } from "../wrappers/wrapper-fixture.ts";
import { type Approval, approved } from "./approved.ts";
import { attenuate } from "./attenuate.ts";
import { expiring } from "./expiring.ts";
import type { FunctionCapability, ObjectCapability } from "./function-capability.ts";
import { answerLater, Caller, given, inspected, outcome, told } from "./function-fixture.ts";
import { hostFunction } from "./host-function.ts";
import { hostObject } from "./host-object.ts";
import type { CallUse } from "./observed-functions.ts";

function counting(): { lookup: FunctionCapability; calls: unknown[] } {
  const calls: unknown[] = [];
  const input = z.object({ id: z.string(), size: z.number().default(1), deep: z.boolean().optional() });
  const lookup = hostFunction({
    input,
    execute: (value) => {
      calls.push(value);
      return calls.length;
    },
  });
  return { lookup, calls };
}

class Database {
  rows = 2;
  #secret = "s";
  query(sql: string, limit?: number): unknown[] {
    return [sql, limit, this.rows, this.#secret.length];
  }
  async drop(): Promise<string> {
    return "dropped";
  }
  *all(): Generator<number> {
    yield 1;
  }
}

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
    const granted = approved(lookup, ({ name, arguments: args, signal }) => {
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

describe("attenuate", () => {
  test("fixed arguments are gone from the signature, and cannot be given", async () => {
    const { lookup, calls } = counting();
    const granted = attenuate(lookup, { fixed: { id: "a", deep: false }, description: "Looks up a." });
    expect(inspected([granted.signature])).toEqual([
      [
        ["size", "POSITIONAL_OR_KEYWORD", true, "float"],
        ["->", false, "Any"],
      ],
    ]);
    expect(granted.signature.description).toBe("Looks up a.");
    expect(await outcome(granted, { size: 2, id: "b" })).toBe(1);
    expect(calls).toEqual([{ id: "a", size: 2, deep: false }]);
    expect(() => attenuate(lookup, { fixed: { ide: 1 } })).toThrow("attenuate fixed ide");
  });

  test("not by further names either", async () => {
    const seen: unknown[] = [];
    const open = hostFunction({
      input: z.looseObject({ id: z.string() }),
      execute: (value: unknown) => seen.push(value),
    });
    const granted = attenuate(open, { fixed: { id: "a", tenant: 7 } });
    expect(await outcome(granted, { arguments: new Map([["tenant", 8]]) })).toBe(
      "TypeError: lookup() got an unexpected keyword argument 'tenant'",
    );
    expect(await outcome(granted, { arguments: given({ id: "b" }) })).toMatch(/^TypeError/);
    expect(await outcome(granted, { arguments: given({ x: 1 }) })).toBe(1);
    expect(seen).toEqual([{ id: "a", tenant: 7, x: 1 }]);
  });

  test("a narrower schema checks first, and what it makes is given on", async () => {
    const { lookup, calls } = counting();
    const input = z.object({
      size: z.number().int().max(5).default(2),
      id: z.string().transform((id) => `t1/${id}`),
    });
    const granted = attenuate(lookup, { input, limits: { calls: 5, bytes: "unlimited" } });
    expect(inspected([granted.signature])).toEqual([
      [
        ["id", "POSITIONAL_OR_KEYWORD", false, "str"],
        ["size", "POSITIONAL_OR_KEYWORD", true, "int"],
        ["deep", "POSITIONAL_OR_KEYWORD", true, "bool"],
        ["->", false, "Any"],
      ],
    ]);
    expect(granted.limits).toEqual({ calls: 5, concurrency: 16, bytes: 2 ** 30 });
    expect(await outcome(granted, { id: "a", size: 6 })).toMatch(/^ValueError: lookup\(\) argument 'size'/);
    expect(await outcome(granted, { id: "a", deep: true })).toBe(1);
    expect(await outcome(granted, { id: "a", deep: 1 })).toMatch(/^TypeError: lookup\(\) argument 'deep'/);
    expect(calls).toEqual([{ id: "t1/a", size: 2, deep: true }]);
    expect(() => attenuate(lookup, { input: z.object({ other: z.string() }) })).toThrow(
      "attenuate input other",
    );
    expect(() => attenuate(lookup, { input: z.string() })).toThrow(OptionError);
  });

  test("a narrower schema that demands what was optional", () => {
    const { lookup } = counting();
    const granted = attenuate(lookup, { input: z.object({ deep: z.boolean() }) });
    expect(inspected([granted.signature])).toEqual([
      [
        ["id", "POSITIONAL_OR_KEYWORD", false, "str"],
        ["size", "POSITIONAL_OR_KEYWORD", true, "float"],
        ["deep", "KEYWORD_ONLY", false, "bool"],
        ["->", false, "Any"],
      ],
    ]);
  });

  test("an object with fewer names", () => {
    const db = hostObject(new Database(), { methods: ["query", "drop"], attributes: ["rows"] });
    const granted = attenuate(db, { methods: ["query"], attributes: [] });
    expect([[...granted.methods.keys()], [...granted.attributes.keys()]]).toEqual([["query"], []]);
    expect(() => attenuate(granted, { methods: ["drop"] })).toThrow(OptionError);
  });
});

test("observed: each call when it is over, with its error; a listener that fails changes nothing", async () => {
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
});

describe("hostObject", () => {
  test("calls with this, as the method was when it was granted; attributes are read anew", async () => {
    const target = new Database();
    const db = hostObject(target, {
      methods: ["query", "drop", "all"],
      attributes: { rows: { annotation: "int" } },
    });
    expect([db.name, db.target]).toEqual(["Database", target]);
    const flags = [...db.methods].map(([name, { signature }]) => [
      name,
      signature.isAsync,
      signature.streams,
    ]);
    expect(flags).toEqual([
      ["query", false, false],
      ["drop", true, false],
      ["all", false, true],
    ]);
    Object.assign(target, { query: () => "replaced", rows: 5 });
    expect(await outcome(methodOf(db, "query"), { args: ["x", 1] })).toEqual(["x", 1, 5, 1]);
    expect(await outcome(attributeOf(db, "rows"))).toBe(5);
    expect(attributeOf(db, "rows").signature.returns).toBe("int");
  });

  test("methods with terms: arguments in the order of the signature, checked before", async () => {
    const input = z.object({ sql: z.string(), limit: z.number().max(10).optional() });
    const db = hostObject(new Database(), {
      name: "Store",
      methods: {
        query: { input, returns: "list[Any]" },
        drop: hostFunction({ execute: () => "kept" }),
        all: {},
      },
    });
    expect(db.name).toBe("Store");
    expect(await outcome(methodOf(db, "query"), { limit: 3, sql: "x" })).toEqual(["x", 3, 2, 1]);
    expect(await outcome(methodOf(db, "query"), { sql: "x" })).toEqual(["x", undefined, 2, 1]);
    expect(await outcome(methodOf(db, "query"), { sql: "x", limit: 11 })).toMatch(/^ValueError/);
    expect(await outcome(methodOf(db, "drop"))).toBe("kept");
  });

  test("names that are not there, private, everybody's or no names are refused", () => {
    const bad: object[] = [
      { methods: ["rows"] },
      { methods: ["missing"] },
      { methods: ["constructor"] },
      { methods: ["toString"] },
      { methods: ["hasOwnProperty"] },
      { methods: ["_private"] },
      { methods: ["query", "query"] },
      { methods: ["class"] },
      { methods: { query: { execute: () => 1 } } },
      { methods: "query" },
      { attributes: ["missing"] },
      { attributes: ["__proto__"] },
      { attributes: { rows: { annotation: "int; x" } } },
      { methods: ["query"], attributes: ["query"] },
      { name: "not a name" },
      { other: 1 },
    ];
    const target = Object.assign(new Database(), { _private: () => 1, class: () => 1 });
    for (const options of bad)
      expect(() => hostObject(target, options), JSON.stringify(options)).toThrow(OptionError);
    expect(() => hostObject(null as never, {})).toThrow(OptionError);
    expect(hostObject({}, {}).name).toBe("HostObject");
  });
});

function methodOf(object: ObjectCapability, name: string): FunctionCapability {
  const found = object.methods.get(name);
  if (found === undefined) throw new Error(`no method ${name}`);
  return found;
}

function attributeOf(object: ObjectCapability, name: string): FunctionCapability {
  const found = object.attributes.get(name);
  if (found === undefined) throw new Error(`no attribute ${name}`);
  return found;
}
