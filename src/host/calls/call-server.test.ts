// The server of calls, asked with frames as a guest makes them: binding, limits, errors, accounts and what the embedder is told.
import { expect, test } from "vitest";
import type { Arguments, FunctionCall } from "../../capabilities/functions/function-capability.ts";
import { GuestException } from "../../errors/guest-exception.ts";
import { ask, events, Fields, fn, frame, parameter, read, serve } from "./calls-fixture.ts";
import type { CallEvent } from "./embedder.ts";

const twice = fn(({ x }) => (x as number) * 2, { parameters: ["x"] });
const raised = (type: string, message: unknown) => ({ kind: "raise", value: [type, message] });
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A function that the test answers. */
function held(fixture: Parameters<typeof fn>[1] = {}) {
  const calls: {
    given: Arguments;
    call: FunctionCall;
    resolve(value: unknown): void;
    reject(error: unknown): void;
  }[] = [];
  const capability = fn(
    (given, call) =>
      new Promise((resolve, reject) => {
        calls.push({ given, call, resolve, reject });
      }),
    { parameters: ["x"], ...fixture },
  );
  return { calls, capability };
}

test("a call is bound to names and answered at once", () => {
  let seen: Arguments = {};
  const { server } = serve({
    f: fn(
      (all) => {
        seen = all;
        return 7;
      },
      { parameters: ["x", "__proto__"] },
    ),
  });
  const answer = server.answer(frame("call", { body: [1, 2] }));
  expect(read(answer as Uint8Array)).toMatchObject({ kind: "plain", value: 7, held: 0 });
  expect(Object.getPrototypeOf(seen)).toBeNull();
  expect(Object.entries(seen)).toEqual([
    ["x", 1],
    ["__proto__", 2],
  ]);
});

test("the frame is read before answer returns", async () => {
  const { calls, capability } = held();
  const { server } = serve({ f: capability });
  const request = frame("call", { body: ["before"] });
  const answer = server.answer(request);
  request.fill(0xff);
  calls[0]?.resolve(calls[0].given.x);
  expect(read(await answer)).toMatchObject({ kind: "plain", value: "before" });
});

const given = fn((all) => Object.entries(all), {
  parameters: [
    parameter("a", { isOptional: true }),
    parameter("b"),
    parameter("rest", { kind: "positionals" }),
    parameter("more", { kind: "keywords" }),
  ],
});

test.each([
  [
    "nothing where something must be",
    [1, new Fields("ellipsis"), [], {}],
    raised("TypeError", "f() missing required argument 'b'"),
  ],
  [
    "nothing where it may be",
    [new Fields("ellipsis"), 1, [], {}],
    {
      kind: "plain",
      value: [
        ["b", 1],
        ["rest", []],
      ],
    },
  ],
  ["too few", [1], raised("ValueError", expect.stringContaining("4 arguments"))],
  ["no tuple", 5, raised("ValueError", expect.stringContaining("4 arguments"))],
  [
    "names",
    [1, 2, [3], { z: 4 }],
    {
      kind: "plain",
      value: [
        ["a", 1],
        ["b", 2],
        ["rest", [3]],
        ["z", 4],
      ],
    },
  ],
  [
    "a name of a parameter",
    [1, 2, [], { b: 4 }],
    raised("TypeError", "f() got multiple values for an argument"),
  ],
  ["positionals that are none", [1, 2, 3, {}], raised("TypeError", expect.stringContaining("'rest'"))],
  ["names that are none", [1, 2, [], [3]], raised("TypeError", expect.stringContaining("named arguments"))],
])("arguments: %s", async (_, body, answer) => {
  const { server } = serve({ f: given });
  expect(await ask(server, "call", { body })).toMatchObject(answer);
});

test("of positional arguments the guest gives at most ten thousand, for the engine puts them on its stack", async () => {
  const spread = fn(({ rest }) => Math.max(...(rest as number[])), {
    parameters: [parameter("rest", { kind: "positionals" })],
  });
  const { server, faults } = serve({ f: spread }, { valueBytes: 2 ** 24, heldBytes: 2 ** 26 });
  const body = (count: number) => [Array.from({ length: count }, (_, at) => at)];
  expect(await ask(server, "call", { body: body(10_000) })).toMatchObject({ value: 9999 });
  for (const count of [10_001, 2 ** 20])
    expect(await ask(server, "call", { body: body(count) })).toMatchObject(
      raised("TypeError", "f() takes at most 10000 positional arguments"),
    );
  expect(faults).toEqual([]);
});

test("a name of __proto__ is refused and touches no prototype", async () => {
  const { server } = serve({ f: given });
  const body = [1, 2, [], JSON.parse('{"__proto__": {"polluted": 1}}')];
  expect(await ask(server, "call", { body })).toMatchObject(
    raised("TypeError", "f() got an argument that has no name"),
  );
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

test("what is no JSON is refused where JSON was asked for; what was not given is not asked", async () => {
  const json = fn((all) => Object.keys(all), {
    parameters: [parameter("a", { isOptional: true }), parameter("b")],
    values: { shape: "json" },
  });
  const { server } = serve({ f: json });
  const absent = new Fields("ellipsis");
  expect(await ask(server, "call", { body: [absent, { k: [1] }] })).toMatchObject({ value: ["b"] });
  expect(await ask(server, "call", { body: [absent, [new Uint8Array(1)]] })).toMatchObject(
    raised("TypeError", expect.stringContaining("f() argument 'b': [0] is not JSON")),
  );
});

test("of an error the guest sees what was chosen, and the embedder the error", async () => {
  const secret = new Error("secret");
  const { server, faults } = serve({
    broken: fn(() => {
      throw secret;
    }),
    rejects: fn(async () => {
      throw secret;
    }),
    chosen: fn(() => {
      throw new GuestException("KeyError", "k");
    }),
    symbol: fn(() => Symbol("s")),
  });
  expect(await ask(server, "call", { body: [], number: 0 })).toMatchObject(
    raised("host.HostError", "broken() failed"),
  );
  expect(await ask(server, "call", { body: [], number: 1 })).toMatchObject(
    raised("host.HostError", "rejects() failed"),
  );
  expect(await ask(server, "call", { body: [], number: 2 })).toMatchObject(raised("KeyError", "k"));
  expect(faults).toEqual([
    { type: "fault", path: "host.broken", operation: "call", error: secret },
    { type: "fault", path: "host.rejects", operation: "call", error: secret },
  ]);
  expect(await ask(server, "call", { body: [], number: 3 })).toMatchObject(
    raised("host.HostError", "symbol() failed"),
  );
  expect(faults).toHaveLength(3);
});

test("an answer that is larger than a value may be is a fault of the function", async () => {
  const { server, faults } = serve({ f: fn(() => "x".repeat(2000)) }, { valueBytes: 1000 });
  expect(await ask(server, "call", { body: [] })).toMatchObject(raised("host.HostError", "f() failed"));
  expect(faults).toHaveLength(1);
});

test("calls and bytes are used up by name, for all of a lifetime", async () => {
  const limits = { calls: 2, bytes: 60 };
  const one = fn(() => 1, { parameters: ["x"], limits });
  const { server } = serve({ a: one, b: one });
  const call = (number: number, x: unknown) => ask(server, "call", { number, body: [x] });
  expect([await call(0, 1), await call(0, 1)]).toMatchObject([{ value: 1 }, { value: 1 }]);
  server.endRun();
  server.beginRun();
  expect(await call(0, 1)).toMatchObject(raised("PermissionError", "a() has used up its 2 calls"));
  expect(await call(1, "x".repeat(60))).toMatchObject(
    raised("PermissionError", "b() has used up its 60 bytes"),
  );
  expect(await call(1, 1)).toMatchObject({ value: 1 });
});

test("calls wait for their turn, in order; one that is cancelled has none", async () => {
  const { calls, capability } = held({ limits: { concurrency: 1 } });
  const { server } = serve({ f: capability });
  for (const call of [1, 2, 3])
    expect(await ask(server, "call", { body: [call], call })).toMatchObject({ kind: "started" });
  expect(calls.map((call) => call.given.x)).toEqual([1]);
  await ask(server, "cancel", { call: 2 });
  calls[0]?.resolve("first");
  expect(await events(server)).toEqual([[1, "plain", "first"]]);
  expect(calls.map((call) => call.given.x)).toEqual([1, 3]);
  calls[1]?.reject(new GuestException("KeyError", "third"));
  expect(await events(server)).toEqual([[3, "raise", ["KeyError", "third"]]]);
});

test("an asynchronous call that has its answer at once is answered at once", async () => {
  const { server } = serve({ f: twice });
  expect(await ask(server, "call", { body: [4], call: 9 })).toMatchObject({
    kind: "plain",
    value: 8,
    held: 0,
  });
  expect(await events(server, 0)).toEqual([]);
});

test("a number of a call is used once at a time", async () => {
  const { server } = serve({ f: held().capability });
  await ask(server, "call", { body: [1], call: 1 });
  expect(await ask(server, "call", { body: [1], call: 1 })).toMatchObject(
    raised("ValueError", expect.any(String)),
  );
});

test("waiting ends with an answer, with the time, and with the next request to wait", async () => {
  const { calls, capability } = held();
  const { server } = serve({ f: capability });
  expect(await events(server, 1)).toEqual([]);
  await ask(server, "call", { body: [1], call: 1 });
  const first = events(server);
  const second = events(server);
  calls[0]?.resolve("x");
  expect([await first, await second]).toEqual([[], [[1, "plain", "x"]]]);
});

test("where nobody can wait, a late answer is refused and its call aborted; what is numbered comes later", async () => {
  const { calls, capability } = held();
  const { server } = serve({ f: capability }, { canWait: false });
  expect(read(server.answer(frame("call", { body: [1] })) as Uint8Array)).toMatchObject(
    raised("RuntimeError", expect.stringMatching(/^f\(\) answers later, and this sandbox cannot wait/)),
  );
  expect(calls[0]?.call.signal.aborted).toBe(true);
  await ask(server, "call", { body: [1], call: 1 });
  expect(await ask(server, "wait", { number: 1000 })).toMatchObject({ kind: "later" });
  const settled = server.settled();
  calls[1]?.resolve(5);
  await settled;
  expect(await events(server)).toEqual([[1, "plain", 5]]);
});

test("what is held is told with each answer, and is nothing in the end", async () => {
  const { calls, capability } = held();
  const { server } = serve({ f: capability });
  const started = await ask(server, "call", { body: ["x".repeat(10_000)], call: 1 });
  expect(started.held).toBeGreaterThan(10_000);
  calls[0]?.resolve("y".repeat(50_000));
  await tick();
  expect(server.heldBytes).toBeGreaterThan(50_000);
  expect(await ask(server, "wait", {})).toMatchObject({ kind: "plain", held: 0 });
  await ask(server, "call", { body: [1], call: 2 });
  expect(await ask(server, "cancel", { call: 2 })).toMatchObject({ held: 0 });
});

test("there is no more held than may be: calls are refused, answers become errors", async () => {
  const { calls, capability } = held();
  const { server } = serve({ f: capability }, { heldBytes: 100_000 });
  let started = 0;
  while ((await ask(server, "call", { body: [1], call: started + 1 })).kind === "started") started += 1;
  expect(started).toBeGreaterThan(50);
  expect(started).toBeLessThan(1000);
  server.endRun();
  await ask(server, "call", { body: [1], call: 1 });
  calls.at(-1)?.resolve("x".repeat(200_000));
  expect(await events(server)).toMatchObject([[1, "raise", ["MemoryError", expect.any(String)]]]);
});

test("no more than ten thousand calls are under way", async () => {
  const { server } = serve({ f: held().capability }, { heldBytes: 2 ** 30 });
  for (let call = 1; call <= 10_000; call++) server.answer(frame("call", { body: [1], call }));
  expect(await ask(server, "call", { body: [1], call: 10_001 })).toMatchObject(
    raised("RuntimeError", "more than 10000 calls of the host are under way"),
  );
});

test("an observer is told of calls and answers, and does no harm", async () => {
  const told: CallEvent[] = [];
  let now = 100;
  const { server, faults } = serve({ f: twice, g: held().capability }, { nowMs: () => (now += 2) });
  server.beginRun((event) => {
    told.push(event);
    if (event.name === "g") throw new Error("of the observer");
  });
  await ask(server, "call", { body: [4] });
  expect(told).toEqual([
    { type: "call", id: 1, name: "f", arguments: { x: 4 } },
    { type: "answer", id: 1, name: "f", ms: 2, value: 8 },
  ]);
  expect(await ask(server, "call", { body: [4], number: 1, call: 1 })).toMatchObject({ kind: "started" });
  expect(faults).toMatchObject([{ path: "host.g", operation: "observe" }]);
});

test("groups are told as modules, objects with their methods", async () => {
  const { server } = serve({
    "billing.invoice": fn(() => 1, {
      description: "Pays.",
      parameters: [parameter("id", { description: "which" })],
    }),
    db: {
      kind: "object",
      name: "Database",
      description: "Rows.",
      methods: new Map([["query", twice]]),
      attributes: new Map([["size", fn(() => 1)]]),
      target: {},
    },
  });
  const parameters = (name: string) => [[name, "object", "ordinary", null, false]];
  expect((await ask(server, "describe")).value).toEqual([
    [
      "billing",
      [
        "module",
        "billing",
        [
          [
            "invoice",
            [
              "function",
              "invoice",
              "Pays.\n\nArguments:\n    id: which",
              parameters("id"),
              "object",
              false,
              false,
              0,
            ],
          ],
        ],
      ],
    ],
    [
      "db",
      [
        "object",
        "Database",
        "Rows.",
        1,
        [["function", "query", "", parameters("x"), "object", false, false, 2]],
        [["function", "size", "", [], "object", false, false, 3]],
      ],
    ],
  ]);
  expect(await ask(server, "call", { number: 2, body: [3] })).toMatchObject({ value: 6 });
});
