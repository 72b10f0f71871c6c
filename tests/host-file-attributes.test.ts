// Mode and times of a granted file: where the guest may write they may be set, as programs that copy do, and are not kept; else EPERM.
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostFile, observed, Sandbox, scratch } from "sandboa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { attempt, walls } from "./tree-fixture.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-test-"));
  for (const name of ["read", "write", "append", "update"]) {
    writeFileSync(join(folder, name), "old");
    chmodSync(join(folder, name), 0o640);
    utimesSync(join(folder, name), 1000, 1000);
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

const program = `${attempt}
import shutil
open("/s/source", "w").write("new")
os.chmod("/s/source", 0o751); os.utime("/s/source", (5, 6))
def copied(copy, path):
    before = os.stat(path).st_mode
    result = attempt(lambda: copy("/s/source", path))
    return [result, os.stat(path).st_mode == before]
def descriptor(path, flags):
    fd = os.open(path, flags)
    try: return [attempt(lambda: os.fchmod(fd, 0o600)), attempt(lambda: os.utime(fd)), attempt(lambda: os.fchown(fd, -1, -1))]
    finally: os.close(fd)
[copied(shutil.copy, "/write"), copied(shutil.copy2, "/update"), attempt(lambda: os.utime("/append")),
 descriptor("/append", os.O_WRONLY | os.O_APPEND), descriptor("/update", os.O_RDWR), attempt(lambda: os.chown("/update", 0, 0)),
 [attempt(lambda: f("/read")) for f in (lambda p: os.chmod(p, 0o600), os.utime, lambda p: os.utime(p, (5, 6)))], descriptor("/read", os.O_RDONLY)]`;

describe.each(walls)("%s", (isolation) => {
  test.each([
    ["granted as it is", false],
    ["wrapped", true],
  ])("%s", async (_name, isWrapped) => {
    const modes = ["read", "write", "append", "update"] as const;
    const granted = modes.map((mode) => {
      const file = hostFile(join(folder, mode), mode);
      return [`/${mode}`, isWrapped ? observed(file, () => {}) : file] as const;
    });
    await using sandbox = await Sandbox.create({
      isolation,
      files: { ...Object.fromEntries(granted), "/s": scratch({ bytes: "1 MiB" }) },
    });
    const { value } = await sandbox.run(program);
    expect(value).toEqual([
      ["/write", true],
      ["/update", true],
      null,
      [null, null, null],
      [null, null, null],
      "EPERM",
      ["EPERM", "EPERM", "EPERM"],
      ["EPERM", "EPERM", isWrapped ? null : "EPERM"],
    ]);
    for (const name of ["write", "update"]) expect(readFileSync(join(folder, name), "utf8")).toBe("new");
    for (const mode of modes) expect(statSync(join(folder, mode)).mode & 0o777).toBe(0o640);
    expect([statSync(join(folder, "append")).mtimeMs, statSync(join(folder, "read")).mtimeMs]).toEqual([
      1e6, 1e6,
    ]);
  });
});
