// What a hostile guest can make the host hold, and numbers that it was never given: each attack is bounded by the account, or refused.
import { expect, test } from "vitest";
import { branded } from "../../capabilities/functions/brand.ts";
import type { ObjectCapability } from "../../capabilities/functions/function-capability.ts";
import { Call } from "./call.ts";
import { ask, Fields, fn, parameter, serve } from "./calls-fixture.ts";
import type { FunctionTarget } from "./function-target.ts";
import { LentThings } from "./lent-things.ts";

type Callable = (...given: unknown[]) => Promise<unknown>;
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const raised = (type: string) => ({ kind: "raise", value: [type, expect.any(String)] });
const lent = (id: number): Fields => new Fields("lent", id, "call");
const doc = new Uint8Array(2 ** 18);
const tokenOf = ({ value }: { value: unknown }): number => (value as number[])[0] as number;
const numberOf = (value: unknown): number => (value as Fields).fields[1] as number;

test("one callable lent by a thousand calls, and a thousand times by one, is remembered for those under way alone", async () => {
  let remembered = 0;
  const things = new LentThings(
    () => {},
    ({ broughtBy }) => {
      remembered = broughtBy.length;
      return undefined;
    },
  );
  const host = { nowMs: () => 0, fault: () => {} };
  const target = {} as FunctionTarget;
  let use: unknown;
  for (let i = 0; i < 1000; i++) {
    const call = new Call("f", 0, host);
    for (let j = 0; j < 3; j++) use = things.borrow(1, "call", target, call);
    call.isOver = i < 999;
  }
  void (use as Callable)();
  expect(remembered).toBe(1);
});

test("callbacks that wait for the guest's thread are charged, and refused when there is no room", async () => {
  const refused: unknown[] = [];
  const f = fn(
    ({ f: callback, doc: given }) => {
      const all = Array.from({ length: 100 }, () => (callback as Callable)(given));
      for (const one of all) one.catch((error: unknown) => refused.push(error));
      return Promise.all(all);
    },
    { parameters: ["f", "doc"] },
  );
  const { server } = serve({ f });
  const { kind, held } = await ask(server, "call", { body: [lent(1), doc] });
  expect(kind).toBe("callback");
  // One was sent; of four megabytes fewer than sixteen have room.
  expect(held).toBeGreaterThan(2 ** 21);
  expect(held).toBeLessThanOrEqual(2 ** 22 + 2 ** 18 + 2 ** 12);
  await tick();
  expect(refused.length).toBeGreaterThan(80);
  server.endRun();
  expect(server.heldBytes).toBe(0);
});

test("answers that wait until the guest is back from its callbacks are charged, however deep it goes", async () => {
  const f = fn(
    ({ f: callback }) => {
      void (callback as Callable)();
      return doc;
    },
    { parameters: ["f"] },
  );
  const { server } = serve({ f });
  const tokens: number[] = [];
  let peak = 0;
  for (let depth = 0; depth < 40; depth++) {
    const answer = await ask(server, "call", { body: [lent(1)] });
    peak = Math.max(peak, answer.held);
    if (answer.kind === "callback") tokens.push(tokenOf(answer));
    else expect(answer).toMatchObject(raised("MemoryError"));
  }
  expect(peak).toBeLessThanOrEqual(2 ** 22 + 2 ** 12);
  expect(peak).toBeGreaterThan(2 ** 21);
  const last = await ask(server, "returned", { call: tokens.pop() as number });
  expect(["plain", "raise"]).toContain(last.kind);
  server.endRun();
  expect(server.heldBytes).toBe(0);
});

test("of a stream no more than one item is asked for that nobody has", async () => {
  let asked = 0;
  let arrive = (): void => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  async function* items(): AsyncGenerator<number> {
    for (;;) {
      asked += 1;
      await arrived;
      yield asked;
    }
  }
  const { server } = serve({ f: fn(items, { streams: true }) });
  const number = numberOf((await ask(server, "call", { body: [] })).value);
  for (let call = 1; call <= 500; call++) {
    await ask(server, "next", { number, call });
    expect(await ask(server, "next", { number, call: call + 1000 })).toMatchObject(raised("RuntimeError"));
    await ask(server, "cancel", { call });
  }
  arrive();
  expect(asked).toBe(1);
  expect(await ask(server, "next", { number })).toMatchObject({ value: 1 });
  expect(await ask(server, "next", { number })).toMatchObject({ value: 2 });
});

const inner = fn(() => "inner");
const thing: ObjectCapability = branded({
  kind: "object",
  name: "Thing",
  description: "",
  methods: new Map([["method", inner]]),
  attributes: new Map([["attribute", inner]]),
  target: {},
});

test("numbers that were never given are nobody's: of answers on their way, cancelled, refused, or lost with their run", async () => {
  const { server } = serve({
    later: fn(async () => [fn(() => "secret"), { ...thing }]),
    bad: fn(() => [fn(() => "secret"), { ...thing }, Symbol("no")]),
    large: fn(() => [fn(() => "secret"), new Uint8Array(2 ** 21)]),
    short: fn(() => fn(() => "secret"), { limits: { bytes: 10 } }),
    back: fn(() => "given", { parameters: [parameter("x")] }),
  });
  const guess = async (): Promise<void> => {
    for (let number = 5; number < 60; number++) {
      expect(await ask(server, "call", { number, body: [] })).toMatchObject(raised("ReferenceError"));
      expect(await ask(server, "next", { number })).toMatchObject(raised("ReferenceError"));
      const body = [new Fields("host", number)];
      expect(await ask(server, "call", { number: 4, body })).toMatchObject(raised("ReferenceError"));
      await ask(server, "release", { number });
    }
  };
  await ask(server, "call", { body: [], call: 1 });
  await tick();
  await guess();
  await ask(server, "cancel", { call: 1 });
  for (const number of [1, 2, 3]) await ask(server, "call", { number, body: [] });
  await guess();
  await ask(server, "call", { body: [], call: 2 });
  await tick();
  server.endRun();
  await guess();
});

test("what was released is gone with its methods and attributes; a refused answer takes nothing from the guest", async () => {
  let isBad = false;
  const { server } = serve({ f: fn(() => (isBad ? [thing, Symbol("no")] : thing)) });
  const { fields } = (await ask(server, "call", { body: [] })).value as Fields;
  const [, number, described] = fields as [
    string,
    number,
    [string, string, string, number, number[][], number[][]],
  ];
  const parts = [...described[4], ...described[5]].map((part) => part.at(-1) as number);
  isBad = true;
  expect(await ask(server, "call", { body: [] })).toMatchObject(raised("host.HostError"));
  for (const part of parts)
    expect(await ask(server, "call", { number: part, body: [] })).toMatchObject({ value: "inner" });
  await ask(server, "release", { number });
  for (const part of [number, ...parts])
    expect(await ask(server, "call", { number: part, body: [] })).toMatchObject(raised("ReferenceError"));
});

test("a stream in an answer that is refused is ended", async () => {
  const ended: string[] = [];
  const stream = {
    next: () => ({ done: false, value: 1 }),
    return: () => ended.push("ended"),
    [Symbol.iterator]: () => stream,
  };
  const { server } = serve({ f: fn(() => [stream, Symbol("no")]) });
  await ask(server, "call", { body: [] });
  expect(ended).toEqual(["ended"]);
});

test("what was lent is used no more by who hears that a call was aborted: nothing waits for the next run", async () => {
  let used: Promise<unknown> | undefined;
  const f = fn(
    ({ f: callback }, { signal }) => {
      signal.addEventListener("abort", () => {
        used = (callback as Callable)("for the run before");
      });
      return new Promise(() => {});
    },
    { parameters: ["f"] },
  );
  const { server } = serve({ f });
  await ask(server, "call", { body: [lent(1)], call: 1 });
  server.endRun();
  await expect(used).rejects.toMatchObject({ message: "the run that lent this is over" });
  server.beginRun();
  expect(await ask(server, "wait", { number: 0 })).toMatchObject({ value: [] });
});

test("a getter of an answer that uses what was lent does not mix up the handles of both", async () => {
  const { server } = serve({
    f: fn(
      ({ f: callback }) => ({
        first: fn(() => 1),
        get second() {
          void (callback as Callable)(fn(() => 2));
          return 2;
        },
        third: Symbol("no"),
      }),
      { parameters: ["f"] },
    ),
  });
  // The callback comes before the refusal; its handle is alive, and that of the refused answer is not.
  const { value } = await ask(server, "call", { body: [lent(1)] });
  const [, , , [handle]] = value as [number, number, string, [Fields]];
  expect(await ask(server, "call", { number: numberOf(handle), body: [] })).toMatchObject({ value: 2 });
  expect(await ask(server, "call", { number: numberOf(handle) - 1, body: [] })).toMatchObject(
    raised("ReferenceError"),
  );
});
