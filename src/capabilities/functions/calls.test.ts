// What becomes of a call: arguments that schemas refuse never reach execute, and what is thrown is shown only as far as it was chosen.
import { jsonSchema as aiSchema, asSchema } from "ai";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { GuestException } from "../../errors/guest-exception.ts";
import type { FunctionCapability } from "./function-capability.ts";
import { Caller, given, outcome, told } from "./function-fixture.ts";
import { hostFunction } from "./host-function.ts";
import type { InputSchema } from "./schemas.ts";

/** With the arguments that reached execute. */
function recording(input: InputSchema): { capability: FunctionCapability; reached: unknown[] } {
  const reached: unknown[] = [];
  const capability = hostFunction({
    input,
    execute: (value: unknown) => {
      reached.push(value);
      return "done";
    },
  });
  return { capability, reached };
}

describe("a bad argument", () => {
  const items = z.array(z.object({ id: z.number() }));
  const zod = z.object({ id: z.string(), size: z.number().max(5).default(1), items: items.optional() });
  const valibot = v.object({
    id: v.string(),
    size: v.optional(v.pipe(v.number(), v.maxValue(5)), 1),
    items: v.optional(v.array(v.object({ id: v.number() }))),
  });
  const arktype = type({ id: "string", "size?": "number <= 5", "items?": type({ id: "number" }).array() });
  const ai = aiSchema({
    type: "object",
    properties: {
      id: { type: "string" },
      size: { type: "number", maximum: 5 },
      items: { type: "array", items: { type: "object", properties: { id: { type: "number" } } } },
    },
    required: ["id"],
  });

  test.each<[string, InputSchema, readonly [string, string, string]]>([
    [
      "zod",
      zod,
      [
        "TypeError: lookup() argument 'id': Invalid input: expected string, received number",
        "ValueError: lookup() argument 'size': Too big: expected number to be <=5",
        "TypeError: lookup() argument 'items'[1].id: Invalid input: expected number, received string",
      ],
    ],
    [
      "zod through the AI SDK",
      asSchema(zod) as InputSchema,
      [
        "TypeError: lookup() argument 'id': Invalid input: expected string, received number",
        "ValueError: lookup() argument 'size': Too big: expected number to be <=5",
        "TypeError: lookup() argument 'items'[1].id: Invalid input: expected number, received string",
      ],
    ],
    [
      "valibot",
      valibot,
      [
        "TypeError: lookup() argument 'id': Invalid type: Expected string but received 1",
        "ValueError: lookup() argument 'size': Invalid value: Expected <=5 but received 6",
        "TypeError: lookup() argument 'items'[1].id: Invalid type: Expected number but received \"x\"",
      ],
    ],
    [
      "arktype",
      arktype,
      [
        "TypeError: lookup() argument 'id': id must be a string (was a number)",
        "ValueError: lookup() argument 'size': size must be at most 5 (was 6)",
        "TypeError: lookup() argument 'items'[1].id: items[1].id must be a number (was a string)",
      ],
    ],
    [
      "arktype through the AI SDK",
      asSchema(arktype) as InputSchema,
      [
        "TypeError: lookup() argument 'id': id must be a string (was a number)",
        "ValueError: lookup() argument 'size': size must be at most 5 (was 6)",
        "TypeError: lookup() argument 'items'[1].id: items[1].id must be a number (was a string)",
      ],
    ],
    [
      "a JSON Schema of the AI SDK, which nobody else checks",
      ai,
      [
        "TypeError: lookup() argument 'id': must be string, not integer",
        "ValueError: lookup() argument 'size': must be at most 5",
        "TypeError: lookup() argument 'items'[1].id: must be number, not string",
      ],
    ],
  ])("%s", async (_, input, expected) => {
    const { capability, reached } = recording(input);
    const all = [
      await outcome(capability, { id: 1 }),
      await outcome(capability, { id: "a", size: 6 }),
      await outcome(capability, { id: "a", items: [given({ id: 1 }), given({ id: "x" })] }),
    ];
    expect(all).toEqual(expected);
    expect(reached).toEqual([]);
    expect(await outcome(capability, { id: "a", size: 2 })).toBe("done");
    expect(reached).toEqual([{ id: "a", size: 2 }]);
  });

  test("several, and without end", async () => {
    const { capability } = recording(z.object({ list: z.array(z.string()), id: z.string() }));
    expect(await outcome(capability, { list: [1], id: 2 })).toBe(
      "TypeError: lookup() argument 'list'[0]: Invalid input: expected string, received number; argument 'id': Invalid input: expected string, received number",
    );
    const many = await outcome(capability, { list: Array(1000).fill(1), id: "a" });
    expect(many).toMatch(/'list'\[4\]: .*; and 995 more$/);
    const long = z.object({ id: z.string().refine(() => false, { message: "x".repeat(5000) }) });
    const text = (await outcome(recording(long).capability, { id: "a" })) as string;
    expect(text).toMatch(/^ValueError: lookup\(\) argument 'id': x+…$/);
    expect(text.length).toBe("ValueError: ".length + 1000);
    const keys = recording(z.record(z.string(), z.number())).capability;
    const hostile = (await outcome(keys, { ["k".repeat(9999)]: "x" })) as string;
    expect(hostile).toMatch(/^TypeError: lookup\(\) argument 'k{100}…'/);
  });

  test("in the words of an error without issues", async () => {
    const validate = () => ({ success: false, error: new Error("not today") }) as const;
    const { capability } = recording(aiSchema({ type: "object" }, { validate }));
    expect(await outcome(capability)).toBe("ValueError: lookup() arguments: not today");
    const issues = [{ message: "no", path: ["a"] }];
    for (const cause of [issues, { issues }]) {
      const wrapping = () => ({ success: false, error: new Error("x", { cause }) }) as const;
      const wrapped = recording(aiSchema({ type: "object" }, { validate: wrapping })).capability;
      expect(await outcome(wrapped)).toBe("ValueError: lookup() argument 'a': no");
    }
  });

  test("of a function with one value", async () => {
    const { capability, reached } = recording(z.array(z.number()));
    expect(await outcome(capability, { value: "x" })).toMatch(/^TypeError: lookup\(\) argument 'value': /);
    expect(await outcome(capability, { value: [1, "x"] })).toMatch(
      /^TypeError: lookup\(\) argument 'value'\[1\]: /,
    );
    expect(await outcome(capability, { value: [1] })).toBe("done");
    expect(reached).toEqual([[1]]);
  });

  test("that is missing", async () => {
    expect(await outcome(recording(zod).capability, {})).toMatch(/^TypeError: lookup\(\) argument 'id': /);
  });

  test("a check that fails itself is no fault of the guest, and nothing runs", async () => {
    const input: InputSchema = {
      "~standard": { version: 1, vendor: "x", validate: () => Promise.reject(new Error("database is down")) },
    };
    const { capability, reached } = recording(input);
    expect(await outcome(capability)).toBe("! database is down");
    expect(reached).toEqual([]);
  });

  test("that is checked later: invoke gives a promise, and execute waits for the check", async () => {
    const input = z.object({ id: z.string().refine(async (id) => id === "a", { message: "unknown" }) });
    const { capability, reached } = recording(input);
    const answer = capability.invoke(given({ id: "a" }), new Caller());
    expect(answer).toBeInstanceOf(Promise);
    expect(reached).toEqual([]);
    expect(await answer).toBe("done");
    expect(await outcome(capability, { id: "b" })).toBe("ValueError: lookup() argument 'id': unknown");
    const call = new Caller();
    const late = capability.invoke(given({ id: "a" }), call) as Promise<unknown>;
    call.abort();
    expect(await late.catch(told)).toBe("! nobody waits");
    expect(reached.length).toBe(1);
  });
});

test("what the schema makes of arguments is what execute gets; an answer that is there comes now", () => {
  const { capability, reached } = recording(
    z.object({ id: z.string().transform((id) => id.length), size: z.number().default(7) }),
  );
  expect(capability.invoke(given({ id: "abc" }), new Caller())).toBe("done");
  expect(reached).toEqual([{ id: 3, size: 7 }]);
});

test("a guest's object with a member then is a value, and is not waited for", async () => {
  const called: string[] = [];
  const thenable = given({ [["th", "en"].join("")]: () => called.push("then") });
  const input = z.object({ x: z.any().refine(async () => true) });
  const { capability, reached } = recording(input);
  expect(await outcome(capability, { x: thenable })).toBe("done");
  const whole = hostFunction({
    input: z.record(z.string(), z.any()).refine(async () => true),
    execute: () => "ran",
  });
  expect(await outcome(whole, thenable)).toBe("ran");
  expect(reached).toEqual([{ x: thenable }]);
  expect(called).toEqual([]);
});

describe("an int for a schema of a bigint", () => {
  const schemas: Readonly<Record<string, InputSchema>> = {
    zod: z.object({
      n: z.bigint(),
      some: z.array(z.bigint()).optional(),
      one: z.literal(5n).optional(),
      either: z.union([z.bigint(), z.string()]).optional(),
      number: z.union([z.bigint(), z.number()]).optional(),
    }),
    valibot: v.object({
      n: v.bigint(),
      some: v.optional(v.array(v.bigint())),
      one: v.optional(v.literal(5n)),
      either: v.optional(v.union([v.bigint(), v.string()])),
      number: v.optional(v.union([v.bigint(), v.number()])),
    }),
    arktype: type({
      n: "bigint",
      "some?": "bigint[]",
      "one?": "5n",
      "either?": "bigint | string",
      "number?": "bigint | number",
    }),
  };

  test.each(Object.entries(schemas))("%s", async (_vendor, schema) => {
    const { capability, reached } = recording(schema);
    expect(capability.signature.parameters[0]?.annotation).toBe("int");
    const all = { n: 5, some: [0, -1, 2n ** 60n], either: 7, number: 8 };
    expect(await outcome(capability, all)).toBe("done");
    expect({ ...(reached[0] as object) }).toEqual({ ...all, n: 5n, some: [0n, -1n, 2n ** 60n], either: 7n });
    expect(await outcome(capability, { n: 2n ** 60n, either: "x" })).toBe("done");
    for (const wrong of [{ n: 1.5 }, { n: "5" }, { n: Number.NaN }, { n: 2 ** 60 }, { n: true }])
      expect(await outcome(capability, wrong)).toMatch(/^(Type|Value)Error: lookup\(\) argument 'n'/);
    if (_vendor !== "arktype") expect(await outcome(capability, { n: 1n, one: 5 })).toBe("done");
  });

  test("that is all that it is about", async () => {
    const { capability, reached } = recording(z.bigint());
    expect(await outcome(capability, { value: 5 })).toBe("done");
    expect(reached).toEqual([5n]);
  });
});

test("arguments by further names, which are names of no prototype", async () => {
  const { capability, reached } = recording(z.looseObject({ id: z.string() }));
  expect(await outcome(capability, { id: "a", x: 1 })).toBe("done");
  expect(reached).toEqual([{ id: "a", x: 1 }]);
  const seen: unknown[] = [];
  const input: InputSchema = { "~standard": { version: 1, vendor: "x", validate: (value) => ({ value }) } };
  const raw = hostFunction({ input, execute: (value: unknown) => seen.push(value) });
  const hostile = Object.defineProperty(Object.create(null), "__proto__", {
    value: { polluted: 1 },
    enumerable: true,
  });
  await raw.invoke(hostile as Record<string, unknown>, new Caller());
  const [all] = seen as [Record<string, unknown>];
  expect(Object.getPrototypeOf(all)).toBe(null);
  expect(Object.keys(all)).toEqual(["__proto__"]);
  expect("polluted" in all).toBe(false);
});

test("the short form: what is given by position", async () => {
  const sum = hostFunction((...numbers: number[]) => numbers.reduce((one, other) => one + other, 0));
  expect(await outcome(sum, { args: [1, 2, 3] })).toBe(6);
  expect(await outcome(sum, { args: [] })).toBe(0);
});

describe("what is thrown", () => {
  class QuotaError extends Error {}
  const throwing = (error: unknown, options = {}): FunctionCapability =>
    hostFunction({
      execute: () => {
        throw error;
      },
      ...options,
    });
  const errors = (error: unknown): GuestException | undefined =>
    error instanceof QuotaError ? new GuestException("QuotaError", "come back tomorrow") : undefined;

  test("is for the guest only if it is a GuestException, or made one", async () => {
    expect(await outcome(throwing(new Error("secret")))).toBe("! secret");
    expect(await outcome(throwing(new GuestException("KeyError", "no such row")))).toBe(
      "KeyError: no such row",
    );
    expect(await outcome(throwing(new QuotaError("secret"), { errors }))).toBe(
      "host.QuotaError: come back tomorrow",
    );
    expect(await outcome(throwing(new Error("secret"), { errors }))).toBe("! secret");
    const rejecting = hostFunction({ execute: async () => Promise.reject(new QuotaError()), errors });
    expect(await outcome(rejecting)).toBe("host.QuotaError: come back tomorrow");
  });

  test("stays as it is where `errors` gives anything else", async () => {
    // The rejection of the first would be an unhandled one, with which this file fails.
    for (const wrong of [async (error: unknown) => Promise.reject(error), () => new Error("shown"), () => 5])
      expect(await outcome(throwing(new Error("secret"), { errors: wrong }))).toBe("! secret");
  });

  test.each(["sync", "async"])("by a %s stream is mapped as well", async (kind) => {
    const execute =
      kind === "sync"
        ? function* () {
            yield 1;
            throw new QuotaError("secret");
          }
        : async function* () {
            yield 1;
            throw new QuotaError("secret");
          };
    const stream = (await outcome(hostFunction({ execute, errors }))) as AsyncIterator<unknown>;
    expect(await stream.next()).toEqual({ done: false, value: 1 });
    expect(await (async () => stream.next())().catch(told)).toBe("host.QuotaError: come back tomorrow");
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test("an output that is not what was promised is the embedder's fault", async () => {
    const output = z.object({ n: z.number() });
    const ok = hostFunction({ output, execute: () => ({ n: 1, secret: 2 }) });
    expect(ok.signature.returns).toBe("dict[str, Any]");
    expect(await outcome(ok)).toEqual({ n: 1 });
    const wrong = "x" as never;
    expect(await outcome(hostFunction({ output, execute: () => wrong }))).toMatch(
      /^! execute gave what `output`/,
    );
    let ended = 0;
    const streaming = hostFunction({
      output,
      execute: async function* () {
        try {
          yield { n: 1, secret: 2 };
          yield wrong;
          yield { n: 3 };
        } finally {
          ended += 1;
        }
      },
    });
    const stream = (await outcome(streaming)) as AsyncIterator<unknown>;
    expect(await stream.next()).toEqual({ done: false, value: { n: 1 } });
    expect(await stream.next().catch(told)).toMatch(/^! execute gave/);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(ended).toBe(1);
  });
});
