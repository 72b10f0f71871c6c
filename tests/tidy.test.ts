// Style is a test: who may import whom, where the machine may be touched, how long a file may be, and that every error code
// has its page.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const source = join(root, "src");

/** Room -> rooms that it may import besides itself. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  "index.ts": ["capabilities", "errors", "filesystems", "host", "interpreter"],
  "library.ts": ["index.ts", "platform"],
  "command.ts": ["command-main.ts", "platform", "surfaces"],
  "command-main.ts": ["surfaces", "platform"],
  errors: [],
  abi: [],
  kernel: ["abi", "errors"],
  filesystems: ["kernel", "abi", "errors"],
  capabilities: ["kernel", "filesystems", "abi", "errors"],
  interpreter: ["kernel", "abi", "errors"],
  host: ["capabilities", "interpreter", "filesystems", "kernel", "abi", "errors", "platform"],
  platform: ["host", "interpreter", "filesystems", "kernel", "abi", "errors"],
  surfaces: ["index.ts"],
};

const files = (readdirSync(source, { recursive: true }) as string[])
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join(source, name));
const production = files.filter((file) => !/(\.test|-fixture|-for-tests)\.ts$/.test(file));
const importPattern = /(?:from|import)[\s(]+"([^"]+)"/g;

function room(file: string): string {
  return relative(source, file).split("/")[0] ?? "";
}

function importsOf(file: string): string[] {
  return [...readFileSync(file, "utf8").matchAll(importPattern)].map((match) => match[1] ?? "");
}

test("a room imports only the rooms that it may", () => {
  const wrong: string[] = [];
  for (const file of production) {
    const from = room(file);
    for (const target of importsOf(file).filter((name) => name.startsWith("."))) {
      const to = room(resolve(dirname(file), target));
      if (to !== from && !allowed[from]?.includes(to)) wrong.push(`${relative(root, file)} imports ${to}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("no file imports itself by way of others, not even for a type", () => {
  const targets = new Map(
    production.map((file) => [
      file,
      importsOf(file)
        .filter((name) => name.startsWith("."))
        .map((name) => resolve(dirname(file), name)),
    ]),
  );
  expect(cyclesIn(targets).map((cycle) => cycle.map((file) => relative(source, file)))).toEqual([]);
});

/** The groups of files each of which leads to each other (Tarjan's strongly connected components), sorted. */
function cyclesIn(targets: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const numbers = new Map<string, number>();
  const open: string[] = [];
  /** The least number of an open file that `file` leads to. */
  const visit = (file: string): number => {
    const number = numbers.size;
    numbers.set(file, number);
    open.push(file);
    let least = number;
    for (const target of targets.get(file) ?? []) {
      if (!targets.has(target)) continue;
      if (!numbers.has(target)) least = Math.min(least, visit(target));
      else if (open.includes(target)) least = Math.min(least, numbers.get(target) ?? least);
    }
    if (least === number) {
      const group = open.splice(open.indexOf(file));
      if (group.length > 1 || targets.get(file)?.includes(file)) cycles.push(group.sort());
    }
    return least;
  };
  for (const file of targets.keys()) if (!numbers.has(file)) visit(file);
  return cycles.sort();
}

test("a form of the module knows the binary format, and no other form", () => {
  const forms = join(source, "interpreter", "wasm");
  const wrong = production.filter((file) => {
    const [form = "", name] = relative(forms, file).split("/");
    if (form === ".." || name === undefined) return false;
    const targets = importsOf(file).map((target) => relative(forms, resolve(dirname(file), target)));
    // What lies outside is for the rule of rooms.
    return targets.some((target) => ![form, "format", ".."].includes(target.split("/")[0] ?? ""));
  });
  expect(wrong.map((file) => relative(root, file))).toEqual([]);
});

test("only platform and surfaces touch the machine", () => {
  const touch =
    /\b(?:Date\.now|performance\.now|process\.(?:env|argv|stdout|hrtime)\b|crypto\.)|from "node:|\bfetch\(/;
  const wrong = production
    .filter((file) => !["platform", "surfaces"].includes(room(file)))
    .filter((file) => touch.test(readFileSync(file, "utf8")));
  expect(wrong.map((file) => relative(root, file))).toEqual([]);
});

test("the core has no third-party imports", () => {
  const foreign = production
    .filter((file) => room(file) !== "surfaces")
    .flatMap((file) => importsOf(file).filter((name) => !name.startsWith(".") && !name.startsWith("node:")));
  expect(foreign).toEqual([]);
});

test("a file is one thing: no more than 400 lines", () => {
  const long = files.filter((file) => readFileSync(file, "utf8").split("\n").length > 400);
  expect(long.map((file) => relative(root, file))).toEqual([]);
});

test("every file says at its top what it is", () => {
  const silent = files.filter((file) => !/^(?:#!.*\n)?(?:\/\/|\/\*)/.test(readFileSync(file, "utf8")));
  expect(silent.map((file) => relative(root, file))).toEqual([]);
});

test("every room has a README of at most 30 lines", () => {
  const rooms = Object.keys(allowed).filter((name) => !name.endsWith(".ts"));
  const wrong = rooms.filter((name) => {
    const file = join(source, name, "README.md");
    return !existsSync(file) || readFileSync(file, "utf8").trimEnd().split("\n").length > 30;
  });
  expect(wrong).toEqual([]);
});

test("every error code has its page", () => {
  const text = readFileSync(join(source, "errors", "sandbox-error.ts"), "utf8");
  const codes = [...text.matchAll(/\| "([A-Z_]+)"/g)].map((match) => match[1] ?? "");
  expect(codes.length).toBeGreaterThan(10);
  expect(codes.filter((code) => !existsSync(join(root, "docs", "errors", `${code}.md`)))).toEqual([]);
});
