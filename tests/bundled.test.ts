// An application that a bundler makes one file of: the library cannot be in it, and says what to do; beside it all is well.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build, type Format } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-bundled-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules", "sandboa"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "application" }));
  writeFileSync(
    join(folder, "application.mjs"),
    `import { Sandbox } from "sandboa";
    (async () => {
      const sandbox = await Sandbox.create();
      console.log((await sandbox.run("6 * 7")).value);
      await sandbox.close();
    })();`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function runBundled(format: Format, external: string[]): Promise<{ stdout: string; stderr: string }> {
  const outfile = join(folder, "dist", format === "esm" ? "application.mjs" : "application.cjs");
  await build({
    entryPoints: [join(folder, "application.mjs")],
    outfile,
    bundle: true,
    platform: "node",
    format,
    external,
    logLevel: "silent",
  });
  return spawnSync(process.execPath, [outfile], { encoding: "utf8" });
}

test.each<Format>(["esm", "cjs"])("a bundle as %s", async (format) => {
  const { stdout, stderr } = await runBundled(format, []);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/Error: sandboa does not find its own files from .* external: \["sandboa"\]/);
  if (format === "esm") expect((await runBundled(format, ["sandboa"])).stdout).toBe("42\n");
});
