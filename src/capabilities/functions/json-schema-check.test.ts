// The check of JSON Schemas: what the specification says of each keyword, and zod's own reading of JSON Schema as the judge of random ones.
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { OptionError } from "../../errors/option-error.ts";
import { jsonSchemaCheck } from "./json-schema-check.ts";
import type { StandardResult } from "./schemas.ts";

function accepts(schema: Record<string, unknown>, value: unknown): boolean {
  return issues(schema, value).length === 0;
}

function issues(schema: Record<string, unknown>, value: unknown): readonly string[] {
  const found = jsonSchemaCheck("schema", schema)["~standard"].validate(value) as StandardResult;
  return (found.issues ?? []).map(({ path, message }) => `${(path ?? []).join(".")}: ${message}`);
}

const tree = { type: "object", properties: { next: { $ref: "#" } }, additionalProperties: false };

/** [schema, accepted, refused] */
const cases: readonly [Record<string, unknown>, readonly unknown[], readonly unknown[]][] = [
  [{ type: "integer" }, [1, 1n, 2.0, -0], [1.5, "1", null, Number.NaN, Infinity]],
  [{ type: "number" }, [1, 1n, 1.5], ["1", true]],
  [
    { type: "object" },
    [{}, new Map(), Object.create(null)],
    [[], null, new Date(), new Uint8Array(), new Set()],
  ],
  [{ type: "array" }, [[]], [{}, new Set(), new Uint8Array()]],
  [{ type: ["string", "null"] }, ["", null], [0]],
  [{ type: "string", nullable: true }, ["", null], [0]],
  [{ enum: [1, "a", { b: [1] }] }, [1, 1n, "a", { b: [1] }, new Map([["b", [1]]])], ["1", { b: [2] }, {}]],
  [{ const: {} }, [{}], [new Date(), [], { a: 1 }]],
  [{ minimum: 1, maximum: 3 }, [1, 3, 2n, "x"], [0, 3.1, 4n]],
  [{ exclusiveMinimum: 1, exclusiveMaximum: 3 }, [2], [1, 3]],
  [{ multipleOf: 0.01 }, [0.07, 1], [0.075]],
  [{ multipleOf: 3 }, [9, 9n ** 40n], [10, 9n ** 40n + 1n]],
  [{ minLength: 2, maxLength: 2 }, ["ab", "😀😀", 5], ["a", "😀", "abc"]],
  [{ pattern: "^a+$" }, ["aa", 1], ["ab"]],
  [{ minItems: 1, maxItems: 2 }, [[1], [1, 2], "x"], [[], [1, 2, 3]]],
  [{ items: { type: "string" } }, [["a"], []], [["a", 1]]],
  [{ prefixItems: [{ type: "string" }], items: false }, [["a"], []], [["a", 1], [1]]],
  [{ contains: { type: "string" } }, [[1, "a"]], [[1], []]],
  [{ contains: { type: "string" }, minContains: 2, maxContains: 2 }, [["a", "b"]], [["a"], ["a", "b", "c"]]],
  [
    { uniqueItems: true },
    [
      [1, 2, "1", true, null, 10n ** 400n, 2n ** 53n, 2n ** 53n + 1n],
      [{ a: 1 }, { a: 2 }],
    ],
    [
      [1, 1n],
      [null, 10n ** 400n, null],
      [10n ** 400n, 10n ** 400n],
      [{ a: 1 }, { a: 1 }],
    ],
  ],
  [{ required: ["a"] }, [{ a: undefined }, { a: 1 }, 1], [{}, new Map()]],
  [{ required: ["toString"] }, [{ toString: 1 }], [{}]],
  [{ properties: { a: { type: "string" } } }, [{}, { a: "x" }, { b: 1 }], [{ a: 1 }, new Map([["a", 1]])]],
  [
    { additionalProperties: false, properties: { a: {} } },
    [{ a: 1 }],
    [{ b: 1 }, JSON.parse('{"__proto__": 1}')],
  ],
  [{ additionalProperties: { type: "string" } }, [{ a: "x" }], [{ a: 1 }]],
  [
    { patternProperties: { "^x": { type: "string" } }, additionalProperties: false },
    [{ x1: "a" }],
    [{ x1: 1 }, { y: 1 }],
  ],
  [{ propertyNames: { maxLength: 1 } }, [{ a: 1 }], [{ ab: 1 }]],
  [{ minProperties: 1, maxProperties: 1 }, [{ a: 1 }], [{}, { a: 1, b: 1 }]],
  [{ dependentRequired: { a: ["b"] } }, [{ a: 1, b: 1 }, { b: 1 }, {}], [{ a: 1 }]],
  [{ allOf: [{ minimum: 1 }, { maximum: 2 }] }, [1], [0, 3]],
  [{ anyOf: [{ type: "string" }, { minimum: 3 }] }, ["a", 3], [2]],
  [{ oneOf: [{ minimum: 1 }, { maximum: 2 }] }, [0, 3], [1, 2]],
  [{ not: { type: "string" } }, [1], ["a"]],
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
  [{ if: { type: "string" }, then: { minLength: 1 }, else: { minimum: 1 } }, ["a", 1], ["", 0]],
  [{ $ref: "#/$defs/a", $defs: { a: { type: "string" } } }, ["a"], [1]],
  [tree, [{}, { next: { next: {} } }], [{ next: { other: 1 } }]],
];

test.each(cases)("%j", (schema, accepted, refused) => {
  expect(accepted.filter((value) => !accepts(schema, value))).toEqual([]);
  expect(refused.filter((value) => accepts(schema, value))).toEqual([]);
});

test("issues say where, and are few", () => {
  const schema = {
    type: "object",
    properties: { a: { type: "array", items: { type: "string" } } },
    required: ["a", "b"],
  };
  expect(issues(schema, { a: ["x", 1] })).toEqual(["b: is required", "a.1: must be string, not integer"]);
  expect(issues(schema, { b: 1, a: Array(1e5).fill(1) }).length).toBe(6);
});

test("values and schemas without end are refused, within bounds", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.next = cyclic;
  expect(issues(tree, cyclic)).toEqual([expect.stringMatching(/too deep/)]);
  const doubling = { anyOf: [{ $ref: "#" }, { $ref: "#" }] };
  expect(accepts(doubling, 1)).toBe(false);
  const many = Array.from({ length: 1e5 }, (_, at) => at);
  expect(issues({ uniqueItems: true }, many)).toEqual([]);
  expect(issues({ uniqueItems: true }, [...many, 99_999n])).toEqual([expect.stringMatching(/twice/)]);
  const rows = many.map((at) => [at]);
  expect(issues({ uniqueItems: true }, rows)).toEqual([]);
  expect(issues({ uniqueItems: true }, [...rows, [5]])).toEqual([expect.stringMatching(/twice/)]);
  expect(issues({ uniqueItems: true }, Array(15).fill(many).flat())).toEqual([
    expect.stringMatching(/too large to be checked/),
  ]);
});

/** Fails whoever looks at the same array more than `most` times in all. */
function watched(items: readonly unknown[], most: number): readonly unknown[] {
  let looks = 0;
  const watch = (array: readonly unknown[]): readonly unknown[] =>
    new Proxy(array, {
      get(target, name) {
        looks += 1;
        if (looks > most) throw new Error(`more than ${most} looks`);
        return Reflect.get(target, name);
      },
      ownKeys: (target) => {
        looks += target.length;
        return Reflect.ownKeys(target);
      },
    });
  return items.map((item) => (Array.isArray(item) ? watch(item) : item));
}

test("uniqueItems: work is for each part of a value, not for each pair", () => {
  const rows = Array.from({ length: 300 }, (_, at) => [...Array(690).fill(0), at]);
  expect(issues({ uniqueItems: true }, watched(rows, 2_000_000))).toEqual([]);
  expect(issues({ uniqueItems: true }, [...rows, rows[7]])).toEqual([expect.stringMatching(/twice/)]);
});

test("a value that is shared without end is refused, within bounds", () => {
  let shared: readonly unknown[] = [1];
  for (let depth = 0; depth < 60; depth++) shared = watched([shared, shared], 2 ** 22);
  const schema = { items: {}, uniqueItems: true };
  expect(issues(schema, [shared, shared])).toEqual([expect.stringMatching(/too large to be checked/)]);
});

test("what a guest chose is not put where V8 hashes it alike", () => {
  const added: unknown[] = [];
  const spies = [
    vi.spyOn(Set.prototype, "add").mockImplementation(function (this: Set<unknown>, value) {
      added.push(typeof value);
      return this;
    }),
    vi.spyOn(Map.prototype, "set").mockImplementation(function (this: Map<unknown, unknown>, key) {
      added.push(typeof key);
      return this;
    }),
  ];
  const found: (readonly string[])[] = [];
  try {
    const alike = Array.from({ length: 100 }, (_, at) => (BigInt(at) << 64n) + 1n);
    const names = Object.fromEntries(alike.map((_, at) => [at << 16, 1]));
    found.push(issues({ uniqueItems: true, items: { type: "integer" } }, alike));
    found.push(issues({ additionalProperties: { type: "integer" }, minProperties: 1 }, names));
    found.push(issues({ uniqueItems: true }, [names, { ...names, x: 1 }]));
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  expect(found).toEqual([[], [], []]);
  expect(added.length).toBeLessThan(20);
});

test("uniqueItems: the same are the same in every form", () => {
  const twice = (one: unknown, other: unknown): boolean => !accepts({ uniqueItems: true }, [one, other]);
  const same: [unknown, unknown][] = [
    [-0, 0],
    [
      [1, [2]],
      [1n, [2]],
    ],
    [
      { a: 1, b: [] },
      new Map<string, unknown>([
        ["b", []],
        ["a", 1n],
      ]),
    ],
    [2 ** 60, 2n ** 60n],
    [-(10n ** 400n), -(10n ** 400n)],
  ];
  const different: [unknown, unknown][] = [
    ["1", 1],
    [["a", "b"], ["a,1:b"]],
    [{ a: 1 }, { a: { a: 1 } }],
    [{ a: "1=b" }, { "a=1": "b" }],
    [[[], []], [[[]]]],
    [10n ** 400n, -(10n ** 400n)],
    [new Date(0), new Date(0)],
    [{}, []],
    ["n", null],
  ];
  expect(same.filter(([one, other]) => !twice(one, other))).toEqual([]);
  expect(different.filter(([one, other]) => twice(one, other))).toEqual([]);
});

test("what was not checked to its end is refused, also where something must not be there", () => {
  const many = Array(2e6).fill(0);
  expect(issues({ not: { contains: { const: 1 } } }, [...many, 1])).toEqual([
    expect.stringMatching(/too large to be checked/),
  ]);
  let deep: unknown = [1];
  for (let depth = 0; depth < 100; depth++) deep = [deep];
  const ones = { anyOf: [{ const: 1 }, { contains: { $ref: "#/$defs/ones" } }] };
  expect(issues({ not: { $ref: "#/$defs/ones" }, $defs: { ones } }, deep)).toEqual([
    expect.stringMatching(/too deep/),
  ]);
});

test("names that are no text, and integers of any length, are not written out", () => {
  const huge = 10n ** 5000n;
  const strict = { additionalProperties: false, patternProperties: { "^1": true } };
  expect(issues(strict, new Map<unknown, unknown>([[huge, 1]]))).toEqual(["…: not allowed here"]);
  expect(issues(strict, new Map<unknown, unknown>([[1, 1]]))).toEqual([]);
  expect(issues({ const: huge }, 1)).toEqual([': must be "…"']);
  expect(issues({ enum: [5n] }, huge)).toEqual([': must be one of ["5"]']);
});

test("what cannot be checked is refused when the check is made", () => {
  const bad: Record<string, unknown>[] = [
    { unevaluatedProperties: false },
    { properties: { a: { dependentSchemas: {} } } },
    { $ref: "https://example.com/schema" },
    { $ref: "#/$defs/missing" },
    { pattern: "(" },
    { patternProperties: { "(": {} } },
  ];
  for (const schema of bad)
    expect(() => jsonSchemaCheck("schema", schema), JSON.stringify(schema)).toThrow(OptionError);
  expect(accepts({ default: { $ref: "#/no" }, enum: [{ pattern: "(" }] }, { pattern: "(" })).toBe(true);
  // Names of properties are no keywords.
  expect(
    accepts({ properties: { unevaluatedItems: { type: "string" }, $ref: { type: "string" } } }, { $ref: 1 }),
  ).toBe(false);
});

test("random schemas and values: as zod reads them", () => {
  const leaf = fc.oneof(
    fc.record({ type: fc.constantFrom("string", "integer", "number", "boolean", "null") }),
    fc.record({ type: fc.constant("string"), minLength: fc.nat(3), maxLength: fc.nat(3) }),
    fc.record({ type: fc.constant("integer"), minimum: fc.nat(3), maximum: fc.nat(3) }),
    fc.record({ enum: fc.uniqueArray(fc.constantFrom("a", "b", 1, 2), { minLength: 1 }) }),
    fc.record({ const: fc.constantFrom("a", 1, true) }),
  );
  const { schema } = fc.letrec<{ schema: Record<string, unknown> }>((tie) => ({
    schema: fc.oneof(
      { depthSize: "small" },
      leaf,
      fc.record({ type: fc.constant("array"), items: tie("schema") }),
      fc.record({ anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
      fc.record({
        type: fc.constant("object"),
        properties: fc.record({ a: tie("schema"), b: tie("schema") }),
        required: fc.subarray(["a", "b"]),
        additionalProperties: fc.boolean(),
      }),
    ),
  }));
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom("a", "b", "", "xyz", "wxyz", 0, 1, 2, 3, 4, 1.5, true, null),
      fc.array(tie("value"), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value")),
    ),
  }));
  let accepted = 0;
  fc.assert(
    fc.property(schema, value, (one, other) => {
      const expected = z.fromJSONSchema(one as never).safeParse(other).success;
      accepted += expected ? 1 : 0;
      expect(accepts(one, other)).toBe(expected);
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(50);
});
