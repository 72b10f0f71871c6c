// What is wrong around the program rather than in it: one line says so, before it runs where that can be known.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const command = join(root, "dist", "cli.cjs");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-faults-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function sandboa(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

test.runIf(existsSync("/dev/full"))("standard output on a full disk is told in one line", () => {
  for (const json of ["", "--json"]) {
    const line = `"${process.execPath}" "${command}" run ${json} -c "print(1)" >/dev/full`;
    const { status, stderr } = spawnSync("sh", ["-c", line], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({
      status: 126,
      stderr: "sandboa: cannot write standard output: ENOSPC\n",
    });
  }
});

test.runIf(existsSync("/dev/full"))(
  "standard error on a full disk changes nothing else, as with python",
  () => {
    for (const [source, status] of [
      ["1/0", 1],
      ["import sys; print(1); sys.exit(7)", 7],
      ["import sys; print(1); [print(2, file=sys.stderr) for _ in range(3000)]; sys.exit(7)", 7],
      ["while True: pass", 124],
    ] as const) {
      for (const redirected of ["2>/dev/full", "2>&-"]) {
        const line = `"${process.execPath}" "${command}" run --wall ${status === 124 ? "1s" : "1min"} --explain -c "${source}" ${redirected}`;
        const ended = spawnSync("sh", ["-c", line], { encoding: "utf8" });
        expect([source, ended.status]).toEqual([source, status]);
        expect(ended.stdout).toBe(source.includes("print(1)") ? "1\n" : "");
      }
    }
  },
);

test("--learn that cannot be written is refused before the program runs", () => {
  for (const [file, code] of [
    ["nowhere/p.json", "ENOENT"],
    ["/dev/null/p.json", "ENOTDIR"],
  ] as const)
    expect(sandboa("run", "--learn", file, "-c", "print('ran')")).toEqual({
      status: 2,
      stdout: "",
      stderr: `sandboa: --learn cannot write ${file}: ${code}\n`,
    });
});

test("--version is the package's", () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(sandboa("--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
});

test("an uncaught error of ours shows a line of the bundle, and not all of it", () => {
  for (const name of readdirSync(join(root, "dist")).filter((each) => /\.c?js$/.test(each))) {
    const long = readFileSync(join(root, "dist", name), "utf8")
      .split("\n")
      // Constants, which no error is thrown in.
      .map((line) => line.replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '""').length)
      .filter((length) => length > 2000);
    expect([name, long]).toEqual([name, []]);
  }
});

test("all that the documents of the package link to is in the package", () => {
  const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { files: string[] };
  const packed = [...files, "README.md", "LICENSE"];
  for (const page of ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)]) {
    if (!page.endsWith(".md")) continue;
    const links = readFileSync(join(root, page), "utf8").matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g);
    for (const [, link = ""] of links) {
      const [top = ""] = resolve(root, page, "..", link)
        .slice(root.length + 1)
        .split("/");
      expect([page, link, packed.includes(top)]).toEqual([page, link, true]);
    }
  }
  expect(existsSync(join(root, "LICENSE"))).toBe(true);
});
