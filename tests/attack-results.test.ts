// Results as weapons: small answers that cost the embedder's thread hours, or its heap gigabytes.
import { type Isolation, Sandbox, SandboxLostError } from "sandboa";
import { describe, expect, test } from "vitest";

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
    expect(error).toBeInstanceOf(SandboxLostError);
    expect(error).toMatchObject({ code: "SANDBOX_CRASHED", sandbox: "lost" });
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
