// What a call's arguments cost while it is under way: all that the guest has sent, and nothing that is the embedder's own.
import { expect, test } from "vitest";
import { hostObject } from "../../capabilities/functions/host-object.ts";
import { ask, Fields, fn, serve } from "./calls-fixture.ts";
import { costOf } from "./cost.ts";

const nobody: ReadonlySet<unknown> = new Set();

test("what the guest has made is gone through", () => {
  const made = Object.assign(Object.create(null), {
    list: [1, "two", new Uint8Array(1000)],
    map: new Map([["key", new Set([1])]]),
  });
  expect(costOf(made, 1000, nobody)).toBeGreaterThan(1000 + 3 * 256 + 9 * 64);
  expect(costOf(made, 32, nobody)).toBe(32 * 64);
});

const throwing = new Proxy([], {
  getPrototypeOf: () => expect.fail("it was looked into"),
  get: () => expect.fail("it was looked into"),
  ownKeys: () => expect.fail("it was looked into"),
});

test.each([
  ["a list", Array.from({ length: 100_000 }, () => "a text of some length")],
  ["a map", new Map(Array.from({ length: 100_000 }, (_, at) => [at, at]))],
  ["a set", new Set(Array.from({ length: 100_000 }, (_, at) => at))],
  ["a view", new Uint8Array(2 ** 26)],
  ["an object without prototype", Object.assign(Object.create(null), { large: "x".repeat(2 ** 20) })],
  ["a proxy that throws", throwing],
])("%s of the embedder's own that is passed back costs an item", async (_, own) => {
  const { server, faults } = serve({
    f: fn(() => new Promise(() => {}), { parameters: ["x"] }),
    own: hostObject(own, { name: "Own" }),
  });
  const body = [[new Fields("host", 1), "a text that is longer than thirty two bytes"]];
  const answer = await ask(server, "call", { body, call: 1 });
  expect(answer.kind).toBe("started");
  expect(answer.held).toBeLessThan(1000);
  expect(faults).toEqual([]);
});
