// Values of the guest's that look like what the host grants: they are data wherever they come back from, and only what an embedder made
// is lent. What it lends is charged, part by part, for as long as the guest has it.
import { expect, test } from "vitest";
import { attenuate } from "../../capabilities/functions/attenuate.ts";
import { branded } from "../../capabilities/functions/brand.ts";
import type {
  FunctionCapability,
  ObjectCapability,
} from "../../capabilities/functions/function-capability.ts";
import { hostObject } from "../../capabilities/functions/host-object.ts";
import { lastingBytesOf } from "./call-frames.ts";
import { ask, Fields, fn, frame, parameter, serve } from "./calls-fixture.ts";

const numberOf = (value: unknown): number => (value as Fields).fields[1] as number;
const signature = { parameters: [], returns: "", description: "", isAsync: false, streams: false };
const limits = { calls: 5, concurrency: 5, bytes: 5 };
const values = { shape: "objects", references: "refuse", exactFloats: false };
const likeObject = {
  kind: "object",
  name: "X",
  description: "",
  methods: new Map<unknown, unknown>([[1, { values, signature, limits }]]),
  attributes: new Map<unknown, unknown>([[1, { values, signature, limits }]]),
  target: {},
};
const likeFunction = { kind: "function", signature, limits, values, invoke: new Fields("lent", 7, "call") };

test.each([
  ["an object", likeObject],
  ["a function, whose code is lent by the guest", likeFunction],
])("%s that a guest has made comes back as the dict that it is", async (_, forged) => {
  let kept: unknown;
  const { server } = serve({
    echo: fn(({ x }) => x, { parameters: ["x"] }),
    keep: fn(
      ({ x }) => {
        kept = { list: [x, { ...(x as object) }, Object.assign({}, x)] };
      },
      { parameters: ["x"] },
    ),
    get: fn(() => kept),
    stream: fn(({ x }) => [x], { parameters: ["x"], streams: true }),
  });
  const echoed = await ask(server, "call", { body: [forged] });
  expect(echoed).toMatchObject({ held: 0, value: { kind: forged.kind } });
  await ask(server, "call", { number: 1, body: [forged] });
  const { value, held } = await ask(server, "call", { number: 2, body: [] });
  const one = expect.objectContaining({ kind: forged.kind });
  expect([value, held]).toEqual([{ list: [one, one, one] }, 0]);
  const stream = await ask(server, "call", { number: 3, body: [forged] });
  expect(await ask(server, "next", { number: numberOf(stream.value) })).toMatchObject({
    value: { kind: forged.kind },
  });
});

test("a function of an embedder's own kind is one in an answer when this package has made one of it", async () => {
  const own: FunctionCapability = { ...fn(() => 5) };
  const plain = Object.fromEntries(Object.entries(own)) as unknown as FunctionCapability;
  const { server, faults } = serve({ plain: fn(() => plain), made: fn(() => attenuate(plain, {})) });
  expect(await ask(server, "call", { body: [] })).toMatchObject({ kind: "raise" });
  expect(String(faults[0]?.error)).toContain("invoke");
  const { value } = await ask(server, "call", { number: 1, body: [] });
  expect(await ask(server, "call", { number: numberOf(value), body: [] })).toMatchObject({ value: 5 });
});

const method = fn(() => 1);
const wide = (parts: number): ObjectCapability =>
  branded({
    kind: "object",
    name: "Wide",
    description: "",
    methods: new Map(Array.from({ length: parts }, (_, at) => [`m${at}`, method] as const)),
    attributes: new Map([["a", method]]),
    target: {},
  });

test("what answers lend is charged with every method and attribute, and refused when there is no room", async () => {
  const { server } = serve({ get: fn(() => wide(298)) }, { heldBytes: 2 ** 20 });
  const got: number[] = [];
  for (let at = 0; at < 3; at++) {
    const answer = await ask(server, "call", { body: [] });
    // An answer's frame tells of what it lends itself.
    expect(answer.held).toBe((at + 1) * 300 * 1024);
    got.push(numberOf(answer.value));
  }
  const refused = await ask(server, "call", { body: [] });
  expect(refused).toMatchObject({ kind: "raise", value: ["MemoryError", expect.any(String)] });
  expect(refused.held).toBe(3 * 300 * 1024);
  // It outlives the run, and so does what it costs.
  server.endRun();
  server.beginRun();
  expect(server.heldBytes).toBe(3 * 300 * 1024);
  for (const number of got) await ask(server, "release", { number });
  expect(server.heldBytes).toBe(0);
  expect(await ask(server, "call", { body: [] })).toMatchObject({ kind: "records" });
  server.end();
  expect(server.heldBytes).toBe(0);
});

test("the frame tells what stays when the run is over: streams do not", async () => {
  function* items(): Generator<number> {
    yield 1;
  }
  const { server } = serve({ both: fn(() => [wide(1), items()]) });
  const answer = (await server.answer(frame("call", { body: [] }))) as Uint8Array;
  expect([server.heldBytes, lastingBytesOf(answer)]).toEqual([4 * 1024, 3 * 1024]);
  server.endRun();
  expect(server.heldBytes).toBe(3 * 1024);
});

test("what cannot be told to the guest is not charged", async () => {
  const { server } = serve({ bad: fn(() => [wide(5), hostObject({}, {}), Symbol("no")]) });
  expect(await ask(server, "call", { body: [] })).toMatchObject({ kind: "raise", held: 0 });
});

test("an embedder's object that is passed back is neither the arguments nor the positional ones", async () => {
  const secrets = hostObject([["secret"]], { name: "Secrets" });
  const positionals = [parameter("args", { kind: "positionals" as const })];
  const { server } = serve({
    ordinary: fn((given) => Object.values(given), { parameters: ["x"] }),
    all: fn(({ args }) => args, { parameters: positionals }),
    secrets,
  });
  const handle = new Fields("host", 2);
  for (const number of [0, 1])
    expect(await ask(server, "call", { number, body: handle })).toMatchObject({ kind: "raise" });
  expect(await ask(server, "call", { number: 1, body: [handle] })).toMatchObject({ kind: "raise" });
});

test.each([
  ["an array", [1, "secret"]],
  ["a Map", new Map([["secret", 1]])],
  ["a plain object", { shown: 1, secret: 2 }],
  [
    "an instance",
    new (class Own {
      secret = 1;
    })(),
  ],
])(
  "%s behind an object is the object again in an answer, now and later, not a copy of what it holds",
  async (_, own) => {
    const object = hostObject(own as object, { methods: [], attributes: [] });
    let kept: unknown;
    const { server } = serve({
      give: fn(() => object),
      echo: fn(({ x }) => ({ x, list: [x] }), { parameters: ["x"] }),
      later: fn(async ({ x }) => x, { parameters: ["x"] }),
      keep: fn(
        ({ x }) => {
          kept = x;
        },
        { parameters: ["x"] },
      ),
      get: fn(() => kept),
      other: fn(() => [...Object.values(own)]),
    });
    const number = numberOf((await ask(server, "call", { body: [] })).value);
    const passed = { body: [new Fields("host", number)], records: 1 };
    const echoed = (await ask(server, "call", { number: 1, ...passed })).value as {
      x: unknown;
      list: unknown[];
    };
    expect([numberOf(echoed.x), numberOf(echoed.list[0])]).toEqual([number, number]);
    expect(numberOf((await ask(server, "call", { number: 2, ...passed })).value)).toBe(number);
    await ask(server, "call", { number: 3, ...passed });
    expect(numberOf((await ask(server, "call", { number: 4, body: [] })).value)).toBe(number);
    // What the embedder makes of it is its own affair.
    expect(Array.isArray((await ask(server, "call", { number: 5, body: [] })).value)).toBe(true);
  },
);
