// Packages of pure Python that the embedder has in a folder: granted, and named in PYTHONPATH, they are imported as anywhere.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostDirectory, memoryFile, Pool, Sandbox } from "sandboa";
import { afterAll, beforeAll, expect, test } from "vitest";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-packages-"));
  const dist = join(folder, "greet-1.2.dist-info");
  for (const name of ["greet", "greet-1.2.dist-info"]) mkdirSync(join(folder, name));
  writeFileSync(
    join(folder, "greet", "__init__.py"),
    "from .words import word\ndef greet(name): return f'{word}, {name}'\n",
  );
  writeFileSync(join(folder, "greet", "words.py"), "word = 'hello'\n");
  writeFileSync(join(folder, "json.py"), "theirs = True\n");
  writeFileSync(join(dist, "METADATA"), "Metadata-Version: 2.1\nName: greet\nVersion: 1.2\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = `import greet, importlib.metadata
[greet.greet("you"), greet.__file__, importlib.metadata.version("greet")]`;
const expected = ["hello, you", "/site/greet/__init__.py", "1.2"];

test.each(["inline", "worker", "process"] as const)("behind the wall %s", async (isolation) => {
  const files = { "/site": hostDirectory(folder, "read") };
  await using sandbox = await Sandbox.create({ isolation, files, env: { PYTHONPATH: "/none:/site" } });
  expect((await sandbox.run(source)).value).toEqual(expected);
  expect((await sandbox.run("import sys; sys.path[:3]")).value).toEqual(["", "/none", "/site"]);
  await sandbox.reset();
  expect((await sandbox.run(source)).value).toEqual(expected);
});

test("in a pool, and gone with the next tenant", async () => {
  await using pool = await Pool.create({ size: 1 });
  {
    const files = { "/site/one.py": memoryFile("x = 1") };
    await using sandbox = await pool.checkout({ files, env: { PYTHONPATH: "/site" } });
    expect((await sandbox.run("import one; one.x")).value).toBe(1);
  }
  await using sandbox = await pool.checkout();
  expect((await sandbox.run("import sys; '/site' in sys.path")).value).toBe(false);
  await expect(sandbox.run("import one")).rejects.toMatchObject({ type: "ModuleNotFoundError" });
});

test("without the name, or where it is empty, nothing is looked for there", async () => {
  const files = { "/site": hostDirectory(folder, "read") };
  await using sandbox = await Sandbox.create({ isolation: "inline", files, env: { PYTHONPATH: "" } });
  expect((await sandbox.run("import sys; sys.path[0:2]")).value).toEqual(["", "/lib/python3.14"]);
  await expect(sandbox.run("import greet")).rejects.toMatchObject({ type: "ModuleNotFoundError" });
});
