// A child process that was taken over, and was granted functions: it speaks the pipe's protocol and that of calls as it likes. What it may
// call it may call; whatever else it sends ends it, and it gains no time by waiting.
import { afterAll, describe, expect, test, vi } from "vitest";
import { LimitError } from "../src/errors/run-errors.ts";
import { fn, parameter, serve } from "../src/host/calls/calls-fixture.ts";
import { openWallOf, planOf, removeScripts } from "./attack-child-fixture.ts";

vi.mock("../src/platform/node/walls/confinement.ts", () => import("./attack-child-script.ts"));
afterAll(removeScripts);

const request = new Uint8Array(0);
const ignore = (): void => {};

/** In the child: a call's frame with a body in marshal format. */
const prelude = `
const trailer = (op, number, call) => { const end = Buffer.alloc(10); end[1] = op; end.writeUInt32LE(number, 2); end.writeUInt32LE(call, 6); return end; };
const frame = (op, number = 0, call = 0, body = Buffer.from("2900", "hex")) => send({ type: "call" }, Buffer.concat([body, trailer(op, number, call)]));
const text = (length) => { const head = Buffer.alloc(7); head[0] = 0x29; head[1] = 1; head[2] = 0x73; head.writeUInt32LE(length, 3); return Buffer.concat([head, Buffer.alloc(length)]); };
start(); receive();
`;

async function attacked(attack: string, limits: object = { wall: "1 s", wallPausesForHost: true }) {
  let calls = 0;
  const signals: AbortSignal[] = [];
  const { server, faults } = serve({
    now: fn(() => ++calls),
    take: fn(() => ++calls, { parameters: [parameter("x")] }),
    never: fn((_, { signal }) => {
      calls += 1;
      signals.push(signal);
      return new Promise(() => {});
    }),
  });
  const { plan } = planOf({ limits });
  const wall = await openWallOf(`${prelude}\n${attack}\nsleep(60_000);`);
  await wall.begin({ ...plan, functions: true }, { calls: server });
  const end = await wall.run(request, ignore).catch((error: unknown) => error);
  server.endRun();
  await wall.kill(new Error("over"));
  return { end, calls, signals, faults, server };
}

describe("in a run", () => {
  test.each([
    ["a call before the last was answered", "frame(1, 2); frame(1, 0);"],
    ["calls whose answers are not read", "for (;;) frame(8);"],
    ["a frame larger than a value may be", "frame(1, 1, 0, text(2 ** 26 + 2 ** 20));"],
    ["a reply that is the host's to give", "send({ type: 'callReply' });"],
  ])("%s ends it", async (_name, attack) => {
    const { end, calls } = await attacked(attack);
    expect(end).toMatchObject({ code: "SANDBOX_CRASHED" });
    expect(calls).toBeLessThan(2);
  });

  test.each([
    ["that is no frame", "send({ type: 'call' }, Buffer.from('x'));"],
    ["of a number that was never given", "frame(1, 7);"],
    ["of a number that only looks like one", "frame(1, 0xffffffff);"],
    ["to do a callback that nobody asked for", "frame(7, 0, 1);"],
    ["for an item of what is no stream", "frame(3, 0);"],
  ])("a request %s is refused, and calls nothing", async (_name, attack) => {
    // Its answer's last byte tells that it was raised.
    const { end, calls, server } = await attacked(`${attack}\nif (receive().answer.at(-1) === 2) done(2);`);
    expect(end).toMatchObject({ outcome: { kind: "answer" } });
    expect([calls, server.heldBytes]).toEqual([0, 0]);
  });

  test.each([
    ["waits for what nobody does", "frame(6, 0xffffffff);"],
    ["waits for it again and again", "for (;;) { frame(6, 20); receive(); }"],
  ])("a process that %s has no more time than its limit", async (_name, attack) => {
    const { end } = await attacked(attack);
    expect(end).toBeInstanceOf(LimitError);
    expect(end).toMatchObject({ limit: "wall" });
  });

  test("a process that numbers calls without end holds no more than its account, and all are aborted with it", async () => {
    const { end, signals, server } = await attacked(
      "for (let n = 1; n < 30_000; n++) { frame(1, 2, n); receive(); } done(2);",
      { wall: "30 s" },
    );
    expect(end).toMatchObject({ outcome: { kind: "answer" } });
    expect(signals.length).toBeGreaterThan(1000);
    expect(signals.length).toBeLessThanOrEqual(10_000);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    expect(server.heldBytes).toBe(0);
  });

  test("what was asked before a kill, and is read after it, is not carried out", async () => {
    let calls = 0;
    const kill: { now?: () => void } = {};
    const { server } = serve({
      now: fn(() => {
        calls += 1;
        kill.now?.();
        return calls;
      }),
    });
    const wall = await openWallOf(
      `${prelude}\nconst one = Buffer.concat([Buffer.from("2900", "hex"), trailer(1, 0, 0)]); const head = Buffer.from('{"type":"call"}'); const start2 = Buffer.alloc(8); start2.writeUInt32LE(4 + head.length + one.length, 0); start2.writeUInt32LE(head.length, 4); raw(Buffer.concat(Array(200).fill(Buffer.concat([start2, head, one])))); sleep(60_000);`,
    );
    await wall.begin({ ...planOf().plan, functions: true }, { calls: server });
    kill.now = () => void wall.kill(new Error("over"));
    await expect(wall.run(request, ignore)).rejects.toThrow("over");
    expect(calls).toBe(1);
  });
});

describe("outside of a run", () => {
  test.each([
    ["between runs", "done(2); frame(1, 0);"],
    ["while it is made pristine", "done(2); receive(); frame(1, 0);"],
  ])("a call %s ends it, and calls nothing", async (_name, attack) => {
    let calls = 0;
    const { server } = serve({ now: fn(() => ++calls) });
    const wall = await openWallOf(`${prelude}\n${attack}\nsleep(60_000);`);
    await wall.begin({ ...planOf().plan, functions: true }, { calls: server });
    await wall.run(request, ignore).catch(() => {});
    server.endRun();
    await wall.reset().catch(() => {});
    expect([wall.stands, calls]).toEqual([false, 0]);
  });

  test("a call of a process that was granted no function ends it", async () => {
    const wall = await openWallOf(`${prelude}\nframe(1, 0);\nsleep(60_000);`);
    await wall.begin(planOf().plan);
    await expect(wall.run(request, ignore)).rejects.toMatchObject({ code: "SANDBOX_CRASHED" });
  });
});
