// How runs and sandboxes end where several things come together, and callbacks of the embedder's that fail later.
import { hostFunction, RunError, Sandbox, type Tree, type TreeEntry, virtualDirectory } from "sandboa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const stray: unknown[] = [];
const warnings: string[] = [];
const noteStray = (error: unknown): void => {
  stray.push(error);
};
const noteWarning = ({ message }: Error): void => {
  warnings.push(message);
};
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
beforeEach(() => {
  stray.length = warnings.length = 0;
  process.on("unhandledRejection", noteStray);
  process.on("warning", noteWarning);
});
afterEach(async () => {
  await pause(5);
  process.off("unhandledRejection", noteStray);
  process.off("warning", noteWarning);
  expect(stray).toEqual([]);
});

describe.each(["inline", "worker", "process"] as const)("%s", (isolation) => {
  test("a close() during a reset resolves when what the reset has opened is closed as well", async () => {
    const ended: string[] = [];
    let answer: (() => void) | undefined;
    const entry: TreeEntry = { kind: "directory", size: 0 };
    const tree = (isSlow: boolean, name: string): Tree => ({
      stat: () => (isSlow ? new Promise((resolve) => (answer = () => resolve(entry))) : entry),
      open: () => ({ stat: () => entry }),
      close: () => void ended.push(name),
    });
    let opened = 0;
    const place = virtualDirectory(() => tree(opened++ > 0, `tree ${opened}`));
    const sandbox = await Sandbox.create({ isolation, files: { "/t": place } });
    const reset = sandbox.reset().catch((error) => error.code);
    while (answer === undefined) await pause(1);
    const closed = sandbox.close().then(() => ended.push("sandbox"));
    await pause(20);
    answer();
    await closed;
    expect(ended).toEqual(["tree 1", "tree 2", "sandbox"]);
    expect(await reset).toBe("SANDBOX_CLOSED");
  });

  test("a second close() resolves when the first does", async () => {
    const sandbox = await Sandbox.create({ isolation });
    const ended: string[] = [];
    const first = sandbox.close().then(() => ended.push("first"));
    await sandbox.close();
    await pause(0);
    expect(ended).toEqual(["first"]);
    await first;
  });

  test("a run whose signal fires as it ends says what the sandbox then is", async () => {
    for (const end of ["{float('nan'): 1, float('nan'): 2}", "1"]) {
      await using sandbox = await Sandbox.create({ isolation });
      const stop = new AbortController();
      const onOutput = (): void => stop.abort();
      // The end is on its way when the output is heard of: the signal comes too late, or just in time to end the wall.
      const run = sandbox.run(`print('x', end='')\n${end}`, { signal: stop.signal, onOutput });
      const error = await run.catch((reason: unknown) => reason as RunError);
      if (error instanceof RunError && error.code === "VALUE_NOT_COPIED") {
        expect([error.sandbox, sandbox.state]).toEqual(["usable", "usable"]);
      } else if (error instanceof Error) {
        expect(error).toMatchObject({ code: "RUN_CANCELLED", sandbox: "lost" });
        expect(sandbox.state).toBe("lost");
      } else {
        expect([error.value, sandbox.state]).toEqual([1, "usable"]);
        expect((await sandbox.run("2")).value).toBe(2);
      }
    }
  });

  test("an async onOutput that rejects fails the run", async () => {
    await using sandbox = await Sandbox.create({ isolation });
    const onOutput = async (): Promise<void> => {
      throw new Error("mine");
    };
    const run = sandbox.run("print('x', flush=True)\nimport time\ntime.sleep(0.2)", { onOutput });
    await expect(run).rejects.toThrow("mine");
    expect(warnings).toEqual([]);
  });

  test("one that rejects when the run is over is a warning", async () => {
    await using sandbox = await Sandbox.create({ isolation });
    let fail = (): void => {};
    const onOutput = (): Promise<void> =>
      new Promise((_, reject) => {
        fail = () => reject(new Error("too late"));
      });
    expect((await sandbox.run("print('x')\n5", { onOutput })).value).toBe(5);
    fail();
    await pause(5);
    expect(warnings).toMatchObject([expect.stringContaining("too late")]);
    expect(sandbox.state).toBe("usable");
  });

  test("async listeners that reject are warnings", async () => {
    await using sandbox = await Sandbox.create({
      isolation,
      functions: { f: hostFunction(() => 1) },
      onEvent: async () => {
        throw new Error("onEvent, later");
      },
    });
    const onCall = async (): Promise<void> => {
      throw new Error("onCall, later");
    };
    const source = "from host import f\ntry: open('/etc/passwd')\nexcept OSError: f()";
    expect((await sandbox.run(source, { onCall })).value).toBe(null);
    await pause(5);
    expect(warnings.length).toBeGreaterThan(0);
    for (const warning of warnings) expect(warning).toContain("onEvent, later");
  });
});
