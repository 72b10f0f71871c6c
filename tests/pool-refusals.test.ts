// Checkouts that get nothing, in time and with the right name: withdrawn, too late, asked for with nonsense, more than may wait.
import { OptionError, Pool, virtualDirectory } from "sandboa";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";

const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "done",
    (error: { code?: string }) => error.code ?? String(error),
  );

const warnings: string[] = [];
const note = (warning: Error): void => {
  warnings.push(warning.name);
};
process.on("warning", note);
beforeEach(() => {
  warnings.length = 0;
});
afterAll(() => {
  process.off("warning", note);
});

describe("while what was granted is opened", () => {
  /** A folder that says what it is when `answer` is called. */
  function slowFolder(): {
    files: Record<string, ReturnType<typeof virtualDirectory>>;
    answer(): void;
    closes: number;
  } {
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const slow = {
      closes: 0,
      answer: () => answer(),
      files: {
        "/slow": virtualDirectory(() => ({
          stat: async () => {
            await answered;
            return { kind: "directory" as const, size: 0 };
          },
          open: () => ({ stat: () => ({ kind: "file", size: 0 }) }),
          close: () => {
            slow.closes += 1;
          },
        })),
      },
    };
    return slow;
  }

  test.each(["idle", "leased"])("a signal fires, and the interpreter is %s", async (state) => {
    await using pool = await Pool.create({ size: 1, isolation: "inline" });
    const busy = state === "leased" ? await pool.checkout() : undefined;
    const stop = new AbortController();
    const slow = slowFolder();
    const withdrawn = code(pool.checkout({ files: slow.files, signal: stop.signal }));
    stop.abort();
    // Whether the folder answers or not.
    expect(await withdrawn).toBe("POOL_CANCELLED");
    expect([slow.closes, pool.state().waiting]).toEqual([0, 0]);
    slow.answer();
    await vi.waitFor(() => expect(slow.closes).toBe(1));
    await busy?.close();
    await vi.waitFor(() => expect(pool.state()).toMatchObject({ idle: 1, leased: 0 }));
  });

  test("the pool is closed", async () => {
    const pool = await Pool.create({ size: 1, isolation: "inline" });
    const busy = await pool.checkout();
    const slow = slowFolder();
    const refused = code(pool.checkout({ files: slow.files }));
    const closed = pool.close();
    slow.answer();
    expect(await refused).toBe("POOL_CLOSED");
    expect(slow.closes).toBe(1);
    await busy.close();
    await closed;
  });
});

test("options that are none are refused, and leave nothing that waits", async () => {
  await using pool = await Pool.create({ size: 1, isolation: "inline" });
  const busy = await pool.checkout();
  for (const signal of [null, {}, 5, { aborted: false }] as never[])
    expect(await pool.checkout({ signal }).catch((error: unknown) => error)).toMatchObject({
      option: "signal",
    });
  const broken = {
    aborted: false,
    addEventListener: () => {
      throw new TypeError("no listeners here");
    },
    removeEventListener: () => {},
  };
  await expect(pool.checkout({ signal: broken as never })).rejects.toThrow("no listeners here");
  for (const options of [null, 5, { grace: 1 }] as never[])
    await expect(pool.checkout(options)).rejects.toBeInstanceOf(OptionError);
  for (const options of [null, 5, { grace: -1 }, { grace: null }, { patience: 1 }] as never[])
    await expect(pool.close(options)).rejects.toBeInstanceOf(OptionError);
  expect(pool.state()).toMatchObject({ leased: 1, waiting: 0 });
  await busy.close();
  await (await pool.checkout()).close();
});

test("thirty that wait with one signal are withdrawn by it, and it is no leak", async () => {
  await using pool = await Pool.create({ size: 1, isolation: "inline" });
  await using _busy = await pool.checkout();
  const stop = new AbortController();
  const waiting = Array.from({ length: 30 }, () => code(pool.checkout({ signal: stop.signal })));
  // One of them with its own, which must not take the others' away.
  const other = new AbortController();
  const own = code(pool.checkout({ signal: other.signal }));
  other.abort();
  expect(await own).toBe("POOL_CANCELLED");
  expect(pool.state().waiting).toBe(30);
  stop.abort();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(["POOL_CANCELLED"]));
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(warnings).toEqual([]);
});

describe("without a queue", () => {
  test("an interpreter is started for each checkout, up to the pool's size", async () => {
    await using pool = await Pool.create({ size: 2, warm: 0, queue: 0, isolation: "inline" });
    const three = await Promise.all([1, 2, 3].map(() => code(pool.checkout())));
    expect(three).toEqual(["done", "done", "POOL_FULL"]);
  });

  test("one that was given back is waited for while it is made pristine", async () => {
    await using pool = await Pool.create({ size: 1, queue: 0, isolation: "inline" });
    const first = await pool.checkout();
    expect(await code(pool.checkout())).toBe("POOL_FULL");
    await first.close();
    await (await pool.checkout()).close();
  });
});
