// Objects offered by a list of names: what is called, on what, and which names are refused.
import { expect, test } from "vitest";
import { z } from "zod";
import { OptionError } from "../../errors/option-error.ts";
import { attributeOf, Database, methodOf, outcome } from "./function-fixture.ts";
import { hostFunction } from "./host-function.ts";
import { hostObject } from "./host-object.ts";

test("calls with this, as the method was when it was granted; attributes are read anew", async () => {
  const target = new Database();
  const db = hostObject(target, {
    methods: ["query", "drop", "all"],
    attributes: { rows: { annotation: "int" } },
  });
  expect([db.name, db.target]).toEqual(["Database", target]);
  const flags = [...db.methods].map(([name, { signature }]) => [name, signature.isAsync, signature.streams]);
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

test("what is left out at the end is not given, so that defaults of the method hold", async () => {
  const input = z.object({ a: z.number(), b: z.number().optional(), c: z.number().optional() });
  const target = { count: (...all: unknown[]) => all };
  const count = methodOf(hostObject(target, { methods: { count: { input } } }), "count");
  expect(await outcome(count, { a: 1 })).toEqual([1]);
  expect(await outcome(count, { a: 1, c: 3 })).toEqual([1, undefined, 3]);
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
