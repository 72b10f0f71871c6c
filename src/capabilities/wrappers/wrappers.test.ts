// What wrappers allow, refuse and tell, for a tree over memory that answers now, and for one that answers later.
import { describe, expect, test } from "vitest";
import { FileError } from "../../errors/file-error.ts";
import type { Tree, TreeAccess, TreeFile } from "../../filesystems/tree.ts";
import { outcome, reading, viewOf } from "../../filesystems/tree-view-fixture.ts";
import { type FilterRequest, filtered } from "./filtered.ts";
import { limited } from "./limited.ts";
import { type FileUse, observed } from "./observed.ts";
import { readOnly } from "./read-only.ts";
import { revocable } from "./revocable.ts";
import { wrapped } from "./wrapped.ts";
import {
  bytes,
  capabilityOf,
  fileUses,
  Hands,
  outcomes,
  place,
  read,
  resolve,
  uses,
  write,
  writing,
} from "./wrapper-fixture.ts";

describe.each([
  ["now", false],
  ["later", true],
])("answering %s", (_, later) => {
  test("readOnly: what is there can be read, and nothing is changed", async () => {
    const { memory, capability } = await place(later);
    const before = await viewOf(memory);
    const tree = resolve(readOnly(capability));
    expect(await viewOf(tree)).toEqual(before);
    expect(await outcomes(uses(tree))).toEqual({
      ...{ stat: "ok", list: "ok", open: "ok", readLink: "ok", room: "ok" },
      ...{ makeDirectory: "EROFS", makeLink: "EROFS", remove: "EROFS", removeDirectory: "EROFS" },
      ...{ rename: "EROFS", change: "EROFS" },
    });
    const file = await tree.open("d/f", { ...reading, create: "missing" });
    expect(await outcomes(fileUses(file))).toEqual({
      ...{ stat: "ok", read: "ok", sync: "ok", write: "EROFS", truncate: "EROFS", change: "EROFS" },
    });
    const opens: [TreeAccess, string, string][] = [
      [writing, "d/f", "EROFS"],
      [{ ...writing, create: "never", truncate: true }, "d/f", "EROFS"],
      [writing, "new", "EROFS"],
      [{ ...reading, create: "missing" }, "new", "EROFS"],
      [{ ...reading, create: "always" }, "new", "EROFS"],
      [{ ...reading, create: "always" }, "d/f", "EEXIST"],
      [reading, "new", "ENOENT"],
    ];
    for (const [access, path, expected] of opens)
      expect(await outcome(() => tree.open(path, access)), JSON.stringify(access)).toBe(expected);
    expect(await viewOf(memory)).toEqual(before);
  });

  test("revocable: after revoke nothing is left, in any sandbox, and what was open is closed", async () => {
    const { memory, capability } = await place(later);
    let closed = 0;
    const counting = wrapped(capability, (tree) => ({
      ...tree,
      stat: tree.stat,
      open: async (path, access) => {
        const file = await tree.open(path, access);
        return {
          ...fileOf(file),
          close: () => {
            closed += 1;
            return file.close?.();
          },
        };
      },
    }));
    const { capability: granted, revoke } = revocable(counting);
    const [one, other] = [resolve(readOnly(granted)), resolve(granted)];
    const [first, second] = [await one.open("d/f", reading), await other.open("d/f", writing)];
    const before = await viewOf(memory);
    revoke();
    await Promise.resolve();
    expect(closed).toBe(2);
    const refused = Object.fromEntries(Object.keys(uses(other)).map((name) => [name, "EACCES"]));
    expect(await outcomes(uses(other))).toEqual(refused);
    expect(await outcome(() => one.stat("d/f"))).toBe("EACCES");
    const bad = Object.fromEntries(Object.keys(fileUses(second)).map((name) => [name, "EBADF"]));
    expect(await outcomes(fileUses(second))).toEqual(bad);
    expect(await outcome(() => first.read?.(0, 1))).toBe("EBADF");
    expect([await outcome(() => first.close?.()), await outcome(() => second.close?.())]).toEqual([
      "ok",
      "ok",
    ]);
    expect(closed).toBe(2);
    expect(await viewOf(memory)).toEqual(before);
    expect(await outcome(() => resolve(granted).stat(""))).toBe("EACCES");
    revoke();
  });

  test("limited: bytes, in both directions together", async () => {
    const { memory, capability } = await place(later);
    const granted = limited(capability, { bytes: 10 });
    const tree = resolve(granted);
    // Seven bytes and the end of the file, which costs nothing.
    expect(await read(tree, "d/f")).toBe("content");
    expect(await write(tree, "n", "12345")).toBe(3);
    expect(await read(memory, "n")).toBe("123");
    expect(await outcome(() => write(tree, "n", "x"))).toBe("EDQUOT");
    expect(await outcome(() => read(tree, "n"))).toBe("EDQUOT");
    // A reset, and another sandbox, spend from the same.
    expect(await outcome(() => write(resolve(granted), "n", "x"))).toBe("EDQUOT");
  });

  test("limited: each direction for itself, and a refusal costs nothing", async () => {
    const { capability } = await place(later);
    const tree = resolve(limited(capability, { bytesRead: 7, bytesWritten: 2 }));
    const file = await tree.open("d/f", { ...writing, read: false });
    expect(await outcome(() => file.read?.(0, 7))).toBe("EBADF");
    expect(await file.write?.(0, bytes("CONT"))).toBe(2);
    expect(await outcome(() => file.write?.(0, bytes("C")))).toBe("EDQUOT");
    expect(await read(tree, "d/f")).toBe("COntent");
    expect(await outcome(() => read(tree, "d/f"))).toBe("EDQUOT");
  });

  test("limited: opens", async () => {
    const { capability } = await place(later);
    const tree = resolve(limited(capability, { opens: 2 }));
    expect(await outcome(() => tree.open("nothing", reading))).toBe("ENOENT");
    await tree.open("d/f", reading);
    await tree.open("d/f", reading);
    expect(await outcome(() => tree.open("d/f", reading))).toBe("EDQUOT");
    expect(await outcome(() => tree.stat("d/f"))).toBe("ok");
  });

  test.each([
    ["a date", new Date(6000)],
    ["a duration from the first use", "5 s"],
  ])("limited: until %s", async (_name, until) => {
    const { capability } = await place(later);
    const hands = new Hands();
    const granted = limited(capability, { until });
    const tree = resolve(granted, hands);
    const file = await tree.open("d/f", writing);
    hands.ms = 5999;
    expect(await outcome(() => resolve(granted, hands).stat(""))).toBe("ok");
    expect(await outcome(() => file.read?.(0, 1))).toBe("ok");
    hands.ms = 6000;
    const bad = Object.fromEntries(Object.keys(fileUses(file)).map((name) => [name, "EBADF"]));
    expect(await outcomes(fileUses(file))).toEqual(bad);
    expect(await outcome(() => tree.list?.(""))).toBe("EACCES");
    expect(await outcome(() => file.close?.())).toBe("ok");
  });

  test("observed: every use is told with what became of it", async () => {
    const { capability } = await place(later);
    const told: FileUse[] = [];
    const tree = resolve(observed(capability, (use) => told.push(use)));
    await outcomes(uses(tree));
    await outcomes(fileUses(await tree.open("d/g", writing)));
    const file = await tree.open("d/g", writing);
    await file.close?.();
    await outcome(() => tree.open("none", reading));
    const shown = told.map(({ operation, path, to, bytes: count, error }) =>
      [operation, path, to, count, error].filter((part) => part !== undefined).join(" "),
    );
    expect(shown).toEqual([
      ...["stat d/f", "list d", "open d/f", "readLink l", "makeDirectory n", "makeLink m", "remove l"],
      ...["removeDirectory n", "rename d/f d/g", "change d", "room ", "open d/g", "statFile d/g"],
      ...["read d/g 7", "write d/g 1", "truncate d/g", "syncFile d/g", "changeFile d/g"],
      ...["open d/g", "closeFile d/g", "open none ENOENT"],
    ]);
    expect(told[2]?.access).toEqual(reading);
  });

  test("observed: a listener that throws or rejects breaks nothing, and is told as a fault", async () => {
    const { memory, capability } = await place(later);
    const hands = new Hands();
    const listeners = [
      () => {
        throw new Error("thrown");
      },
      () => Promise.reject(new Error("rejected")),
    ];
    for (const listener of listeners)
      expect(await viewOf(resolve(observed(capability, listener), hands))).toEqual(await viewOf(memory));
    await new Promise((resolve) => setTimeout(resolve));
    expect(hands.faults.slice(0, 1)).toEqual([new Error("thrown")]);
    expect(hands.faults.slice(-1)).toEqual([new Error("rejected")]);
  });

  test("filtered: what is not shown is not there, and neither is anything below it", async () => {
    const { memory, capability } = await place(later);
    await memory.makeDirectory?.("d/secret", 0o755);
    await write(memory, "d/secret/key", "hidden");
    const asked: FilterRequest[] = [];
    const tree = resolve(
      filtered(capability, (request) => {
        asked.push(request);
        return !request.path.endsWith("secret");
      }),
    );
    expect([...(await viewOf(tree)).keys()]).toEqual(["d", "d/f", "l"]);
    expect(await tree.stat("d/secret")).toBe(undefined);
    expect(await tree.stat("d/secret/key")).toBe(undefined);
    const attempts: [string, () => unknown][] = [
      ["EACCES", () => tree.open("d/secret/key", reading)],
      ["EACCES", () => tree.open("secret", writing)],
      ["ENOENT", () => tree.list?.("d/secret")],
      ["ENOENT", () => tree.readLink?.("d/secret")],
      ["EACCES", () => tree.makeDirectory?.("d/secret/new", 0o755)],
      ["EACCES", () => tree.remove?.("d/secret/key")],
      ["EACCES", () => tree.change?.("d/secret", { mode: 0o777 })],
      ["EACCES", () => tree.rename?.("d/secret/key", "key")],
      ["EACCES", () => tree.rename?.("l", "d/secret/l")],
      ["EXDEV", () => tree.rename?.("d", "e")],
      ["ok", () => tree.rename?.("l", "m")],
    ];
    for (const [expected, attempt] of attempts)
      expect(await outcome(attempt), attempt.toString()).toBe(expected);
    expect(await read(memory, "d/secret/key")).toBe("hidden");
    expect(asked).toContainEqual({ operation: "open", path: "d/f" });
  });

  test("filtered: by operation, and by a function that answers later", async () => {
    const { capability } = await place(later);
    const tree = resolve(filtered(capability, async ({ operation }) => operation !== "write"));
    const file = await tree.open("d/f", writing);
    expect(await outcomes(fileUses(file))).toMatchObject({ read: "ok", write: "EACCES", truncate: "ok" });
  });

  test("filtered: bytes are kept while the function thinks", async () => {
    const { memory, capability } = await place(false);
    const file = await resolve(filtered(capability, async () => true)).open("d/f", writing);
    const content = bytes("CONTENT");
    const written = file.write?.(0, content);
    content.fill(0);
    await written;
    expect(await read(memory, "d/f")).toBe("CONTENT");
  });
});

test("revoke while an answer is on its way: it does not arrive, and what it opened is closed", async () => {
  let answer: (file: TreeFile) => void = () => {};
  let closed = 0;
  const slow: Tree = {
    stat: () => undefined,
    open: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  };
  const { capability, revoke } = revocable(capabilityOf(slow));
  const opening = outcome(() => resolve(capability).open("f", reading));
  revoke();
  answer({
    stat: () => ({ kind: "file", size: 0 }),
    close: () => {
      closed += 1;
    },
  });
  expect(await opening).toBe("EACCES");
  expect(closed).toBe(1);
});

test("revoke while a file is being read: it is closed when that is over, and not before", async () => {
  const order: string[] = [];
  let answer: (bytes: Uint8Array) => void = () => {};
  const slow: Tree = {
    stat: () => undefined,
    open: () => ({
      stat: () => ({ kind: "file", size: 1 }),
      read: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
      close: () => {
        order.push("closed");
      },
    }),
  };
  const { capability, revoke } = revocable(capabilityOf(slow));
  const file = await resolve(capability).open("f", reading);
  const reads = outcome(() => file.read?.(0, 1));
  revoke();
  order.push("revoked");
  answer(bytes("x"));
  expect(await reads).toBe("EBADF");
  expect(order).toEqual(["revoked", "closed"]);
});

test("one's own wrapper in a few lines", async () => {
  const { capability } = await place(false);
  const noted: string[] = [];
  const mine = wrapped(capability, (tree) => ({
    ...tree,
    stat: tree.stat,
    open: (path, access) => {
      if (path.endsWith(".key")) throw new FileError("EACCES");
      noted.push(path);
      return tree.open(path, access);
    },
  }));
  const granted = resolve(readOnly(mine));
  expect(await read(granted, "d/f")).toBe("content");
  expect(await outcome(() => granted.open("a.key", reading))).toBe("EACCES");
  expect(noted).toEqual(["d/f"]);
});

test.each([
  ["limited", () => limited(capabilityOf({} as Tree), { bytes: "much" })],
  ["limited", () => limited(capabilityOf({} as Tree), { until: new Date("never") })],
  ["limited", () => limited(capabilityOf({} as Tree), { byte: 1 } as never)],
  ["limited", () => limited(capabilityOf({} as Tree), undefined as never)],
  ["observed", () => observed(capabilityOf({} as Tree), 1 as never)],
  ["filtered", () => filtered(capabilityOf({} as Tree), undefined as never)],
  ["wrapped", () => readOnly("/etc" as never)],
  ["wrapped", () => wrapped(capabilityOf({} as Tree), {} as never)],
])("%s: what makes no sense is refused at once", (option, make) => {
  expect(make).toThrow(
    expect.objectContaining({ code: "BAD_OPTION", option: expect.stringContaining(option) }),
  );
});

function fileOf(file: TreeFile): TreeFile {
  return { ...file, stat: () => file.stat(), ...bound(file) };
}

function bound(file: TreeFile): Partial<TreeFile> {
  const { read: reads, write: writes, truncate, sync, change } = file;
  return {
    ...(reads && { read: reads.bind(file) }),
    ...(writes && { write: writes.bind(file) }),
    ...(truncate && { truncate: truncate.bind(file) }),
    ...(sync && { sync: sync.bind(file) }),
    ...(change && { change: change.bind(file) }),
  };
}
