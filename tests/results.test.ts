// What a guest left, read by the host behind each of the three walls: content, listings, links, what cannot be read, and when.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type GuestFileCode,
  GuestFileError,
  hostDirectory,
  hostFile,
  type Isolation,
  type Later,
  LimitError,
  memoryFile,
  OptionError,
  RunError,
  Sandbox,
  SandboxLostError,
  type SandboxOptions,
  scratch,
  type Tree,
  virtualDirectory,
  virtualFile,
} from "sandboa";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { GuestFiles } from "../src/host/results/guest-files.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-results-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => error,
  );
}

async function refusal(promise: Promise<unknown>): Promise<[GuestFileCode, string | undefined]> {
  const error = await failure(promise);
  if (!(error instanceof GuestFileError)) throw error;
  return [error.code, error.errno];
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const pattern = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);

describe.each<Isolation>(["inline", "worker", "process"])("%s", (isolation) => {
  /** Inline, nobody can wait. */
  const later = <T>(answer: T): Later<T> =>
    isolation === "inline" ? answer : new Promise((resolve) => setTimeout(() => resolve(answer), 1));
  const create = (options: SandboxOptions = {}): Promise<Sandbox> =>
    Sandbox.create({
      isolation,
      ...options,
      files: { "/out": scratch({ bytes: "8 MiB" }), ...options.files },
    });

  test("content of every kind of place, across chunks", async () => {
    writeFileSync(join(folder, "in.bin"), pattern(600_000));
    await using sandbox = await create({
      files: {
        "/in/host.bin": hostFile(join(folder, "in.bin"), "read"),
        "/in/given.txt": memoryFile("given \u{1f40d}"),
        "/made": hostFile(join(folder, `made-${isolation}`), "create"),
      },
    });
    await sandbox.run(
      "open('/out/a.bin', 'wb').write(open('/in/host.bin', 'rb').read() * 2); open('/out/empty', 'x').close(); open('/made', 'w').write('m')",
    );
    const twice = await sandbox.files.read("/out/a.bin");
    expect(Buffer.compare(twice, Buffer.concat([pattern(600_000), pattern(600_000)]))).toBe(0);
    expect(Buffer.compare(await sandbox.files.read("/in/host.bin"), pattern(600_000))).toBe(0);
    expect(await sandbox.files.readText("/in/given.txt")).toBe("given \u{1f40d}");
    expect(await sandbox.files.readText("/made")).toBe("m");
    expect(await sandbox.files.read("/out/empty")).toEqual(new Uint8Array(0));
    const chunks = await all(sandbox.files.stream("/out/a.bin"));
    expect(chunks.map(({ length }) => length)).toEqual([...new Array(4).fill(262_144), 151_424]);
    expect(Buffer.compare(Buffer.concat(chunks), twice)).toBe(0);
    // Still usable, and nothing stays open.
    expect((await sandbox.run("import os; os.remove('/out/a.bin'); os.listdir('/out')")).value).toEqual([
      "empty",
    ]);
  });

  test("stat, list and walk, with links as the guest has them", async () => {
    await using sandbox = await create();
    await sandbox.run(
      [
        "import os",
        "os.makedirs('/out/d/e'); open('/out/d/e/f', 'w').write('12345'); os.chmod('/out/d/e/f', 0o640)",
        "os.utime('/out/d/e/f', ns=(1, 1234567890123456000))",
        "os.symlink('d/e/f', '/out/link'); os.symlink('/etc/passwd', '/out/away'); os.symlink('.', '/out/d/self')",
        "os.symlink('loop', '/out/loop'); open(b'/out/\\xff\\xc3\\xa9', 'w')",
        "os.chmod('/out/d', 0)",
      ].join("\n"),
    );
    const { files } = sandbox;
    const { id, ...stat } = await files.stat("/out/d/e/f");
    expect(stat).toEqual({ kind: "file", size: 5, mode: 0o640, modifiedNs: 1234567890123456000n, links: 1 });
    expect(await files.stat("/out/link")).toMatchObject({ id, size: 5 });
    expect(await files.stat("/out/link", { followLinks: false })).toMatchObject({ kind: "link", size: 5 });
    expect(await files.readText("/out/link")).toBe("12345");
    expect(await files.readText("/out/d/self/self/e/f")).toBe("12345");
    const listed = (await files.list("/out")).map(({ name, kind }) => [name, kind]);
    expect(listed).toEqual([
      ["away", "link"],
      ["d", "directory"],
      ["link", "link"],
      ["loop", "link"],
      ["\udcff\u00e9", "file"],
    ]);
    expect(await files.read("/out/\udcff\u00e9")).toHaveLength(0);
    const walked = (await all(files.walk())).map(({ path }) => path);
    expect(walked.toSorted()).toEqual([
      "/lib",
      "/out",
      "/out/away",
      "/out/d",
      "/out/d/e",
      "/out/d/e/f",
      "/out/d/self",
      "/out/link",
      "/out/loop",
      "/out/\udcff\u00e9",
    ]);
    expect((await all(files.walk("/out/d/"))).map(({ path }) => path)).toEqual([
      "/out/d/e",
      "/out/d/self",
      "/out/d/e/f",
    ]);
  });

  test("what cannot be read says why, and harms nothing", async () => {
    writeFileSync(join(folder, "w.txt"), "secret");
    await using sandbox = await create({ files: { "/w": hostFile(join(folder, "w.txt"), "write") } });
    await sandbox.run(
      "import os\nos.symlink('loop', '/out/loop'); os.symlink('/etc/passwd', '/out/away')\nwith open('/out/huge', 'wb') as f: f.truncate(2**33)",
    );
    const { files } = sandbox;
    expect(await refusal(files.read("/out/none"))).toEqual(["FILE_NOT_FOUND", "ENOENT"]);
    expect(await refusal(files.stat("/etc/passwd"))).toEqual(["FILE_NOT_FOUND", "ENOENT"]);
    expect(await refusal(files.read("/out/away"))).toEqual(["FILE_NOT_FOUND", "ENOENT"]);
    expect(await refusal(files.read("/out"))).toEqual(["FILE_NOT_READABLE", "EISDIR"]);
    expect(await refusal(files.list("/out/huge"))).toEqual(["FILE_NOT_READABLE", "ENOTDIR"]);
    expect(await refusal(files.read("/dev/urandom"))).toEqual(["FILE_NOT_READABLE", "EINVAL"]);
    expect(await refusal(files.read("/out/loop"))).toEqual(["FILE_NOT_READABLE", "ELOOP"]);
    expect(await refusal(files.read("/w"))).toEqual(["FILE_NOT_READABLE", "EACCES"]);
    expect(await refusal(files.read("/out/huge"))).toEqual(["FILE_TOO_LARGE", undefined]);
    expect(await refusal(all(files.walk("/out", { entries: 2 })))).toEqual(["FILE_TOO_LARGE", undefined]);
    for (const path of ["", "out", "/a\0b", "/\ud800", 5 as unknown as string])
      expect(await failure(files.read(path))).toBeInstanceOf(OptionError);
    // A hole is read as what it is, as far as anyone asks.
    const reader = files.stream("/out/huge", { bytes: "many" }).getReader();
    await expect(reader.read()).rejects.toBeInstanceOf(OptionError);
    const piece = files.stream("/out/huge", { bytes: Number.MAX_SAFE_INTEGER }).getReader();
    expect((await piece.read()).value).toEqual(new Uint8Array(262_144));
    await piece.cancel();
    expect((await sandbox.run("1")).value).toBe(1);
  });

  test("places that the host serves, whose code is asked as the guest would ask", async () => {
    writeFileSync(join(folder, "served.txt"), "of the host");
    let [opens, closes] = [0, 0];
    const tree: Tree = {
      stat: (path) =>
        later(
          path === ""
            ? { kind: "directory", size: 0 }
            : path === "f"
              ? { kind: "file", size: 600_000 }
              : undefined,
        ),
      list: () => later([{ name: "f", kind: "file", size: 600_000 }]),
      open: () => {
        opens += 1;
        const all = pattern(600_000);
        return later({
          stat: () => later({ kind: "file", size: all.length }),
          read: (position: number, length: number) => later(all.slice(position, position + length)),
          close: () => {
            closes += 1;
          },
        });
      },
    };
    await using sandbox = await create({
      files: { "/served": { kind: "tree", open: () => tree }, "/dir": hostDirectory(folder, "read") },
    });
    const { files } = sandbox;
    expect(await files.list("/served")).toMatchObject([{ name: "f", kind: "file", size: 600_000 }]);
    expect(Buffer.compare(await files.read("/served/f"), pattern(600_000))).toBe(0);
    expect([opens, closes]).toEqual([1, 1]);
    expect(await refusal(files.read("/served/none"))).toEqual(["FILE_NOT_FOUND", "ENOENT"]);
    expect(await files.readText("/dir/served.txt")).toBe("of the host");
    // What was left half read is closed when a run begins, and the guest's own use goes on as ever.
    const reader = files.stream("/served/f").getReader();
    await reader.read();
    expect((await sandbox.run("len(open('/served/f', 'rb').read())")).value).toBe(600_000);
    expect([opens, closes]).toEqual([3, 3]);
    const half = files.stream("/served/f").getReader();
    await half.read();
    await sandbox.reset();
    expect([opens, closes]).toEqual([4, 4]);
    await expect(sandbox.run("import os; os._exit(1)")).rejects.toBeInstanceOf(SandboxLostError);
    expect(await refusal(files.stat("/served/f"))).toEqual(["FILE_NOT_READABLE", "EIO"]);
    expect(await refusal(files.read("/served/f"))).toEqual(["FILE_NOT_READABLE", "EIO"]);
    await sandbox.reset();
    expect((await files.read("/served/f")).length).toBe(600_000);
  });

  test("files that are read at once do not mix, and what was given up is not gone on with", async () => {
    let made = 0;
    const generated = virtualFile(() => String.fromCharCode(65 + made++).repeat(600_000));
    let [opens, closes, text] = [0, 0, "first"];
    const tree: Tree = {
      stat: (path) => ({ kind: path === "" ? "directory" : "file", size: text.length }),
      open: () => {
        opens += 1;
        const whole = Buffer.from(text);
        return {
          stat: () => ({ kind: "file", size: whole.length }),
          read: (position, length) => whole.subarray(position, position + length),
          close: () => {
            closes += 1;
          },
        };
      },
    };
    const folderOf = mkdtempSync(join(folder, "many-"));
    for (let i = 0; i < 600; i++) writeFileSync(join(folderOf, String(i)), "");
    await using sandbox = await create({
      files: { "/g": generated, "/v": virtualDirectory(tree), "/many": hostDirectory(folderOf, "read") },
    });
    const { files } = sandbox;
    await sandbox.run("open('/out/x', 'wb').write(bytes(600_000))");
    const [one, two] = await Promise.all([
      files.readText("/g"),
      files.readText("/g"),
      files.read("/out/x"),
      files.list("/many"),
    ]);
    expect([one, two].map((content) => [content.length, new Set(content).size])).toEqual([
      [600_000, 1],
      [600_000, 1],
    ]);
    const reader = files.stream("/v/f").getReader();
    await reader.read();
    // It waits for no place.
    await reader.cancel();
    await vi.waitFor(() => expect([opens, closes]).toEqual([1, 1]));
    text = "the second";
    expect(await files.readText("/v/f")).toBe("the second");
    for await (const _entry of files.walk("/many")) break;
    rmSync(join(folderOf, "0"));
    expect(await files.list("/many")).toHaveLength(599);
    expect([opens, closes]).toEqual([2, 2]);
  });

  test("not while a run goes on, not across runs, and nothing of before a reset", async () => {
    await using sandbox = await create();
    await sandbox.run("open('/out/big', 'wb').write(b'a' * 600_000)");
    const content = sandbox.files.stream("/out/big").getReader();
    await content.read();
    const pending = refusal(sandbox.files.read("/out/big"));
    const run = sandbox.run("open('/out/big', 'wb').write(b'b' * 600_000)");
    expect(await failure(sandbox.files.read("/out/big"))).toMatchObject({ code: "SANDBOX_BUSY" });
    await run;
    expect(await pending).toEqual(["FILE_CHANGED", undefined]);
    expect(await refusal(content.read())).toEqual(["FILE_CHANGED", undefined]);
    expect((await sandbox.files.read("/out/big"))[0]).toBe(98);
    const looking = sandbox.files.stat("/out/big");
    await sandbox.reset();
    await looking;
    expect(await sandbox.files.list("/out")).toEqual([]);
    await sandbox.close();
    expect(await failure(sandbox.files.list("/out"))).toMatchObject({ code: "SANDBOX_CLOSED" });
  });

  test("after a limit what is there can be read, as long as the wall stands", async () => {
    await using sandbox = await create({ limits: { fuel: 50_000_000 } });
    const error = await failure(sandbox.run("open('/out/part', 'w').write('so far')\nwhile True: pass"));
    expect(error).toBeInstanceOf(LimitError);
    expect(sandbox.state).toBe("lost");
    expect(await sandbox.files.readText("/out/part")).toBe("so far");
    const exited = await failure(
      sandbox.reset().then(() => sandbox.run("import os; open('/out/x', 'w'); os._exit(3)")),
    );
    expect(exited).toBeInstanceOf(SandboxLostError);
    expect((await sandbox.files.list("/out")).map(({ name }) => name)).toEqual(["x"]);
    await sandbox.reset();
    expect(await sandbox.files.list("/out")).toEqual([]);
  });
});

test("a wall that fell takes everything along", async () => {
  await using sandbox = await Sandbox.create({
    isolation: "process",
    files: { "/out": scratch({ bytes: "1 MiB" }) },
  });
  const abort = new AbortController();
  const run = sandbox.run("open('/out/x', 'w').close(); print('!', flush=True)\nwhile True: pass", {
    signal: abort.signal,
    onOutput: () => abort.abort(),
  });
  expect(await failure(run)).toBeInstanceOf(RunError);
  const error = await failure(sandbox.files.list("/out"));
  expect(error).toBeInstanceOf(SandboxLostError);
  expect((error as Error).message).toContain("reset() makes a pristine one");
});

test("what is longer than any text is told so, when a text is asked for", async () => {
  const large = { read: async () => new Uint8Array(2 ** 29) };
  const reading = GuestFiles.prototype.readText.call(large as unknown as GuestFiles, "/large");
  await expect(reading).rejects.toMatchObject({ code: "FILE_TOO_LARGE", path: "/large" });
  await expect(Sandbox.create({ limits: { output: "512 MiB" } })).rejects.toMatchObject({
    option: "limits.output",
  });
});
