// A file that a guest made through a grant stays its own, however its interpreter ended in between.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostFile, Sandbox } from "sandboa";
import { afterAll, beforeAll, expect, test } from "vitest";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-created-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["a cancelled run", "while True: pass"],
  ["a crash", "x = ()\nfor i in range(10**6): x = (x,)\ndel x"],
  ["an abort", "import os; os.abort()"],
  ["an ordinary run", "1"],
])("after %s", async (name, source) => {
  const path = join(folder, name);
  await using sandbox = await Sandbox.create({ files: { "/c": hostFile(path, "create") } });
  await sandbox.run("with open('/c', 'x') as f: f.write('made')");
  await sandbox.run(source, { signal: AbortSignal.timeout(1000) }).catch(() => {});
  await sandbox.reset();
  expect((await sandbox.run("open('/c').read()")).value).toBe("made");
  await sandbox.run("with open('/c', 'a') as f: f.write(' and kept')");
  expect(readFileSync(path, "utf8")).toBe("made and kept");
});
