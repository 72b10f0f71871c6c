// What is ready for a guest that comes again: in order, once, and not gone through for what the guest only says.
import { expect, test } from "vitest";
import { answerKind } from "./call-frames.ts";
import { ask, bodyValue, events, fn, serve } from "./calls-fixture.ts";
import { none, type Outcome } from "./refusal.ts";
import { WaitingGuest } from "./waiting-guest.ts";

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const answer: Outcome = { kind: answerKind.plain, body: none };
const callback: Outcome = { kind: answerKind.callback, body: none };

function waiting(mostBytes = 2 ** 30) {
  const told: [Outcome, boolean][] = [];
  const guest = new WaitingGuest(mostBytes, (outcome, isGiven) => told.push([outcome, isGiven]));
  const take = (): unknown[] =>
    (bodyValue(guest.take(), false) as [number, number][]).map(([number, kind]) => [number, kind]);
  return { guest, told, take };
}

test("what came first is given first, as much as fits, and is charged until then", () => {
  const { guest, told, take } = waiting(1000);
  const large: Outcome = { kind: answerKind.plain, body: new Uint8Array(5000) };
  guest.add(7, { ...large, body: none });
  guest.add(3, answer);
  guest.add(1, { ...large, kind: answerKind.callback, body: none });
  expect(guest.heldBytes).toBeGreaterThan(1200);
  expect(take()).toEqual([
    [7, answerKind.plain],
    [3, answerKind.plain],
  ]);
  expect(take()).toEqual([[1, answerKind.callback]]);
  expect([guest.isEmpty, guest.heldBytes, told.length]).toEqual([true, 0, 3]);
  expect(told.every(([, isGiven]) => isGiven)).toBe(true);
});

test("a call that is cancelled takes neither a callback of the same number nor its place", () => {
  const { guest, told, take } = waiting();
  guest.add(5, callback);
  guest.add(5, answer);
  guest.add(6, answer);
  guest.drop(5);
  guest.drop(5);
  guest.drop(0);
  expect(told).toEqual([[answer, false]]);
  expect(take()).toEqual([
    [5, answerKind.callback],
    [6, answerKind.plain],
  ]);
  expect(guest.heldBytes).toBe(0);
});

test("to cancel what is not there takes no longer for all that is ready", () => {
  const { guest } = waiting();
  for (let number = 1; number <= 50_000; number++) guest.add(number, answer);
  const start = performance.now();
  for (let times = 0; times < 20_000; times++) guest.drop(4_000_000_000 + times);
  expect(performance.now() - start).toBeLessThan(1000);
});

test("a number is another call's when its answer was taken or cancelled, and not before", async () => {
  const { server } = serve({ f: fn(async ({ x }) => x, { parameters: ["x"] }) });
  const call = async (x: number): Promise<string> => (await ask(server, "call", { body: [x], call: 9 })).kind;
  expect(await call(1)).toBe("started");
  await tick();
  expect(await call(2)).toBe("raise");
  expect(await events(server)).toEqual([[9, "plain", 1]]);
  expect(await call(3)).toBe("started");
  await tick();
  await ask(server, "cancel", { call: 9 });
  expect(await call(4)).toBe("started");
  expect(await events(server)).toEqual([[9, "plain", 4]]);
});

test("calls that wait for their turn are cancelled one by one, and never begun", async () => {
  const begun: unknown[] = [];
  const ends: ((value: unknown) => void)[] = [];
  const f = fn(
    ({ x }) => {
      begun.push(x);
      return new Promise((resolve) => ends.push(resolve));
    },
    { parameters: ["x"], limits: { concurrency: 1 } },
  );
  const { server } = serve({ f }, { heldBytes: 2 ** 26 });
  for (let call = 1; call <= 2_000; call++) await ask(server, "call", { body: [call], call });
  for (let call = 2; call <= 2_000; call++) if (call % 500 !== 0) await ask(server, "cancel", { call });
  for (let at = 0; at < 5; at++) {
    ends[at]?.(0);
    await tick();
  }
  expect(begun).toEqual([1, 500, 1000, 1500, 2000]);
  expect((await events(server)).length).toBe(5);
  expect(server.heldBytes).toBe(0);
});
