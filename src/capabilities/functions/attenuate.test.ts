// Attenuated functions: what is fixed cannot be given in any way, and what is narrower checks first.
import { expect, test } from "vitest";
import { z } from "zod";
import { OptionError } from "../../errors/option-error.ts";
import { attenuate } from "./attenuate.ts";
import { counting, Database, inspected, outcome } from "./function-fixture.ts";
import { hostFunction } from "./host-function.ts";
import { hostObject } from "./host-object.ts";

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
  expect(await outcome(granted, { size: 2 })).toBe(1);
  expect(await outcome(granted, { size: 2, id: "b" })).toBe(
    "TypeError: lookup() got an unexpected keyword argument 'id'",
  );
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
  expect(await outcome(granted, { tenant: 8 })).toBe(
    "TypeError: lookup() got an unexpected keyword argument 'tenant'",
  );
  expect(await outcome(granted, { id: "b" })).toMatch(/^TypeError/);
  expect(await outcome(granted, { x: 1 })).toBe(1);
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
