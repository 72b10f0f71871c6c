// Frames of a guest that knows the protocol better than our own Python does, and functions of an embedder that does everything wrong: the
// server answers, throws nothing, and holds no more than it charges.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ObjectCapability } from "../../capabilities/functions/function-capability.ts";
import { ask, events, Fields, fn, parameter, serve } from "./calls-fixture.ts";

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const raised = (type: string) => ({ kind: "raise", value: [type, expect.any(String)] });
const lent = (id: number, kind = "call"): Fields => new Fields("lent", id, kind);
const keywords = [parameter("rest", { kind: "keywords", isOptional: true })];

const unhandled: unknown[] = [];
const note = (error: unknown): void => {
  unhandled.push(error);
};
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(async () => {
  await tick();
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

test("named arguments that are an object of the embedder's, passed back: its fields are not arguments", async () => {
  const store: ObjectCapability = {
    kind: "object",
    name: "Store",
    description: "",
    methods: new Map(),
    attributes: new Map(),
    target: { password: "secret" },
  };
  const { server } = serve({ echo: fn((given) => ({ ...given }), { parameters: keywords }), store });
  const body = [new Fields("host", 1)];
  expect(await ask(server, "call", { body })).toMatchObject(raised("TypeError"));
  expect(await ask(server, "call", { body: [new Fields("host", 0)] })).toMatchObject(raised("TypeError"));
});

test("named arguments that are a megabyte of bytes are not a million arguments", async () => {
  const { server } = serve({ echo: fn((given) => Object.keys(given).length, { parameters: keywords }) });
  expect(await ask(server, "call", { body: [new Uint8Array(2 ** 19)] })).toMatchObject(raised("TypeError"));
  expect(await ask(server, "call", { body: [new Set([1])] })).toMatchObject(raised("TypeError"));
});

test("an argument named `then` that is lent is refused: who awaits the arguments would call the guest", async () => {
  const { server } = serve({ echo: fn(async (given) => given, { parameters: keywords }) });
  // biome-ignore lint/suspicious/noThenProperty: it is what the test is about
  for (const body of [[{ then: lent(1) }], [new Map([["then", lent(1)]])]])
    expect(await ask(server, "call", { body })).toMatchObject(raised("TypeError"));
  const { server: named } = serve({ echo: fn(async (given) => given, { parameters: ["then"] }) });
  expect(await ask(named, "call", { body: [lent(1)] })).toMatchObject(raised("TypeError"));
  expect(await ask(named, "call", { body: [1] })).toMatchObject({ kind: "plain" });
});

test("ten thousand calls that wait for their turn, and then fail at once, overflow no stack", async () => {
  let refuse = false;
  let release = (): void => {};
  const f = fn(
    () => {
      if (refuse) throw new Error("no more");
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    },
    { limits: { concurrency: 1 } },
  );
  const { server } = serve({ f }, { heldBytes: 2 ** 26, valueBytes: 2 ** 24 });
  for (let call = 1; call <= 10_000; call++) await ask(server, "call", { body: [], call });
  refuse = true;
  release();
  await tick();
  const kinds = (await events(server)).map(([, kind]) => kind);
  expect([kinds.length, kinds.filter((kind) => kind === "raise").length]).toEqual([10_000, 9999]);
});

test.each(["has", "get", "getPrototypeOf", "ownKeys"])(
  "a proxy whose trap `%s` throws, answered or thrown, late or at once, fails its call alone",
  async (trap) => {
    const thrown = (): never => {
      throw new Error("a trap of the embedder's");
    };
    const proxy = (): object => new Proxy({}, { [trap]: thrown });
    const { server } = serve({
      now: fn(() => proxy()),
      later: fn(() => Promise.resolve().then(() => [proxy()][0])),
      throws: fn(() => {
        throw proxy();
      }),
      rejects: fn(() => tick().then(() => Promise.reject(proxy()))),
      streams: fn(() => [proxy()], { streams: true }),
      held: fn(async () => ({ a: proxy() })),
    });
    const failed = raised("host.HostError");
    // An empty object is asked for no property.
    expect(await ask(server, "call", { number: 0, body: [] })).toMatchObject(
      trap === "get" ? { value: {} } : failed,
    );
    for (const number of [1, 2, 3])
      expect(await ask(server, "call", { number, body: [] })).toMatchObject(failed);
    for (const number of [1, 3, 5]) await ask(server, "call", { number, body: [], call: number });
    server.endRun();
    await tick();
    await tick();
  },
);

test("a guest that comes again and again to hear what is ready leaves nothing behind each time", async () => {
  const { server } = serve({ f: fn(() => new Promise(() => {})) }, { canWait: false });
  await ask(server, "call", { body: [], call: 1 });
  const first = server.settled();
  const second = server.settled();
  expect(second).not.toBe(first);
  await first;
});
