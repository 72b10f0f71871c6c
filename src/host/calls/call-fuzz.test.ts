// A guest sends whatever it likes: noise, true requests with bytes changed, and true requests in any order. The server always answers, holds
// no more than it may, and no prototype of the host's changes. SANDBOA_FUZZ=1000000 makes a million of it.
import { expect, test } from "vitest";
import { isPending } from "../../filesystems/later.ts";
import type { Later } from "../../filesystems/tree.ts";
import { lastingBytesOf } from "./call-frames.ts";
import { Fields, fn, frame, parameter, read, serve } from "./calls-fixture.ts";

const rounds = Number(process.env.SANDBOA_FUZZ ?? 100_000);
const heldBytes = 2 ** 20;

/** Numerical Recipes' generator: the same frames each time. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function server(canWait: boolean) {
  const later = (value: unknown): Promise<unknown> => new Promise((resolve) => setImmediate(resolve, value));
  const inner = fn(() => 1);
  return serve(
    {
      echo: fn(({ x }) => x, { parameters: ["x"], values: { shape: "objects" } }),
      json: fn(({ x }) => x, { parameters: ["x"], values: { shape: "json" } }),
      named: fn((all) => Object.keys(all), {
        parameters: [parameter("a", { isOptional: true }), parameter("more", { kind: "keywords" })],
      }),
      later: fn(({ x }) => later(x), { parameters: ["x"], limits: { concurrency: 8 } }),
      broken: fn(() => {
        throw new Error("broken");
      }),
      handle: fn(() => inner),
      feed: fn(
        async function* () {
          yield* [1, 2, 3];
        },
        { streams: true },
      ),
      use: fn(
        ({ f }) => {
          const result: unknown = typeof f === "function" ? f(1) : undefined;
          return isPending(result) ? result : null;
        },
        { parameters: ["f"] },
      ),
    },
    { canWait, heldBytes, valueBytes: 2 ** 16 },
  );
}

/** Requests as a guest of ours sends them. */
function requests(): Uint8Array[] {
  const made = [
    frame("describe"),
    frame("wait", { number: 0 }),
    frame("wait", { number: 1 }),
    frame("cancel", { call: 1 }),
  ];
  for (let number = 0; number < 20; number++) {
    made.push(
      frame("next", { number }),
      frame("next", { number, call: number + 1 }),
      frame("release", { number }),
    );
    made.push(frame("returned", { call: number, number: number % 4, body: ["ValueError", "x"] }));
    for (const call of [0, number + 1]) {
      made.push(
        frame("call", { number, call, body: [] }),
        frame("call", { number, call, body: [{ __proto__: null, a: [1] }] }),
      );
      made.push(frame("call", { number, call, body: [1, { polluted: "x" }] }));
      made.push(frame("call", { number, call, body: [new Fields("lent", number, "call")] }));
      made.push(frame("call", { number, call, body: [new Fields("lent", number, "iterate")] }));
      made.push(frame("call", { number, call, body: [new Fields("host", number)] }));
    }
  }
  made.push(frame("call", { body: [JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}')] }));
  made.push(frame("call", { number: 2, body: [1, JSON.parse('{"__proto__": {"polluted": 1}}')] }));
  return made;
}

const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));

test.each([
  ["waits", true],
  ["cannot wait", false],
])(
  "a guest that %s: %#",
  async (_, canWait) => {
    const random = generator(canWait ? 1 : 2);
    const { server: served } = server(canWait);
    const known = requests();
    let pending = 0;
    let answered = 0;
    const take = (answer: Uint8Array): void => {
      answered += 1;
      expect(answer.length).toBeGreaterThan(5);
      if (answered % 100 === 0) expect(read(answer).kind).not.toBe("unknown");
    };
    for (let round = 0; round < rounds / 2; round++) {
      const way = random(4);
      let request: Uint8Array;
      if (way === 0) {
        request = Uint8Array.from({ length: random(60) }, () => random(256));
      } else {
        request = (known[random(known.length)] as Uint8Array).slice();
        for (let changes = way === 1 ? 0 : 1 + random(3); changes > 0; changes--)
          request[random(request.length)] = random(256);
        if (random(10) === 0) request = request.subarray(random(request.length));
      }
      const answer: Later<Uint8Array> = served.answer(request);
      if (isPending(answer)) {
        expect(canWait).toBe(true);
        pending += 1;
        void answer.then(take);
      } else take(answer);
      if (served.heldBytes > heldBytes + 2 ** 17) expect.fail(`${served.heldBytes} bytes are held`);
      if (round % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (round % 5000 === 4999) {
        served.endRun();
        // What is left are handles, which stay.
        const answer = served.answer(frame("describe")) as Uint8Array;
        expect(served.heldBytes).toBe(lastingBytesOf(answer));
        served.beginRun();
      }
    }
    expect(answered).toBeGreaterThan(rounds / 2 - pending - 1);
    expect(served.malformedFrames).toBeGreaterThan(rounds / 20);
    expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(before);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    served.end();
    expect(served.heldBytes).toBe(0);
  },
  600_000,
);
