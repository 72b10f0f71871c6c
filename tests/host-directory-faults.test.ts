// A folder of the host while others work in it, and when something goes wrong: what a guest sees, what its embedder is told, and what a
// thread that is ended leaves open.
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostDirectory, Sandbox, type SandboxEvent } from "sandboa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { attempt, walls } from "./tree-fixture.ts";

let home: string;
let root: string;
beforeEach(() => {
  home = fs.mkdtempSync(join(tmpdir(), "sandboa-directory-"));
  root = join(home, "root");
  fs.mkdirSync(join(root, "folder"), { recursive: true });
  fs.mkdirSync(join(home, "vault"));
  for (const name of ["root/file", "root/folder/file"]) fs.writeFileSync(join(home, name), "inside");
  for (const name of ["vault/file", "vault/only-there"]) fs.writeFileSync(join(home, name), "SECRET");
  fs.symlinkSync("../vault", join(home, "folder-link"));
  fs.symlinkSync("../vault/file", join(home, "file-link"));
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

/** Another Node: exchanges the file and the folder for links to the vault, and back, until it is ended. */
const swapper = `
const fs = require("node:fs"), { join } = require("node:path"), home = process.argv[1];
const move = (from, to) => { try { fs.renameSync(join(home, from), join(home, to)); } catch {} };
process.on("disconnect", () => process.exit());
let ready = false;
const turn = () => {
  for (let i = 0; i < 50; i++) for (const name of ["file", "folder"]) {
    move("root/" + name, name); move(name + "-link", "root/" + name);
    move("root/" + name, name + "-link"); move(name, "root/" + name);
  }
  if (!ready) process.send(ready = true);
  setImmediate(turn);
};
turn();
`;

describe.each(walls)("%s", (isolation) => {
  test("while another process swaps links for files and folders, nothing outside is read, written or named", async () => {
    const child = spawn(process.execPath, ["-e", swapper, home], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const vault = (): unknown =>
      fs.readdirSync(join(home, "vault")).map((name) => {
        const { mode, mtimeNs } = fs.statSync(join(home, "vault", name), { bigint: true });
        return [name, mode, mtimeNs, fs.readFileSync(join(home, "vault", name), "utf8")];
      });
    const before = vault();
    await once(child, "message");
    await using sandbox = await Sandbox.create({
      isolation,
      files: { "/d": hostDirectory(root, "write", { files: 1e9 }) },
      limits: { wall: "60 s", cpu: "60 s" },
    });
    const { value } = await sandbox.run(
      `${attempt}
seen, done = set(), 0
def write(path, mode):
    with open(path, mode) as f: f.write("inside")
for i in range(200):
    for operation in (lambda: seen.add(open("/d/file").read()), lambda: seen.add(open("/d/folder/file").read()),
      lambda: seen.update(os.listdir("/d/folder")), lambda: seen.add(os.readlink("/d/folder")), lambda: write("/d/file", "r+"),
      lambda: write("/d/folder/file", "r+"), lambda: write("/d/folder/new", "w"), lambda: os.utime("/d/file", (1, 1)),
      lambda: os.chmod("/d/folder/file", 0o600), lambda: os.rename("/d/folder/new", "/d/folder/newer"), lambda: os.remove("/d/folder/newer")):
        done += not isinstance(attempt(operation), str)
[sorted(seen), done]`,
      { signal: AbortSignal.timeout(60_000) },
    );
    child.disconnect();
    if (child.exitCode === null) await once(child, "exit");
    const [seen, done] = value as [string[], number];
    const allowed = ["", "/dev/null/outside", "file", "inside", "new", "newer"];
    expect(seen.filter((text) => !allowed.includes(text))).toEqual([]);
    expect(seen).toContain("inside");
    expect(done).toBeGreaterThan(0);
    expect(vault()).toEqual(before);
  }, 120_000);

  test("the embedder is told that the folder is gone", async () => {
    const events: SandboxEvent[] = [];
    await using sandbox = await Sandbox.create({
      isolation,
      files: { "/d": hostDirectory(root, "read") },
      onEvent: (event) => events.push(event),
    });
    fs.rmSync(root, { recursive: true });
    const { value } = await sandbox.run(`${attempt}\nattempt(lambda: open("/d/file"))`);
    expect(value).toBe("ENOENT");
    const event = events.find(({ type }) => type === "fault");
    expect(event).toMatchObject({ type: "fault", error: { message: "the granted folder was removed" } });
    expect(event?.type === "fault" && event.path).toMatch(/^\/d/);
  });
});

test("a thread that is ended in the middle of its work leaves nothing open, and the folder is granted anew", async () => {
  const open = (): number =>
    fs.readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(root);
      } catch {
        return false;
      }
    }).length;
  const sandbox = await Sandbox.create({
    isolation: "worker",
    files: { "/d": hostDirectory(root, "write") },
  });
  for (let i = 0; i < 10; i++) {
    const run = sandbox.run(
      `
keep = [open("/d/file") for _ in range(20)]
import zlib
while True:
    open("/d/folder/file").read(); zlib.compress(bytes(50_000_000), 9)`,
      { signal: AbortSignal.timeout(150 + 10 * i) },
    );
    await expect(run).rejects.toThrow("cancelled");
    await sandbox.reset();
    expect((await sandbox.run(`open("/d/file").read()`)).value).toBe("inside");
  }
  expect(open()).toBe(1);
  await sandbox.close();
  expect(open()).toBe(0);
}, 60_000);
