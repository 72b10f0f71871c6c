// One call of the guest's can ask a place as often as its path has names, or a folder has entries: the deadline ends it in the middle,
// inline too.
import { hostFunction, type Isolation, LimitError, Sandbox, virtualDirectory } from "sandboa";
import { expect, test } from "vitest";

const names = 300;

test.each<Isolation>(["inline", "worker", "process"])(
  "a long path through slow folders: %s",
  async (isolation) => {
    let asked = 0;
    const slow = virtualDirectory({
      stat: () => {
        asked += 1;
        const end = performance.now() + 10;
        while (performance.now() < end);
        return { kind: "directory", size: 0 };
      },
      open: () => ({ stat: () => ({ kind: "file", size: 0 }) }),
    });
    await using sandbox = await Sandbox.create({
      isolation,
      files: { "/slow": slow },
      limits: { wall: "200 ms" },
    });
    const path = `/slow${"/a".repeat(names)}`;
    const error = await sandbox.run(`import os\nos.stat(${JSON.stringify(path)})`).catch((reason) => reason);
    expect(error).toBeInstanceOf(LimitError);
    expect(error).toMatchObject({ limit: "wall" });
    // Each takes ten milliseconds, so no more have had time; another one may be under way, and one is asked for by itself.
    expect(asked).toBeLessThanOrEqual(22);
  },
);

test.each<Isolation>(["inline", "worker", "process"])(
  "a listing that takes long, and a place that lists without end: %s",
  async (isolation) => {
    let given = 0;
    let ended = 0;
    const slow = virtualDirectory({
      stat: () => ({ kind: "directory", size: 0 }),
      *list() {
        try {
          for (; ; given++) {
            const end = performance.now() + 0.1;
            while (performance.now() < end);
            yield { name: `f${given}`, kind: "file", size: 0 };
          }
        } finally {
          ended += 1;
        }
      },
      open: () => ({ stat: () => ({ kind: "file", size: 0 }) }),
    });
    const sandbox = await Sandbox.create({ isolation, files: { "/slow": slow }, limits: { wall: "200 ms" } });
    const error = await sandbox.run("import os\nos.listdir('/slow')").catch((reason) => reason);
    expect(error).toMatchObject({ limit: "wall" });
    // Each takes a tenth of a millisecond: no more than 2,000 have had time, and another 500 may be under way.
    expect(given).toBeLessThanOrEqual(2500);
    await sandbox.close();
    expect(ended).toBe(1);
  },
);

test.each<Isolation>(["worker", "process"])(
  "the time of a place stands still for the guest, after a call as well: %s",
  async (isolation) => {
    const late = virtualDirectory({
      stat: async () => {
        await new Promise((resolve) => setTimeout(resolve, 600));
        return { kind: "directory", size: 0 };
      },
      open: () => ({ stat: () => ({ kind: "file", size: 0 }) }),
    });
    await using sandbox = await Sandbox.create({
      isolation,
      files: { "/late": late },
      functions: { add: hostFunction((a: number, b: number) => a + b) },
      limits: { wall: "500 ms", wallPausesForHost: true },
    });
    const { value } = await sandbox.run("import host, os\n[host.add(1, 2), os.path.isdir('/late/x')]");
    expect(value).toEqual([3, true]);
  },
);
