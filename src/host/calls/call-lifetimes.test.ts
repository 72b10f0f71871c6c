// What lives longer than one frame: handles, streams, lent things, and calls whose run is over before they are.
import { expect, test } from "vitest";
import { branded } from "../../capabilities/functions/brand.ts";
import type { FunctionCall, ObjectCapability } from "../../capabilities/functions/function-capability.ts";
import { ask, events, Fields, fn, parameter, serve } from "./calls-fixture.ts";

type Callable = (...given: unknown[]) => Promise<unknown>;
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const raised = (type: string) => ({ kind: "raise", value: [type, expect.any(String)] });
const twice = fn(({ x }) => (x as number) * 2, { parameters: ["x"] });
const thing: ObjectCapability = branded({
  kind: "object",
  name: "Thing",
  description: "",
  methods: new Map([["twice", twice]]),
  attributes: new Map(),
  target: { own: true },
});
const numberOf = (value: unknown): number => (value as Fields).fields[1] as number;

test("a handle keeps its number while it lives, is called, passed back, and is nobody's when released", async () => {
  let back: unknown;
  const { server } = serve({
    get: fn(() => twice),
    thing: fn(() => [thing]),
    back: fn(
      ({ x }) => {
        back = x;
      },
      { parameters: ["x"] },
    ),
  });
  const number = numberOf((await ask(server, "call", { body: [] })).value);
  expect(numberOf((await ask(server, "call", { body: [] })).value)).toBe(number);
  expect(await ask(server, "call", { number, body: [4] })).toMatchObject({ value: 8 });
  await ask(server, "call", { number: 2, body: [new Fields("host", number)] });
  expect(back).toBe(twice);
  const [object] = (await ask(server, "call", { number: 1, body: [] })).value as [Fields];
  await ask(server, "call", { number: 2, body: [new Fields("host", numberOf(object))] });
  expect(back).toBe(thing.target);
  server.endRun();
  expect(await ask(server, "call", { number, body: [5] })).toMatchObject({ value: 10 });
  await ask(server, "release", { number });
  expect(await ask(server, "call", { number, body: [4] })).toMatchObject(raised("ReferenceError"));
  expect(await ask(server, "call", { number: 2, body: [new Fields("host", number)] })).toMatchObject(
    raised("ReferenceError"),
  );
  expect(numberOf((await ask(server, "call", { body: [] })).value)).not.toBe(number);
});

test("what was granted, and methods of objects, are not released", async () => {
  const { server } = serve({ twice, thing });
  for (const number of [0, 1, 2]) await ask(server, "release", { number });
  expect(await ask(server, "call", { number: 0, body: [4] })).toMatchObject({ value: 8 });
  expect(await ask(server, "call", { number: 2, body: [4] })).toMatchObject({ value: 8 });
});

test("limits are a capability's, however often its handle is let go", async () => {
  const once = fn(() => 1, { limits: { calls: 1 } });
  const { server } = serve({ get: fn(() => once) });
  for (const expected of [{ value: 1 }, raised("PermissionError")]) {
    const number = numberOf((await ask(server, "call", { body: [] })).value);
    expect(await ask(server, "call", { number, body: [] })).toMatchObject(expected);
    await ask(server, "release", { number });
  }
});

test("a handle that is under way to the guest once more is not released", async () => {
  const { server } = serve({ get: fn(() => twice), later: fn(async () => twice) });
  const number = numberOf((await ask(server, "call", { body: [] })).value);
  await ask(server, "call", { number: 1, body: [], call: 1 });
  await tick();
  await ask(server, "release", { number });
  expect(numberOf((await events(server))[0]?.[2])).toBe(number);
  expect(await ask(server, "call", { number, body: [4] })).toMatchObject({ value: 8 });
  await ask(server, "release", { number });
  expect(await ask(server, "call", { number, body: [4] })).toMatchObject(raised("ReferenceError"));
});

test("a thousand handles live at once; one that does not fit leaves nothing behind", async () => {
  const { server } = serve(
    { make: fn(({ n }) => Array.from({ length: n as number }, () => fn(() => 1)), { parameters: ["n"] }) },
    { valueBytes: 2 ** 22 },
  );
  const made = (await ask(server, "call", { body: [999] })).value as Fields[];
  expect(await ask(server, "call", { body: [2] })).toMatchObject(raised("RuntimeError"));
  expect(await ask(server, "call", { body: [1] })).toMatchObject({ kind: "records" });
  expect(await ask(server, "call", { body: [1] })).toMatchObject(raised("RuntimeError"));
  await ask(server, "release", { number: numberOf(made[0]) });
  expect(await ask(server, "call", { body: [1] })).toMatchObject({ kind: "records" });
});

function numbers(log: string[]) {
  let signal: AbortSignal | undefined;
  const capability = fn(
    async function* (_: unknown, call: FunctionCall) {
      signal = call.signal;
      try {
        for (let i = 0; ; i++) {
          await tick();
          yield i;
        }
      } finally {
        log.push("closed");
      }
    },
    { streams: true },
  );
  return { capability, isAborted: () => signal?.aborted };
}

test("a stream gives its items, is closed when released, and ends with its run", async () => {
  const log: string[] = [];
  const { capability, isAborted } = numbers(log);
  const { server, faults } = serve({ f: capability, two: fn(() => [1, 2], { streams: true }) });
  const number = numberOf((await ask(server, "call", { body: [] })).value);
  expect(await ask(server, "next", { number })).toMatchObject({ kind: "plain", value: 0 });
  expect(await ask(server, "next", { number })).toMatchObject({ kind: "plain", value: 1 });
  await ask(server, "release", { number });
  await tick();
  expect([log, isAborted()]).toEqual([["closed"], true]);
  expect(await ask(server, "next", { number })).toMatchObject(raised("ReferenceError"));
  const second = numberOf((await ask(server, "call", { body: [] })).value);
  await ask(server, "next", { number: second });
  server.endRun();
  await tick();
  expect(log).toEqual(["closed", "closed"]);
  const two = numberOf((await ask(server, "call", { number: 1, body: [] })).value);
  const kinds = [];
  for (let i = 0; i < 4; i++) kinds.push((await ask(server, "next", { number: two })).kind);
  expect(kinds).toEqual(["plain", "plain", "end", "raise"]);
  expect(faults).toEqual([]);
});

test("an item that is not waited for any more goes to who asks next", async () => {
  const { server } = serve({ f: numbers([]).capability });
  const number = numberOf((await ask(server, "call", { body: [] })).value);
  // Cancelled before it is there, and after.
  await ask(server, "next", { number, call: 1 });
  await ask(server, "cancel", { call: 1 });
  expect(await ask(server, "next", { number })).toMatchObject({ value: 0 });
  await ask(server, "next", { number, call: 2 });
  await server.settled();
  await ask(server, "cancel", { call: 2 });
  expect(await ask(server, "next", { number })).toMatchObject({ value: 1 });
});

test("a lent function is called back by the event loop, or while a synchronous call waits", async () => {
  const { server } = serve({
    f: fn(async ({ f }) => [await (f as Callable)(1), await (f as Callable)(2)], { parameters: ["f"] }),
  });
  const body = [new Fields("lent", 7, "call")];
  await ask(server, "call", { body, call: 1 });
  const [[token, kind, value]] = (await events(server)) as [[number, string, unknown]];
  expect([kind, value]).toEqual(["callback", [token, 7, "call", [1]]]);
  expect(await ask(server, "returned", { call: token, body: "one" })).toMatchObject({
    kind: "plain",
    value: null,
  });
  const [[second]] = (await events(server)) as unknown as [[number]];
  await ask(server, "returned", { call: second, body: "two" });
  expect(await events(server)).toEqual([[1, "plain", ["one", "two"]]]);
  const first = await ask(server, "call", { body });
  expect(first).toMatchObject({ kind: "callback", value: [expect.any(Number), 7, "call", [1]] });
  const next = await ask(server, "returned", { call: (first.value as number[])[0] as number, body: "a" });
  expect(next).toMatchObject({ kind: "callback", value: [expect.any(Number), 7, "call", [2]] });
  expect(
    await ask(server, "returned", { call: (next.value as number[])[0] as number, body: "b" }),
  ).toMatchObject({
    kind: "plain",
    value: ["a", "b"],
  });
});

test("what a callback raised is the host's exception, and the guest's again", async () => {
  const { server } = serve({ f: fn(async ({ f }) => (f as Callable)(), { parameters: ["f"] }) });
  for (const [type, expected] of [
    ["KeyError", "KeyError"],
    ["app.errors.MyOwn", "host.MyOwn"],
  ]) {
    const { value } = await ask(server, "call", { body: [new Fields("lent", 7, "call")] });
    const call = (value as number[])[0] as number;
    expect(await ask(server, "returned", { call, number: 1, body: [type, "k"] })).toMatchObject({
      kind: "raise",
      value: [expected, "k"],
    });
  }
});

test("a returned dict with a callable `then` is a Map, for which nobody waits", async () => {
  let isMap = false;
  const f = fn(
    async ({ f: lent }) => {
      const got = await (lent as Callable)();
      isMap = got instanceof Map;
    },
    { parameters: ["f"] },
  );
  const { server } = serve({ f });
  const { value } = await ask(server, "call", { body: [new Fields("lent", 7, "call")] });
  // biome-ignore lint/suspicious/noThenProperty: it is what the test is about
  const body = { then: new Fields("lent", 8, "call"), more: 1 };
  expect(await ask(server, "returned", { call: (value as number[])[0] as number, body })).toMatchObject({
    value: null,
  });
  expect(isMap).toBe(true);
});

test("when its run is over a call is aborted, its late answer goes nowhere and is told, and what was lent is over", async () => {
  const calls: { call: FunctionCall; resolve(value: unknown): void }[] = [];
  let lent: Callable = async () => {};
  let rejected: unknown;
  const { server, faults } = serve({
    f: fn((_, call) => new Promise((resolve) => calls.push({ call, resolve })), { parameters: ["x"] }),
    lend: fn(
      ({ f }) => {
        lent = f as Callable;
        lent().catch((error: unknown) => {
          rejected = error;
        });
      },
      { parameters: ["f"] },
    ),
  });
  await ask(server, "call", { body: [1], call: 1 });
  await ask(server, "call", { number: 1, body: [new Fields("lent", 1, "call")], call: 2 });
  server.endRun();
  expect([calls[0]?.call.signal.aborted, server.heldBytes]).toEqual([true, 0]);
  await tick();
  expect(rejected).toMatchObject({ type: "RuntimeError", message: "the run that lent this is over" });
  await expect(lent()).rejects.toMatchObject({ type: "RuntimeError" });
  server.beginRun();
  await ask(server, "call", { body: [1], call: 3 });
  calls[0]?.resolve("late");
  await tick();
  expect(await events(server, 0)).toEqual([]);
  expect(faults).toMatchObject([
    { path: "host.f", error: { message: expect.stringContaining("after the run") } },
  ]);
  calls[1]?.resolve("in time");
  expect(await events(server)).toEqual([[3, "plain", "in time"]]);
});

test("a call that the guest has cancelled is aborted, and its answer goes nowhere", async () => {
  const calls: { call: FunctionCall; resolve(value: unknown): void }[] = [];
  const { server, faults } = serve({
    f: fn((_, call) => new Promise((resolve) => calls.push({ call, resolve }))),
  });
  await ask(server, "call", { body: [], call: 1 });
  await ask(server, "cancel", { call: 1 });
  expect(calls[0]?.call.signal.aborted).toBe(true);
  calls[0]?.resolve(1);
  await tick();
  expect([await events(server, 0), faults]).toEqual([[], []]);
});

test("after the end nothing is there", async () => {
  const { server } = serve({ twice });
  server.end();
  expect(await ask(server, "call", { body: [4] })).toMatchObject(raised("ReferenceError"));
});

test("no more than ten thousand things are lent", async () => {
  const { server } = serve({ f: fn(() => 1, { parameters: [parameter("rest", { kind: "positionals" })] }) });
  const lent = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => new Fields("lent", from + i, "call"));
  expect(await ask(server, "call", { body: [lent(1, 10_000)] })).toMatchObject({ value: 1 });
  expect(await ask(server, "call", { body: [lent(1, 10_000)] })).toMatchObject({ value: 1 });
  expect(await ask(server, "call", { body: [lent(20_000, 1)] })).toMatchObject(raised("RuntimeError"));
});
