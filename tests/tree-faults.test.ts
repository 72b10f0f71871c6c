// Places that are made of the embedder's code, when it refuses, fails, or never answers: the guest gets an OSError, the host an event,
// and nothing that was opened is forgotten, however a run ends.
import { type FaultEvent, FileError, Sandbox, type Tree, virtualDirectory, virtualFile } from "sandboa";
import { describe, expect, test } from "vitest";
import { attempt, MapTree, openTree as open, walls } from "./tree-fixture.ts";

describe.each(walls)("%s", (isolation) => {
  test("what is refused is an OSError, what fails is EIO and told the host", async () => {
    const events: FaultEvent[] = [];
    const broken = new TypeError("broken");
    const entry = { kind: "file", size: 3 } as const;
    const throwing = (): never => {
      throw broken;
    };
    const tree: Tree = {
      stat: (path) => {
        if (path === "" || path === "list") return { kind: "directory", size: 0 };
        if (path === "fails") throw broken;
        if (path === "full") throw new FileError("ENOSPC", "no more");
        if (path === "strange") throw new FileError("__proto__" as never);
        if (path === "gone") throw new FileError("ENOENT");
        return entry;
      },
      open: (path) => {
        if (path === "reads") return { stat: () => entry, read: throwing };
        return { stat: () => entry, write: () => undefined };
      },
    };
    await using sandbox = await open(tree, {
      isolation,
      onEvent: (event) => {
        if (event.type === "fault") events.push(event);
        throw new Error("an embedder's listener that fails");
      },
    });
    const { value } = await sandbox.run(`${attempt}
[attempt(lambda: os.stat("/d/" + name)) for name in ("fails", "full", "strange", "gone")] + [
 attempt(lambda: open("/d/reads").read()), attempt(lambda: open("/d/unreadable")), attempt(lambda: open("/d/reads", "r+")),
 attempt(lambda: os.listdir("/d/list")), attempt(lambda: os.mkdir("/d/gone")), attempt(lambda: os.remove("/d/x")),
 attempt(lambda: os.rename("/d/x", "/d/y")), attempt(lambda: os.truncate("/d/x", 0)), attempt(lambda: os.chmod("/d/x", 0)), attempt(lambda: os.statvfs("/d") and 1)]`);
    expect(value).toEqual([
      ...["EIO", "ENOSPC", "EIO", "ENOENT"],
      ...["EIO", "EACCES", "EROFS"],
      ...["EACCES", "EROFS", "EROFS", "EROFS", "EROFS", "EROFS", 1],
    ]);
    expect(events.map(({ type, path, operation }) => [type, path, operation])).toEqual([
      ["fault", "/d/fails", "stat"],
      ["fault", "/d/strange", "stat"],
      ["fault", "/d/reads", "read"],
    ]);
    expect(events[0]?.error).toBe(broken);
    expect(sandbox.state).toBe("usable");
  });

  test("answers that no tree may give", async () => {
    const events: FaultEvent[] = [];
    const entry = { kind: "file", size: 3 } as const;
    const answers: Readonly<Record<string, unknown>> = {
      text: "entry",
      kind: { kind: "device", size: 0 },
      size: { kind: "file", size: -1 },
      half: { kind: "file", size: 0.5 },
      huge: { kind: "file", size: 2 ** 53 },
      noSize: { kind: "file" },
      time: { ...entry, modifiedNs: 5 },
      late: { ...entry, modifiedNs: 2n ** 90n },
      id: { ...entry, id: 0 },
      links: { ...entry, links: Number.NaN },
      throwing: {
        get kind(): never {
          throw new Error("no kind");
        },
      },
    };
    const names = [
      "good",
      "good",
      "a/b",
      "..",
      ".",
      "",
      "nul\0",
      "x".repeat(256),
      "\ud800",
      5,
      undefined,
      "last",
    ];
    const tree = {
      stat: (path: string) => (path === "" ? { kind: "directory", size: 0 } : (answers[path] ?? entry)),
      list: () => [...names.map((name) => ({ name, ...entry })), null, { name: "noKind" }],
      open: (path: string) => {
        if (path === "nothing") return undefined;
        const file = { stat: () => entry, close: () => {} };
        if (path === "long") return { ...file, read: () => new Uint8Array(5_000_000).fill(65) };
        if (path === "words") return { ...file, read: () => "text" };
        const counts: Readonly<Record<string, unknown>> = { zero: 0, minus: -5, more: 1e9, many: "3" };
        return { ...file, read: () => new Uint8Array(0), write: () => counts[path] };
      },
      readLink: () => 5,
    } as unknown as Tree;
    await using sandbox = await open(tree, {
      isolation,
      onEvent: (event) => void (event.type === "fault" && events.push(event)),
    });
    const { value } = await sandbox.run(`${attempt}
def write(name):
    fd = os.open("/d/" + name, os.O_WRONLY)
    try: return os.write(fd, b"12345")
    finally: os.close(fd)
[[attempt(lambda: os.stat("/d/" + name)) for name in ${JSON.stringify(Object.keys(answers))}], os.listdir("/d"),
 attempt(lambda: open("/d/nothing")), len(os.read(os.open("/d/long", os.O_RDONLY), 10)), attempt(lambda: open("/d/words").read()),
 [attempt(lambda: write(name)) for name in ("zero", "minus", "more", "many")]]`);
    const eio = (count: number): string[] => Array.from({ length: count }, () => "EIO");
    expect(value).toEqual([eio(11), ["good", "last"], "EIO", 10, "EIO", ["EIO", "EIO", 5, "EIO"]]);
    expect(events).toHaveLength(11 + 1 + 1 + 1 + 3);
    expect(sandbox.state).toBe("usable");
  });

  test("files that are left open are closed at a reset, when the sandbox is lost, and at its end", async () => {
    const tree = new MapTree({ f: "content" });
    const sandbox = await open(tree, { isolation });
    await sandbox.run("held = [open('/d/f') for _ in range(5)]");
    expect(tree.closed).toBe(0);
    await sandbox.reset();
    expect([tree.opened, tree.closed]).toEqual([5, 5]);
    await sandbox.run("held = [open('/d/f') for _ in range(3)]; import os; os._exit(3)").catch(() => {});
    await expect.poll(() => tree.closed).toBe(8);
    await sandbox.reset();
    await sandbox.run("held = open('/d/f')");
    await sandbox.close();
    expect([tree.opened, tree.closed]).toEqual([9, 9]);
    expect(tree.treesClosed).toBe(0);
  });

  test("a function makes a tree for each lifetime, which is closed with it", async () => {
    const trees: MapTree[] = [];
    const make = (): MapTree => {
      trees.push(new MapTree({ f: `lifetime ${trees.length}` }));
      return trees.at(-1) as MapTree;
    };
    const sandbox = await Sandbox.create({ isolation, files: { "/d": virtualDirectory(make) } });
    expect((await sandbox.run("open('/d/f').read()")).value).toBe("lifetime 0");
    await sandbox.reset();
    expect((await sandbox.run("open('/d/f').read()")).value).toBe("lifetime 1");
    await sandbox.close();
    expect(trees.map(({ treesClosed }) => treesClosed)).toEqual([1, 1]);
  });

  test("no more files are open than the limit says", async () => {
    const tree = new MapTree({ f: "" });
    await using sandbox = await open(tree, { isolation, limits: { openFiles: 20 } });
    const { value } = await sandbox.run(`${attempt}
held = []
attempt(lambda: [held.append(open("/d/f")) for _ in range(100)])`);
    expect(value).toBe("EMFILE");
    expect(tree.opened).toBe(17);
  });
});

test("an inline guest cannot be given what answers later: EIO, and an event that says so", async () => {
  const tree = new MapTree({ f: "" });
  const events: FaultEvent[] = [];
  await using sandbox = await open(tree, {
    isolation: "inline",
    onEvent: (event) => void (event.type === "fault" && events.push(event)),
  });
  const held = await sandbox.run(`${attempt}\nf = open("/d/f", "rb", buffering=0); f.read()`);
  expect(held.value).toEqual(new Uint8Array(0));
  tree.delayMs = 1;
  expect((await sandbox.run("[attempt(lambda: open('/d/f')), attempt(lambda: f.read())]")).value).toEqual([
    "EIO",
    "EIO",
  ]);
  expect(events).toMatchObject([
    {
      type: "fault",
      path: "/d",
      operation: "stat",
      error: { message: expect.stringContaining("worker or process") },
    },
    { type: "fault", path: "/d/f", operation: "read" },
  ]);
});

describe.each(["worker", "process"] as const)("%s: an answer that does not come", (isolation) => {
  /** Opening never answers, until `resolve` is called. */
  class StuckTree extends MapTree {
    stuck = false;
    release: () => void = () => {};
    override open(path: string, access: Parameters<MapTree["open"]>[1]): ReturnType<MapTree["open"]> {
      if (!this.stuck) return super.open(path, access);
      return new Promise<void>((resolve) => {
        this.release = resolve;
      }).then(() => super.open(path, access));
    }
  }

  test.each([
    ["the wall limit", { limits: { wall: "300 ms" } }, undefined, "LIMIT_WALL"],
    ["a signal", {}, 300, "RUN_CANCELLED"],
  ] as const)(
    "is ended by %s, and comes too late for the next run",
    async (_name, options, abortMs, code) => {
      const tree = new StuckTree({ f: "content" });
      await using sandbox = await open(tree, { isolation, ...options });
      tree.stuck = true;
      const signal = abortMs === undefined ? undefined : AbortSignal.timeout(abortMs);
      const error = await sandbox
        .run("open('/d/f')", signal && { signal })
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code });
      const { release } = tree;
      tree.stuck = false;
      await sandbox.reset();
      const next = sandbox.run(
        "import time; a = open('/d/f').read(); time.sleep(0.05); a + open('/d/f').read()",
      );
      release();
      expect((await next).value).toBe("contentcontent");
      await expect.poll(() => [tree.opened, tree.closed]).toEqual([3, 3]);
    },
  );

  test("stands outside of wall time where that pauses", async () => {
    const delayMs = 700;
    const tree = new MapTree({ f: "content" }, delayMs);
    await using sandbox = await open(tree, {
      isolation,
      limits: { wall: "2 s", wallPausesForHost: true },
    });
    const before = tree.asked.length;
    expect((await sandbox.run("open('/d/f').read()")).value).toBe("content");
    // More than there was, had it not paused; the guest's own part of it is a blink.
    expect((tree.asked.length - before) * delayMs).toBeGreaterThan(2000);
  });
});

test.each([
  ["nothing", undefined],
  ["no open", { stat: () => undefined }],
  ["text", "tree"],
])("virtualDirectory refuses %s", (_name, tree) => {
  expect(() => virtualDirectory(tree as never)).toThrow(expect.objectContaining({ code: "BAD_OPTION" }));
});

test.each([
  ["nothing", undefined],
  ["an empty object", {}],
  ["a size only", { size: 5 }],
  ["a read that is none", { read: 5 }],
  ["half a size", { read: () => new Uint8Array(0), size: 0.5 }],
])("virtualFile refuses %s", (_name, source) => {
  expect(() => virtualFile(source as never)).toThrow(expect.objectContaining({ code: "BAD_OPTION" }));
});

test("a place whose root cannot be looked at is no place, and what was opened for others is closed", async () => {
  const other = new MapTree();
  const files = {
    "/other": virtualDirectory(() => other),
    "/broken": virtualDirectory({
      stat: () => Promise.reject(new Error("no database")),
      open: () => ({ stat: () => ({ kind: "file", size: 0 }) }),
    }),
  };
  const error = await Sandbox.create({ files }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: "BAD_OPTION",
    option: 'files["/broken"]',
    message: expect.stringContaining("no database"),
  });
  expect(other.treesClosed).toBe(1);
});
