// The host asks about files of a place that does not answer: nothing that it does next waits for that.
import { Pool, Sandbox, virtualFile } from "sandboa";
import { describe, expect, test, vi } from "vitest";

const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "done",
    (error: { code?: string }) => error.code ?? String(error),
  );
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A file that answers when `answer` is called, and whether it has been asked. */
function slowFile() {
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const slow = {
    isAsked: false,
    answer: () => answer(),
    files: {
      "/slow": virtualFile({
        size: async () => {
          slow.isAsked = true;
          await answered;
          return 4;
        },
        read: () => new Uint8Array(0),
      }),
    },
  };
  return slow;
}

async function asked(
  sandbox: Sandbox,
  slow: ReturnType<typeof slowFile>,
): Promise<{ look: Promise<unknown> }> {
  const look = sandbox.files.stat("/slow");
  look.catch(() => {});
  await vi.waitFor(() => expect(slow.isAsked).toBe(true), 10_000);
  return { look };
}

describe.each(["worker", "process"] as const)("%s", (isolation) => {
  test("close", async () => {
    const slow = slowFile();
    const sandbox = await Sandbox.create({ isolation, files: slow.files });
    const { look } = await asked(sandbox, slow);
    await sandbox.close();
    expect(await code(look)).toBe("SANDBOX_CLOSED");
  }, 20_000);

  test("close, in a pool, whose next interpreter is a new one", async () => {
    await using pool = await Pool.create({ size: 1, isolation });
    const slow = slowFile();
    const sandbox = await pool.checkout({ files: slow.files });
    const { look } = await asked(sandbox, slow);
    await sandbox.close();
    expect(await code(look)).toBe("SANDBOX_CLOSED");
    await using next = await pool.checkout();
    expect((await next.run("6 * 7")).value).toBe(42);
  }, 20_000);

  test("cancelling a stream of the content", async () => {
    const slow = slowFile();
    await using sandbox = await Sandbox.create({ isolation, files: slow.files });
    const reader = sandbox.files.stream("/slow").getReader();
    const chunk = reader.read();
    await vi.waitFor(() => expect(slow.isAsked).toBe(true), 10_000);
    await reader.cancel();
    expect(await chunk).toEqual({ done: true, value: undefined });
    slow.answer();
    expect(await sandbox.files.stat("/slow")).toMatchObject({ size: 4 });
  }, 20_000);

  test("reset", async () => {
    const slow = slowFile();
    await using sandbox = await Sandbox.create({ isolation, files: slow.files });
    await sandbox.run("x = 1");
    const { look } = await asked(sandbox, slow);
    await sandbox.reset();
    expect(await code(look)).toBe("SANDBOX_BUSY");
    expect((await sandbox.run("'x' in globals()")).value).toBe(false);
  }, 20_000);

  test("a run that is cancelled has not begun, and takes nothing from who has asked", async () => {
    const slow = slowFile();
    await using sandbox = await Sandbox.create({ isolation, files: slow.files });
    await sandbox.run("x = 1");
    const { look } = await asked(sandbox, slow);
    const stop = new AbortController();
    const run = sandbox.run("x = 2", { signal: stop.signal }).catch((error: unknown) => error);
    await pause(20);
    stop.abort("enough");
    expect(await run).toBe("enough");
    expect(sandbox.state).toBe("usable");
    slow.answer();
    expect(await look).toMatchObject({ size: 4 });
    expect((await sandbox.run("x")).value).toBe(1);
  }, 20_000);

  test("closing a sandbox whose run waits for that ends both", async () => {
    const slow = slowFile();
    const sandbox = await Sandbox.create({ isolation, files: slow.files });
    await asked(sandbox, slow);
    const run = code(sandbox.run("1"));
    await sandbox.close();
    expect(await run).toBe("SANDBOX_CLOSED");
  }, 20_000);
});
