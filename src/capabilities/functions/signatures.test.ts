// Signatures from the real schema libraries; native Python says what they mean.
import { jsonSchema as aiSchema } from "ai";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { OptionError } from "../../errors/option-error.ts";
import type { Arguments, FunctionCapability } from "./function-capability.ts";
import { badAnnotations, inspected, outcome } from "./function-fixture.ts";
import { hostFunction } from "./host-function.ts";
import type { InputSchema } from "./schemas.ts";

const execute = (): null => null;
const of = (input: InputSchema): FunctionCapability => hostFunction({ input, execute });
const shown = (capability: FunctionCapability): string[] =>
  capability.signature.parameters.map(
    ({ name, annotation, kind, isOptional, defaultText }) =>
      `${name}: ${annotation}${isOptional ? ` = ${defaultText ?? "..."}` : ""} (${kind})`,
  );

const same: [string, InputSchema][] = [
  [
    "zod",
    z.object({
      id: z.string().describe("which one"),
      count: z.number().int().default(3),
      tags: z.array(z.string()).optional(),
      mode: z.enum(["a", "b"]).default("a"),
      note: z.union([z.string(), z.null()]).optional(),
    }),
  ],
  [
    "valibot",
    v.object({
      id: v.pipe(v.string(), v.description("which one")),
      count: v.optional(v.pipe(v.number(), v.integer()), 3),
      tags: v.optional(v.array(v.string())),
      mode: v.optional(v.picklist(["a", "b"]), "a"),
      note: v.optional(v.nullable(v.string())),
    }),
  ],
  [
    "the AI SDK",
    aiSchema({
      type: "object",
      properties: {
        id: { type: "string", description: "which one" },
        count: { type: "integer", default: 3 },
        tags: { type: "array", items: { type: "string" } },
        mode: { enum: ["a", "b"], default: "a" },
        note: { type: ["string", "null"] },
      },
      required: ["id"],
    }),
  ],
];

test.each(same)("%s: names, annotations, defaults and descriptions", (_, input) => {
  const capability = of(input);
  expect(shown(capability)).toEqual([
    "id: str (ordinary)",
    "count: int = 3 (ordinary)",
    "tags: list[str] = ... (ordinary)",
    'mode: Literal["a", "b"] = "a" (ordinary)',
    "note: str | None = ... (ordinary)",
  ]);
  expect(capability.signature.parameters[0]?.description).toBe("which one");
});

test("arktype, which puts names in an order of its own", () => {
  const input = type({ id: "string", "count?": "number.integer", "tags?": "string[]", mode: "'a' | 'b'" });
  expect(shown(of(input)).sort()).toEqual([
    "count: int = ... (ordinary)",
    "id: str (ordinary)",
    'mode: Literal["a", "b"] (ordinary)',
    "tags: list[str] = ... (ordinary)",
  ]);
});

test("a library that is known only by the extension of Standard Schema, or by toJsonSchema", () => {
  const jsonSchema = { type: "object", properties: { id: { type: "string" } }, required: ["id"] };
  const plain = { version: 1, vendor: "other", validate: (value: unknown) => ({ value }) } as const;
  const seen: unknown[] = [];
  const input = (options: unknown): unknown => {
    seen.push(options);
    return jsonSchema;
  };
  expect(shown(of({ "~standard": { ...plain, jsonSchema: { input } } }))).toEqual(["id: str (ordinary)"]);
  expect(seen).toEqual([{ target: "draft-2020-12" }]);
  const own: InputSchema & { toJsonSchema(): unknown } = {
    "~standard": plain,
    toJsonSchema: () => jsonSchema,
  };
  expect(shown(of(own))).toEqual(["id: str (ordinary)"]);
});

test("what JSON Schema cannot say: dates, bigints, transforms", () => {
  const input = z.object({
    day: z.date(),
    size: z.bigint(),
    text: z.string().transform((text) => text.length),
    later: z.date().optional(),
  });
  expect(shown(of(input))).toEqual([
    "day: datetime.datetime (ordinary)",
    "size: int (ordinary)",
    "text: str (ordinary)",
    "later: datetime.datetime = ... (ordinary)",
  ]);
  expect(shown(of(v.object({ day: v.date(), size: v.bigint() })))).toEqual([
    "day: datetime.datetime (ordinary)",
    "size: int (ordinary)",
  ]);
  expect(shown(of(type({ day: "Date", n: "number" })))).toEqual([
    "day: Any (ordinary)",
    "n: float (ordinary)",
  ]);
});

test("defaults that JSON does not have are the schema's own to fill in", async () => {
  const input = z.object({
    day: z.date().default(new Date(0)),
    some: z.set(z.string()).default(new Set(["a"])),
    size: z.bigint().default(5n),
    length: z
      .string()
      .transform((text) => text.length)
      .default(3),
  });
  const capability = hostFunction({ input, execute: (value) => value });
  expect(
    capability.signature.parameters.map(({ isOptional, defaultText }) => [isOptional, defaultText]),
  ).toEqual(Array(4).fill([true, undefined]));
  const large = z.object({
    x: z.number().default(1e20),
    y: z.number().default(1e22),
    z: z.number().default(2 ** 53),
  });
  expect(
    hostFunction({ input: large, execute }).signature.parameters.map(({ defaultText }) => defaultText),
  ).toEqual(["100000000000000000000.0", "1e+22", "9007199254740992.0"]);
  const odd = { type: "object", properties: { a: { type: "string", default: 3 } } };
  expect(shown(hostFunction({ parameters: odd, execute }))).toEqual(["a: str = ... (ordinary)"]);
  expect(await outcome(capability)).toEqual({ day: new Date(0), some: new Set(["a"]), size: 5n, length: 3 });
});

test("types: execute gets what the schema makes", () => {
  hostFunction({
    input: z.object({ id: z.string(), n: z.number().default(1) }),
    execute: (input, call) => {
      expectTypeOf(input).toEqualTypeOf<{ id: string; n: number }>();
      expectTypeOf(call.signal).toEqualTypeOf<AbortSignal>();
    },
  });
  hostFunction({
    input: v.object({ id: v.string() }),
    execute: (input) => expectTypeOf(input).toEqualTypeOf<{ id: string }>(),
  });
  hostFunction({
    input: type({ id: "string" }),
    execute: (input) => expectTypeOf(input).toEqualTypeOf<{ id: string }>(),
  });
  hostFunction({
    input: aiSchema<{ id: string }>({}),
    execute: (input) => expectTypeOf(input).toEqualTypeOf<{ id: string }>(),
  });
  const none = hostFunction({ execute: (input) => expectTypeOf(input).toEqualTypeOf<Arguments>() });
  expect(none.signature.parameters).toEqual([]);
});

test("Python sees the signature that is meant", () => {
  const plain = hostFunction({
    input: z.object({ a: z.string(), b: z.number().default(0.5), c: z.boolean() }),
    execute: async () => true,
    returns: "bool",
  });
  const value = of(z.array(z.string()));
  const open = of(z.looseObject({ a: z.string() }));
  const positional = hostFunction((one: number) => one);
  const none = hostFunction({ execute: function* () {} });
  expect(inspected([plain, value, open, positional, none].map(({ signature }) => signature))).toEqual([
    [
      ["a", "POSITIONAL_OR_KEYWORD", false, "str"],
      ["b", "POSITIONAL_OR_KEYWORD", true, "float"],
      ["c", "KEYWORD_ONLY", false, "bool"],
      ["->", true, "bool"],
    ],
    [
      ["value", "POSITIONAL_ONLY", false, "list[str]"],
      ["->", false, "Any"],
    ],
    [
      ["a", "POSITIONAL_OR_KEYWORD", false, "str"],
      ["arguments", "VAR_KEYWORD", false, "Any"],
      ["->", false, "Any"],
    ],
    [
      ["args", "VAR_POSITIONAL", false, "Any"],
      ["->", false, "Any"],
    ],
    [["->", false, "Iterator[Any]"]],
  ]);
});

test("schemas that tell nothing of themselves take any arguments by name", () => {
  const input: InputSchema = {
    "~standard": { version: 1, vendor: "none", validate: (value) => ({ value }) },
  };
  expect(shown(of(input))).toEqual(["arguments: Any = ... (keywords)"]);
  expect(shown(of(z.union([z.object({ a: z.string() }), z.object({ b: z.string() })])))).toEqual([
    "arguments: Any = ... (keywords)",
  ]);
  expect(shown(of(z.record(z.string(), z.number())))).toEqual(["arguments: float = ... (keywords)"]);
});

test("async and streams, from the function or by option", () => {
  const flags = (execute: () => unknown, options = {}): boolean[] => {
    const { isAsync, streams } = hostFunction({ execute, ...options }).signature;
    return [isAsync, streams];
  };
  expect(flags(() => 1)).toEqual([false, false]);
  expect(flags(async () => 1)).toEqual([true, false]);
  expect(flags(function* () {})).toEqual([false, true]);
  expect(flags(async function* () {})).toEqual([true, true]);
  expect(flags(() => Promise.resolve(1), { async: true, streams: true })).toEqual([true, true]);
});

describe("annotations", () => {
  const annotation = (schema: object): string =>
    hostFunction({ execute, returns: schema as Record<string, unknown> }).signature.returns;

  test("of every kind", () => {
    const expected: [object, string][] = [
      [{ type: "string" }, "str"],
      [{ type: "string", format: "uuid" }, "str"],
      [{ format: "uuid" }, "uuid.UUID"],
      [{ format: "date" }, "datetime.date"],
      [{ type: "string", format: "binary" }, "bytes"],
      [{ type: "number" }, "float"],
      [{ type: "null" }, "None"],
      [{ type: "array" }, "list[Any]"],
      [
        { type: "array", prefixItems: [{ type: "string" }, { type: "integer" }], items: false },
        "tuple[str, int]",
      ],
      [{ type: "object" }, "dict[str, Any]"],
      [{ type: "object", additionalProperties: { type: "integer" } }, "dict[str, int]"],
      [{ const: 'it\'s "x"\n\u2028' }, 'Literal["it\'s \\"x\\"\\n\\u2028"]'],
      [{ enum: [1, true, null, "x"] }, 'Literal[1, True, "x"] | None'],
      [{ enum: [1.5] }, "Any"],
      [{ enum: [null] }, "None"],
      [{ anyOf: [{ type: "null" }, { type: "string" }, { type: "string" }] }, "str | None"],
      [{ oneOf: [{ type: "string" }, {}] }, "Any"],
      [{ type: ["integer", "null"] }, "int | None"],
      [{ type: "string", nullable: true }, "str | None"],
      [{ allOf: [{ type: "string" }] }, "str"],
      [{ $ref: "#/$defs/a~1b", $defs: { "a/b": { type: "array", items: { type: "string" } } } }, "list[str]"],
      [{ $ref: "#/$defs/no" }, "Any"],
      [{ $ref: "#/%zz" }, "Any"],
      [{ type: "array", items: { $ref: "#" } }, "list[list[Any]]"],
      [{ type: "frob" }, "Any"],
    ];
    expect(expected.map(([schema]) => annotation(schema))).toEqual(expected.map(([, text]) => text));
    expect(badAnnotations(expected.map(([schema]) => annotation(schema)))).toEqual([]);
  });

  test("of schemas without end, or with too much", () => {
    const cyclic: Record<string, unknown> = { type: "array" };
    cyclic.items = cyclic;
    expect(annotation(cyclic)).toBe(`${"list[".repeat(13)}Any${"]".repeat(13)}`);
    const wide: Record<string, unknown> = {};
    wide.anyOf = Array.from({ length: 40 }, () => ({ type: "array", items: wide }));
    expect(annotation(wide)).toBe("Any");
    expect(annotation({ enum: Array.from({ length: 1000 }, (_, at) => at) })).toBe("Any");
    expect(annotation({ type: "array", items: { const: "x".repeat(2000) } })).toBe("Any");
  });

  test("written by hand: what Python can evaluate, and nothing else", () => {
    const good = [
      "int",
      "list[str] | None",
      "dict[str, list[int]]",
      "Literal[\"a]\", 'b', -1, True]",
      "Callable[[int, str], bool]",
      "Callable[..., Any]",
      "tuple[int, ...]",
      "datetime.datetime",
      "collections.abc.Sequence[int]",
    ];
    for (const text of good) expect(hostFunction({ execute, returns: text }).signature.returns).toBe(text);
    expect(badAnnotations(good)).toEqual([]);
    const bad = [
      "",
      "int]",
      "list[",
      "1 +",
      "f()",
      "int\nimport os",
      "a: b",
      "class",
      'Literal["a]',
      "int,str",
      "lambda: 0",
      "x.",
      "[".repeat(60),
    ];
    for (const text of bad) expect(() => hostFunction({ execute, returns: text }), text).toThrow(OptionError);
  });
});

test("bad options are named", () => {
  const option = (make: () => unknown): string => {
    try {
      make();
    } catch (error) {
      if (error instanceof OptionError) return error.option;
      throw error;
    }
    return "accepted";
  };
  const bad: [object, string][] = [
    [{}, "hostFunction execute"],
    [{ execute: 1 }, "hostFunction execute"],
    [{ execute, excute: 1 }, "hostFunction excute"],
    [{ execute, description: 1 }, "hostFunction description"],
    [{ execute, async: "yes" }, "hostFunction async"],
    [{ execute, errors: 1 }, "hostFunction errors"],
    [{ execute, input: {} }, "hostFunction input"],
    [{ execute, input: { jsonSchema: Promise.resolve({}) } }, "hostFunction input jsonSchema"],
    [{ execute, output: { jsonSchema: {} } }, "hostFunction output"],
    [{ execute, parameters: { type: "string" } }, "hostFunction parameters"],
    [{ execute, limits: { calls: 0 } }, "hostFunction limits calls"],
    [{ execute, limits: { concurrency: 1.5 } }, "hostFunction limits concurrency"],
    [{ execute, limits: { bytes: "many" } }, "hostFunction limits bytes"],
    [{ execute, limits: { rate: 1 } }, "hostFunction limits rate"],
    [{ execute, values: { shape: "sets" } }, "hostFunction values shape"],
    [{ execute, values: { exactFloats: 1 } }, "hostFunction values exactFloats"],
    [{ execute, input: z.object({ "not-a-name": z.string() }) }, "hostFunction input not-a-name"],
    [{ execute, input: z.object({ class: z.string() }) }, "hostFunction input class"],
    [{ execute, input: z.object({ "\ufb01": z.string() }) }, "hostFunction input \ufb01"],
    [
      { execute, parameters: { type: "object", properties: { b: {} }, required: ["a"] } },
      "hostFunction parameters required",
    ],
    [
      {
        execute,
        input: z.object(Object.fromEntries(Array.from({ length: 256 }, (_, at) => [`p${at}`, z.string()]))),
      },
      "hostFunction input",
    ],
  ];
  expect(bad.map(([options]) => option(() => hostFunction(options as never)))).toEqual(
    bad.map(([, name]) => name),
  );
  expect(option(() => hostFunction(execute, { input: z.object({}) } as never))).toBe("hostFunction input");
  // Soft keywords are names.
  expect(shown(of(z.object({ match: z.string(), type: z.string() })))).toEqual([
    "match: str (ordinary)",
    "type: str (ordinary)",
  ]);
});

test("limits and values have defaults, and a word for none", () => {
  expect(hostFunction({ execute })).toMatchObject({
    limits: { calls: 100_000, concurrency: 16, bytes: 2 ** 30 },
    values: { shape: "objects", references: "refuse", exactFloats: false },
  });
  const none = { calls: "unlimited", concurrency: "unlimited", bytes: "unlimited" } as const;
  expect(hostFunction({ execute, limits: none, values: { shape: "json" } })).toMatchObject({
    limits: { calls: Infinity, concurrency: Infinity, bytes: Infinity },
    values: { shape: "json" },
  });
});
