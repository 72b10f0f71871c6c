// The image cache and the pinned files, with whole processes: two that build at once, damaged files, folders that cannot be
// written, and files of the wrong hash.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { guestDigest } from "../src/platform/node/package-files.ts";

const project = resolve(import.meta.dirname, "..");
let folder: string;
let cache: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-cache-"));
  cache = join(folder, "cache");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Where V8 gives its code away, see src/platform/node/engine/machine-code.ts. */
const keepsCode = ["11", "12", "13"].includes(process.versions.v8.split(".", 1)[0] ?? "");

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function hello(
  cacheFolder: string,
  root = project,
  source = "print('hello')",
  engineFlags: readonly string[] = [],
): Promise<Ended> {
  return run(cacheFolder, [...engineFlags, join(root, "dist", "cli.cjs"), "run", "-c", source]);
}

function run(cacheFolder: string, words: readonly string[], uid?: number): Promise<Ended> {
  return new Promise((done) => {
    const child = spawn(process.execPath, words, {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, SANDBOA_CACHE: cacheFolder },
      // What hangs is a failure of its own.
      timeout: 100_000,
      ...(uid !== undefined && { uid }),
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("close", (status) => done({ status, stdout, stderr }));
  });
}

const fine: Ended = { status: 0, stdout: "hello\n", stderr: "" };
const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

/** Name -> when it was written, of files that are whole; a damaged or left-over file fails the test. */
function wholeFiles(cacheFolder: string, bundles = ["command"]): Map<string, number> {
  // That of threads is kept by whichever process first has a second one: on Node 20 none that only makes the engine's code.
  const names = readdirSync(cacheFolder)
    .filter((name) => !name.startsWith("worker-main.") || bundles.includes("worker-main"))
    // What is named after a digest first, whatever letter that begins with.
    .sort((a, b) => Number(a.includes(".cjs.")) - Number(b.includes(".cjs.")) || (a < b ? -1 : 1));
  // The engine's code names its version, flags and processor; the bytecode of a bundle its source.
  const kinds = names.map((name) => name.replace(/^[0-9a-f]{40}\./, "").replace(/(wasm|cjs)\..*\./, "$1."));
  expect(kinds).toEqual([
    "image",
    "library",
    "plain.wasm",
    ...(keepsCode ? ["plain.wasm.code"] : []),
    "plain.wasm.rest",
    ...bundles.map((bundle) => `${bundle}.cjs.bytecode`),
  ]);
  const module = readFileSync(join(cacheFolder, names.find((name) => name.endsWith(".wasm")) ?? ""));
  return new Map(
    names.map((name) => {
      const bytes = readFileSync(join(cacheFolder, name));
      // These are of that module alone: its checksum stands behind them, in what is summed up.
      const owner = /\.(code|rest)$/.test(name) ? module.subarray(-4) : new Uint8Array(0);
      expect(crc32(owner, crc32(bytes.subarray(0, -4)))).toBe(bytes.readUInt32LE(bytes.length - 4));
      return [name, statSync(join(cacheFolder, name)).mtimeMs];
    }),
  );
}

test("two processes that start at once into an empty folder both work, and the next one reads what they left", async () => {
  expect(await Promise.all([hello(cache), hello(cache)])).toEqual([fine, fine]);
  const made = wholeFiles(cache, []);
  // They are named after what went into them, which built code knows and its source finds out.
  for (const name of made.keys()) expect(name.slice(0, 32)).toBe(guestDigest().slice(0, 32));
  // The first one that has nothing else to prepare keeps its bytecode.
  expect(await hello(cache)).toEqual(fine);
  const kept = wholeFiles(cache);
  for (const [name, writtenMs] of made) expect([name, kept.get(name)]).toEqual([name, writtenMs]);
  expect(await hello(cache)).toEqual(fine);
  expect(wholeFiles(cache)).toEqual(kept);
});

test("a process that has the library keeps its bytecode, and that of its second thread, for the next one, which has the same API", async () => {
  const copy = mkdtempSync(join(folder, "library-"));
  cpSync(cache, copy, { recursive: true });
  const embedder = `import * as sandboa from ${JSON.stringify(join(project, "dist", "index.js"))};
    const box = await sandboa.Sandbox.create();
    try { await box.run("1 / 0"); } catch (error) { console.log(error instanceof sandboa.PythonError, error.message); }
    console.log(Object.keys(sandboa).length);
    await box.close();
    const second = await sandboa.Sandbox.create();
    await second.run("1 + 1");
    await second.close();`;
  const first = await run(copy, ["--input-type=module", "-e", embedder]);
  expect(first).toMatchObject({ status: 0, stderr: "" });
  expect(first.stdout).toMatch(/^true .*division by zero\n[0-9]+\n$/);
  const all = ["command", "library", "worker-main"];
  const kept = wholeFiles(copy, all);
  expect(await run(copy, ["--input-type=module", "-e", embedder])).toEqual(first);
  expect(wholeFiles(copy, all)).toEqual(kept);
  // One that runs programs inline has other code to add, once.
  const inline = embedder.replaceAll("create()", "create({ isolation: 'inline' })");
  const size = (): number => {
    const name = readdirSync(copy).find((each) => each.startsWith("library.cjs")) ?? "";
    return statSync(join(copy, name)).size;
  };
  const sizes = [size()];
  for (let times = 0; times < 3; times++) {
    expect(await run(copy, ["--input-type=module", "-e", inline])).toMatchObject({
      status: 0,
      stdout: first.stdout,
    });
    sizes.push(size());
  }
  // The first one makes the metered form of the interpreter, and keeps nothing else.
  expect(sizes[1]).toBe(sizes[0]);
  expect(sizes[2]).toBeGreaterThan((sizes[0] ?? 0) * 1.05);
  expect(sizes[3]).toBe(sizes[2]);
});

test("a truncated file and a flipped bit are noticed and made anew", async () => {
  const damage = async (kind: string, change: (bytes: Buffer) => Buffer): Promise<void> => {
    const copy = mkdtempSync(join(folder, `damaged-${kind}-`));
    cpSync(cache, copy, { recursive: true });
    const name = readdirSync(copy).find((file) => file.endsWith(kind)) ?? "";
    const before = readFileSync(join(copy, name));
    writeFileSync(join(copy, name), change(Buffer.from(before)));
    // Needs a module that the image does not hold, or the library would not be read.
    expect(await hello(copy, project, "import calendar; print('hello')")).toEqual(fine);
    // A library was of use without its bytecode, and is made when the next one starts.
    expect(await hello(copy)).toEqual(fine);
    expect(statSync(join(copy, name)).size).toBeGreaterThan(before.length * 0.9);
    wholeFiles(copy);
  };
  await Promise.all([
    damage("image", (bytes) => bytes.subarray(0, bytes.length - 5000)),
    damage("library", (bytes) => bytes.subarray(0, bytes.length - 5000)),
  ]);
  const flip = (bytes: Buffer): Buffer => {
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    return bytes;
  };
  await Promise.all([damage("wasm", flip), damage("library", flip)]);
  if (keepsCode) await Promise.all([damage("code", flip), damage("code", (bytes) => bytes.subarray(0, 3))]);
});

test("of the rest of the module damage is noticed when it is needed, which ends that run alone", async () => {
  const needs = "import unicodedata; unicodedata.name('a'); print('hello')";
  for (const kind of ["flipped", "cut"]) {
    const copy = mkdtempSync(join(folder, `rest-${kind}-`));
    cpSync(cache, copy, { recursive: true });
    const name = readdirSync(copy).find((file) => file.endsWith(".rest")) ?? "";
    const whole = readFileSync(join(copy, name));
    const flipped = Buffer.from(whole);
    flipped[whole.length >> 1] = (whole[whole.length >> 1] ?? 0) ^ 1;
    writeFileSync(join(copy, name), kind === "cut" ? whole.subarray(0, -5000) : flipped);
    expect(await hello(copy)).toEqual(fine);
    const { status, stdout, stderr } = await hello(copy, project, needs);
    expect([status, stdout, stderr]).toEqual([125, "", expect.stringContaining("sandboa_load_rest")]);
    expect(await hello(copy, project, needs)).toEqual(fine);
    expect(readFileSync(join(copy, name)).equals(whole)).toBe(true);
  }
});

test("the process behind a wall reads the cache itself, and is sent what it finds damaged", async () => {
  const source = "import calendar, unicodedata; unicodedata.name('a'); print('hello')";
  const words = [join(project, "dist", "cli.cjs"), "run", "--isolation", "process", "-c", source];
  expect(await run(cache, words)).toEqual(fine);
  const kinds = ["image", "library", "wasm", "rest", ...(keepsCode ? ["code"] : [])];
  for (const kind of kinds) {
    const copy = mkdtempSync(join(folder, `unreadable-${kind}-`));
    cpSync(cache, copy, { recursive: true });
    const name = readdirSync(copy).find((file) => file.endsWith(kind)) ?? "";
    const whole = readFileSync(join(copy, name));
    const damaged = Buffer.from(whole);
    damaged[whole.length >> 1] = (whole[whole.length >> 1] ?? 0) ^ 1;
    writeFileSync(join(copy, name), damaged);
    expect([kind, await run(copy, words)]).toEqual([kind, fine]);
    // Made anew at once, and the library when the next one starts.
    expect([kind, await run(copy, words)]).toEqual([kind, fine]);
    expect(readFileSync(join(copy, name)).equals(damaged)).toBe(false);
  }
});

test.runIf(keepsCode)("a later process compiles next to nothing", async () => {
  const copy = mkdtempSync(join(folder, "traced-"));
  cpSync(cache, copy, { recursive: true });
  // A flag makes another process of it, as far as V8's code is concerned: the first one makes its own.
  const traced = () => hello(copy, project, undefined, ["--trace-wasm-compilation-times"]);
  const compiled = ({ stdout }: Ended): number => stdout.match(/using Liftoff/g)?.length ?? 0;
  const first = compiled(await traced());
  const later = await traced();
  expect(later.stdout).toContain("hello");
  // Some hundred on a machine that has nothing else to do, where the first one compiles more than 2,000.
  expect(compiled(later)).toBeLessThan(first / 2);
  // And optimises nothing more for the sake of one line.
  expect(later.stdout.match(/using TurboFan/g)?.length ?? 0).toBeLessThan(50);
});

/** What the command says once where each process prepares its own. */
const cannotKeep = (place: string, code: string): string =>
  `sandboa: the prepared interpreter cannot be kept in ${place} (${code}), so each process prepares its own, which takes seconds; ` +
  "let SANDBOA_CACHE name a folder that can be written to\n";

test("a folder that cannot exist is harmless, and told in one line", async () => {
  writeFileSync(join(folder, "file"), "");
  const places = [
    [join(folder, "file", "below"), "ENOTDIR"],
    ["/proc/nope", "ENOENT"],
  ] as const;
  expect(await Promise.all(places.map(([place]) => hello(place)))).toEqual(
    places.map(([place, code]) => ({ ...fine, stderr: cannotKeep(place, code) })),
  );
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("");
});

test("an embedder gets one warning of the process, however many forms are prepared", async () => {
  const embedder = `import { Sandbox } from ${JSON.stringify(join(project, "dist", "index.js"))};
    process.on("warning", ({ name, message }) => console.log(name, message));
    for (const isolation of ["worker", "inline", "process"]) {
      const box = await Sandbox.create({ isolation });
      console.log((await box.run("1 + 1")).value);
      await box.close();
    }`;
  const place = join(folder, "file");
  writeFileSync(place, "");
  const { status, stdout, stderr } = await run(place, ["--input-type=module", "-e", embedder]);
  const warning = cannotKeep(place, "ENOTDIR").replace("sandboa: ", "SandboaWarning ");
  expect([status, stdout.replace(warning, "")]).toEqual([0, "2\n2\n2\n"]);
  expect(stdout).toContain(warning);
  expect(stderr).toMatch(
    /^\(node:\d+\) SandboaWarning: the prepared[^\n]*\n\(Use `node --trace-warnings[^\n]*\n$/,
  );
});

test.runIf(process.getuid?.() === 0)(
  "so is one that belongs to somebody else, who lets nobody in",
  async () => {
    const theirs = join(folder, "theirs");
    mkdirSync(theirs, { mode: 0o700 });
    chmodSync(folder, 0o755);
    // They may not be let into the folder of this checkout either.
    const words = [join(copyOfPackage("theirs"), "dist", "cli.cjs"), "run", "-c", "print('hello')"];
    expect(await run(theirs, words, 65534)).toEqual({ ...fine, stderr: cannotKeep(theirs, "EACCES") });
  },
);

test.runIf(process.getuid?.() === 0)(
  "one that is read-only and holds everything is used in silence",
  async () => {
    const held = mkdtempSync(join(folder, "held-"));
    cpSync(cache, held, { recursive: true });
    for (const name of readdirSync(held)) {
      // Not what only saves a little time.
      if (name.endsWith(".bytecode")) rmSync(join(held, name));
      else chmodSync(join(held, name), 0o644);
    }
    chmodSync(held, 0o555);
    chmodSync(folder, 0o755);
    const words = [join(copyOfPackage("held"), "dist", "cli.cjs"), "run", "-c", "print('hello')"];
    expect(await run(held, words, 65534)).toEqual(fine);
    expect(readdirSync(held).filter((name) => name.endsWith(".bytecode"))).toEqual([]);
  },
);

/** With what it depends on. */
function copyOfPackage(name: string): string {
  const copy = join(folder, `package-${name}`);
  const pyodide = join(copy, "node_modules", "pyodide");
  for (const part of ["dist", "guest", "package.json"])
    cpSync(join(project, part), join(copy, part), { recursive: true });
  mkdirSync(pyodide, { recursive: true });
  for (const part of ["package.json", "pyodide.asm.wasm", "python_stdlib.zip"])
    cpSync(join(project, "node_modules", "pyodide", part), join(pyodide, part));
  return copy;
}

test("no image is made of guest files that the package was not built with", async () => {
  const copy = copyOfPackage("guest");
  writeFileSync(join(copy, "guest", "sandboa", "_values.py"), "\n", { flag: "a" });
  const ended = await hello(join(copy, "cache"), copy);
  expect(ended).toMatchObject({ status: 125, stdout: "" });
  expect(ended.stderr).toContain("the files in guest/ are not those that this package was built with");
  expect(readdirSync(join(copy, "cache")).filter((name) => name.endsWith(".image"))).toEqual([]);
});

test.each(["pyodide.asm.wasm", "python_stdlib.zip", ""])(
  "without the file %j of pyodide, or the package, the error says what is missing",
  async (file) => {
    const copy = copyOfPackage(`without-${file}`);
    rmSync(join(copy, "node_modules", "pyodide", file), { recursive: true });
    const ended = await hello(join(copy, "cache"), copy);
    expect(ended).toMatchObject({ status: 125, stdout: "" });
    expect(ended.stderr).toMatch(/^sandboa: \S+ cannot be read: \w+; is the package pyodide installed\?\n$/);
  },
);

test.each(["pyodide.asm.wasm", "python_stdlib.zip"])(
  "another %s is refused, and the error says both hashes",
  async (file) => {
    const copy = copyOfPackage(file);
    const pyodide = join(copy, "node_modules", "pyodide");
    const original = readFileSync(join(pyodide, file));
    const changed = Buffer.concat([original, Buffer.from([0])]);
    writeFileSync(join(pyodide, file), changed);
    const ended = await hello(join(copy, "cache"), copy);
    expect(ended).toMatchObject({ status: 125, stdout: "" });
    expect(ended.stderr).toContain(`expected SHA-256 ${sha256(original).toString("hex")}`);
    expect(ended.stderr).toContain(`found ${sha256(changed).toString("hex")}`);
  },
);
