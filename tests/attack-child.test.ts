// What a child process that was taken over can do to its host through the pipe: nothing but end.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostFile, virtualDirectory } from "sandboa";
import { afterAll, describe, expect, test, vi } from "vitest";
import { LimitError, SandboxLostError } from "../src/errors/run-errors.ts";
import { beginLifetime } from "../src/host/lifetime.ts";
import { hostStdin } from "../src/host/options/options.ts";
import { releaseHostFile } from "../src/platform/node/files/host-files.ts";
import { openWallOf, planOf, removeScripts } from "./attack-child-fixture.ts";

vi.mock("../src/platform/node/walls/confinement.ts", () => import("./attack-child-script.ts"));

const folder = mkdtempSync(join(tmpdir(), "sandboa-attacked-"));
const granted = join(folder, "granted.txt");
writeFileSync(granted, "granted");
writeFileSync(join(folder, "secret.txt"), "secret");
afterAll(() => {
  removeScripts();
  rmSync(folder, { recursive: true });
});

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => error,
  );
const request = new Uint8Array(0);
const ignore = (): void => {};

describe("in a run", () => {
  test.each([
    ["no frame at all", "raw(Buffer.alloc(100, 0xff));"],
    ["a frame of four gigabytes", "raw(Buffer.from('ffffffff', 'hex'));"],
    ["a frame without a head", "raw(Buffer.alloc(4));"],
    ["a head longer than its frame", "raw(Buffer.from('0800000010000000' + '00000000', 'hex'));"],
    ["a head that is no JSON", "send('{');"],
    ["a head of a megabyte", "send(JSON.stringify({ type: 'reset', id: 2, x: [...Array(3e5).keys()] }));"],
    ["no object", "send('null');"],
    ["an unknown message", "send({ type: '__proto__' });"],
    ["ready twice", "send({ type: 'ready' });"],
    [
      "an image that cannot be read for the fourth time",
      "for (let i = 0; i < 4; i++) send({ type: 'unreadable' });",
    ],
    ["a failure to start", "send({ type: 'failed', outcome: { kind: 'crashed', detail: '' } });"],
    ["done for what was never asked", "done(99);"],
    ["done for the beginning", "done(1);"],
    ["begun for the run", "send({ type: 'begun', id: 2 });"],
    ["reset for the run", "send({ type: 'reset', id: 2 });"],
    ["a negative id", "done(-1);"],
    ["negative figures", "done(2, { meters: { ...meters, wallMs: -1 } });"],
    ["an unknown outcome", "done(2, { outcome: { kind: 'constructor' } });"],
    ["more output than its limit", "send({ type: 'output', stream: 'stdout' }, Buffer.alloc(2000));"],
    ["output to another stream", "send({ type: 'output', stream: '__proto__' });"],
    ["a question about a place that is none", "question('read', { place: 7, length: 1, position: 0 });"],
    ["a question about a place by name", "question('size', { place: 'constructor' });"],
    ["a question about a memory file", "question('size', { place: 1 });"],
    ["a question at a negative position", "question('read', { length: 1, position: -1 });"],
    ["a question at half a position", "question('write', { position: 0.5 });"],
    ["a question for standard input", "question('input', { length: 1 });"],
    ["denials without end", "for (;;) send(denial);"],
    ["a denial of half a port", "send({ ...denial, port: 0.5 });"],
    ["a denial of more than a name", "send({ ...denial, name: 'n'.repeat(1025) });"],
    ["a denial of what is no bytes", "send({ ...denial, name: '\u0100' });"],
    ["an answer about files", "send({ type: 'seen', id: 2, errno: 0, next: 0 });"],
    ["a question that is none", "question('unlink');"],
    ["a question about a tree of a place that is a file", "tree('stat', { place: 0, path: '' });"],
    ["a question about a tree of a place that is bytes", "tree('stat', { place: 1, path: '' });"],
    ["a path that climbs", "tree('stat', { path: 'a/../../b' });"],
    ["an absolute path", "tree('open', { path: '/etc/passwd', access: 'read', create: 'never', mode: 0 });"],
    ["a path with an empty name", "tree('list', { path: 'a//b', from: 0 });"],
    ["a path with NUL", "tree('stat', { path: 'a\\0b' });"],
    ["a second spelling of a path", "tree('stat', { path: '\\udcc3\\udca9' });"],
    ["a path longer than any", "tree('stat', { path: 'a/'.repeat(2047) + 'bbb' });"],
    ["a part of a listing that nobody began", "tree('list', { path: 'a', from: 500 });"],
    ["a part of a listing from before its beginning", "tree('list', { path: 'a', from: -1 });"],
    ["a part of a listing from no place", "tree('list', { path: 'a' });"],
    ["a trail that climbs", "tree('trail', { path: 'a/../../b', count: 1 });"],
    ["a trail of less than nothing", "tree('trail', { path: 'a', count: -1 });"],
    ["a trail of half a prefix", "tree('trail', { path: 'a', count: 0.5 });"],
    ["a trail of no count", "tree('trail', { path: 'a' });"],
    ["a new name that climbs", "tree('rename', { path: 'a', to: '..' });"],
    ["a file that was never opened", "tree('read', { file: 1, position: 0, length: 1 });"],
    ["the end of a file that was never opened", "tree('close', { file: 1, isAwaited: false });"],
    ["a file by a name", "tree('close', { file: 'constructor' });"],
    ["a read at a negative position", "tree('read', { file: 1, position: -1, length: 1 });"],
    [
      "an unknown way to make files",
      "tree('open', { path: 'a', access: 'read', create: '__proto__', mode: 0 });",
    ],
    [
      "truncation without writing",
      "tree('open', { path: 'a', access: 'read,truncate', create: 'never', mode: 0 });",
    ],
    ["a time that is no number", "tree('change', { path: 'a', modifiedNs: '1e5' });"],
    ["a time that is a number in other digits", "tree('change', { path: 'a', modifiedNs: '0x10' });"],
    ["a time of too many digits", "tree('change', { path: 'a', modifiedNs: '9'.repeat(900) });"],
    [
      "a question about a tree before the last was answered",
      "for (;;) tree('list', { path: 'never', from: 0 });",
    ],
    ["no path at all", "tree('stat', {});"],
    [
      "questions whose answers it does not read",
      "for (;;) question('read', { length: 2 ** 30, position: 0 });",
    ],
  ])("%s ends it", async (_name, attack) => {
    const large = join(folder, "large.bin");
    writeFileSync(large, new Uint8Array(1 << 20));
    const seen: string[] = [];
    const stat = (path: string) => {
      seen.push(path);
      return { kind: "directory", size: 0 } as const;
    };
    const unanswered = new Promise<never>(() => {});
    const grants = planOf({
      files: {
        "/in": hostFile(large, "read"),
        "/memory": { kind: "memoryFile", bytes: request } as never,
        "/tree": virtualDirectory({ stat, list: () => unanswered, open: () => unanswered }),
      },
      limits: { output: 1000, wall: "20 s" },
    });
    const { tickets } = grants;
    const { plan, trees } = await beginLifetime(grants);
    const wall = await openWallOf(`start(); receive(); ${attack} sleep(60_000);`);
    await wall.begin(plan, { trees });
    const error = await failure(wall.run(request, ignore));
    expect(error).toBeInstanceOf(SandboxLostError);
    expect(error).toMatchObject({
      code: "SANDBOX_CRASHED",
      message: "the process sent what no sandbox sends",
    });
    expect(wall.stands).toBe(false);
    // The embedder's code was asked for the root alone, before the process could say anything.
    expect(seen).toEqual([""]);
    for (const ticket of tickets) releaseHostFile(ticket);
  });

  test.each([
    [
      "more than was asked for",
      "send({ type: 'seen', id: 2, errno: 0, next: 0 }, Buffer.alloc(2 ** 18 + 1));",
    ],
    ["an errno below zero", "send({ type: 'seen', id: 2, errno: -1, next: 0 });"],
    ["the answer to another question", "send({ type: 'seen', id: 3, errno: 0, next: 0 });"],
    ["two answers", "for (const id of [2, 2]) send({ type: 'seen', id, errno: 0, next: 0 }); done(2);"],
    ["output", "send({ type: 'output', stream: 'stdout' }, Buffer.from('x'));"],
    ["a denial", "send(denial);"],
    ["a question for standard input", "question('input', { length: 1 });"],
  ])("when files are looked at, %s ends it", async (_name, attack) => {
    const wall = await openWallOf(`start(); receive(); ${attack} sleep(60_000);`);
    await wall.begin(planOf({ stdin: hostStdin }).plan);
    const seen = wall
      .look({ operation: "stat", path: "/x", follow: true })
      .then(() => wall.run(request, ignore));
    expect(await failure(seen)).toMatchObject({ code: "SANDBOX_CRASHED" });
    expect(wall.stands).toBe(false);
  });

  test("nothing is believed after a lie, not even in the same breath", async () => {
    const wall = await openWallOf("start(); receive(); send({ type: 'no' }); done(2); sleep(60_000);");
    await wall.begin(planOf().plan);
    expect(await failure(wall.run(request, ignore))).toMatchObject({ code: "SANDBOX_CRASHED" });
  });

  test("a reason for its end is no prototype of anything", async () => {
    const reason =
      '{"kind":"fault","detail":"x","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
    const head = `{"type":"done","id":2,"__proto__":{"polluted":1},"outcome":{"kind":"stopped","reason":${reason}},"meters":`;
    const wall = await openWallOf(
      `start(); receive(); send(${JSON.stringify(head)} + JSON.stringify(meters) + "}"); sleep(60_000);`,
    );
    await wall.begin(planOf().plan);
    const { outcome, meters } = await wall.run(request, ignore);
    expect(outcome).toEqual({ kind: "stopped", reason: { kind: "fault", detail: "x" } });
    expect("polluted" in meters || "polluted" in {}).toBe(false);
    await wall.kill(new Error("over"));
  });

  test.each([
    ["never answers", "sleep(60_000);"],
    ["stops itself", "process.kill(process.pid, 'SIGSTOP');"],
    ["sends empty pieces of output without end", "for (;;) send({ type: 'output', stream: 'stdout' });"],
  ])("a process that %s is killed at the deadline", async (_name, attack) => {
    const wall = await openWallOf(`start(); receive(); ${attack}`);
    await wall.begin(planOf({ limits: { wall: "300 ms" } }).plan);
    const error = await failure(wall.run(request, ignore));
    expect(error).toBeInstanceOf(LimitError);
    expect(error).toMatchObject({ limit: "wall", budget: 300, sandbox: "lost" });
  });

  test("a process that closes its pipe and lives on is ended, without a deadline", async () => {
    const wall = await openWallOf("start(); receive(); closeSync(1); sleep(60_000);");
    await wall.begin(planOf({ limits: { wall: "unlimited" } }).plan);
    expect(await failure(wall.run(request, ignore))).toMatchObject({ code: "SANDBOX_CRASHED" });
  });

  test("a process that gave its pipe to another one cannot keep the host waiting", async () => {
    const over = join(folder, "over");
    const heir = `setInterval(() => { if (require("node:fs").existsSync(${JSON.stringify(over)})) process.exit(); }, 50)`;
    const stdio = "{ stdio: ['ignore', 'inherit', 'ignore'] }";
    const wall = await openWallOf(
      `start(); receive(); spawn(process.execPath, ["-e", ${JSON.stringify(heir)}], ${stdio}); sleep(60_000);`,
    );
    await wall.begin(planOf({ limits: { wall: "500 ms" } }).plan);
    const error = await failure(wall.run(request, ignore));
    writeFileSync(over, "");
    expect(error).toBeInstanceOf(LimitError);
  });
});

describe("between runs", () => {
  test.each([
    ["asks for what it was granted", "question('read', { length: 10, position: 0 });"],
    ["writes", "send({ type: 'output', stream: 'stdout' });"],
    ["answers once more", "done(2);"],
  ])("a process that %s is ended", async (_name, attack) => {
    const fell = vi.fn();
    const { plan, tickets } = planOf({ files: { "/in": hostFile(granted, "read") } });
    const wall = await openWallOf(`start(); done(receive().id); ${attack} sleep(60_000);`, fell);
    await wall.begin(plan);
    await wall.run(request, ignore);
    await vi.waitFor(() => expect(fell).toHaveBeenCalledTimes(1), 5000);
    expect(wall.stands).toBe(false);
    for (const ticket of tickets) releaseHostFile(ticket);
  });

  // The number of a closed descriptor is soon that of another file of the embedder.
  test.each([
    ["read", "question('read', { length: 10, position: 0 });"],
    ["size", "question('size');"],
  ])("what was granted to the last guest cannot be asked for: %s", async (_name, attack) => {
    const { plan, tickets } = planOf({ files: { "/in": hostFile(granted, "read") } });
    const wall = await openWallOf(
      `start(); done(receive().id); const { id } = receive(); ${attack} receive(); send({ type: 'reset', id }); sleep(60_000);`,
    );
    await wall.begin(plan);
    await wall.run(request, ignore);
    for (const ticket of tickets) releaseHostFile(ticket);
    const reused = openSync(join(folder, "secret.txt"), "r");
    expect(tickets.map(({ fd }) => fd)).toEqual([undefined]);
    expect(await failure(wall.reset())).toMatchObject({ code: "SANDBOX_CRASHED" });
    closeSync(reused);
  });

  test("a process that does not become pristine is not waited for without end", async () => {
    const wall = await openWallOf("start(); done(receive().id); sleep(60_000);");
    await wall.begin(planOf().plan);
    await wall.run(request, ignore);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const reset = failure(wall.reset());
    await vi.advanceTimersByTimeAsync(120_000);
    vi.useRealTimers();
    expect(await reset).toMatchObject({
      code: "SANDBOX_CRASHED",
      message: "the inside of the sandbox did not answer",
    });
  });
});
