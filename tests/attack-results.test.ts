// Results as weapons: small answers that cost the embedder's thread hours, or its heap gigabytes.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Isolation, RunError, Sandbox } from "sandboa";
import { describe, expect, test } from "vitest";
import type { UsageLimits } from "../src/errors/usage.ts";
import { RunRecord } from "../src/host/run-record.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
setFlagsFromString("--no-expose-gc");

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => error,
  );

describe.each<Isolation>(["inline", "worker"])("%s", (isolation) => {
  // V8 hashes a bigint by its lowest 64 bits: in one chain, 200,000 of these keep a thread busy for three minutes.
  test.each([
    ["set", "{i << 64 for i in range(1, 200_000)}"],
    ["dict", "{i << 64: None for i in range(1, 200_000)}"],
    ["many dicts", "[{i << 64: 0 for i in range(1, 2000)} for _ in range(150)]"],
  ])("a %s of keys that collide is refused at once", async (_name, source) => {
    await using sandbox = await Sandbox.create({ isolation });
    const error = await failure(sandbox.run(source));
    expect(error).toBeInstanceOf(RunError);
    expect(error).toMatchObject({ code: "VALUE_NOT_COPIED", sandbox: "usable" });
    await sandbox.reset();
    expect((await sandbox.run("1")).value).toBe(1);
  });

  test("large dicts and sets of honest keys arrive whole", async () => {
    await using sandbox = await Sandbox.create({ isolation });
    const dict = (await sandbox.run("{i: None for i in range(300_000)}")).value as ReadonlyMap<number, null>;
    expect(dict.size).toBe(300_000);
    expect([...dict.keys()].every((key, index) => key === index)).toBe(true);
    const set = (await sandbox.run("{i * 0.1 for i in range(50_000)} | {2**53 + i for i in range(50_000)}"))
      .value;
    expect((set as ReadonlySet<unknown>).size).toBe(100_000);
    expect(set).toContain(2n ** 53n + 1n);
  });
});

test("a kept output costs the host little more than its bytes, however it was written", () => {
  const record = new RunRecord({} as UsageLimits, undefined, () => {});
  collect();
  const before = process.memoryUsage();
  for (let i = 0; i < 300_000; i++) record.take("stdout", Uint8Array.of(0x61 + (i % 26)));
  // A process behind a wall may also send nothing, endlessly.
  for (let i = 0; i < 300_000; i++) record.take("stderr", new Uint8Array(0));
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const { stdout, stderr } = record.finish();
  expect(stdout.length).toBe(300_000);
  expect(stdout.startsWith("abcdefghijklmnopqrstuvwxyzabc")).toBe(true);
  expect(stderr).toBe("");
  // As arrays they were 150 MB.
  expect(heapUsed + external - before.heapUsed - before.external).toBeLessThan(20 << 20);
});

test("characters that were written in halves are whole", () => {
  const record = new RunRecord({} as UsageLimits, undefined, () => {});
  for (const byte of new TextEncoder().encode("\ufeffgr\u00fc\u00dfe \u{1f40d}"))
    record.take("stdout", Uint8Array.of(byte));
  record.take("stderr", Uint8Array.of(0xf0, 0x9f));
  expect(record.finish()).toMatchObject({ stdout: "\ufeffgr\u00fc\u00dfe \u{1f40d}", stderr: "\ufffd" });
});
