// One call of the guest's can ask a place as often as its path has names: the deadline ends it in the middle, inline too.
import { type Isolation, LimitError, Sandbox, virtualDirectory } from "sandboa";
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
    expect(asked).toBeLessThan(names);
  },
);
