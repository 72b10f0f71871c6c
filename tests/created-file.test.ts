// A file that a guest made through a grant stays its own, however its interpreter ended in between.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostFile, Sandbox } from "sandboa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attempt, walls } from "./tree-fixture.ts";

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

test.each(walls)(
  "%s: the one path that was granted, whatever takes the place of its folder or its name",
  async (isolation) => {
    const at = (...names: string[]): string => join(folder, isolation, ...names);
    for (const name of ["in", "vault"]) mkdirSync(at(name), { recursive: true });
    writeFileSync(at("vault", "taken"), "SECRET");
    const files = {
      "/new": hostFile(at("in", "new"), "create"),
      "/taken": hostFile(at("in", "taken"), "write"),
    };
    await using sandbox = await Sandbox.create({ isolation, files });
    renameSync(at("in"), at("moved"));
    symlinkSync("vault", at("in"));
    symlinkSync("../vault/taken", at("moved", "taken"));
    const { value } = await sandbox.run(`${attempt}
with open("/new", "x") as f: f.write("made")
[attempt(lambda: open("/taken", "w")), attempt(lambda: open("/taken", "x")), attempt(lambda: open("/new2", "w"))]`);
    expect(value).toEqual(["EEXIST", "EEXIST", "EACCES"]);
    expect(readFileSync(at("moved", "new"), "utf8")).toBe("made");
    expect([readdirSync(at("vault")), readFileSync(at("vault", "taken"), "utf8")]).toEqual([
      ["taken"],
      "SECRET",
    ]);
    expect(existsSync(at("vault", "new"))).toBe(false);
  },
);
