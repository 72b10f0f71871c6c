// What the process behind a process wall holds: its pipe, the library until it is read, and no more threads than it needs.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Sandbox } from "sandboa";
import { expect, test } from "vitest";

/** The guest's process: the last one in the chain of children that runs our script. */
function guestPid(): number {
  const processes = readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
        const command = readFileSync(`/proc/${pid}/cmdline`, "latin1");
        return [
          { pid: Number(pid), parent: Number(stat.slice(stat.lastIndexOf(")")).split(" ")[2]), command },
        ];
      } catch {
        return [];
      }
    });
  let found = process.pid;
  for (;;) {
    const child = processes.find(
      ({ parent, command }) => parent === found && command.includes("process.cjs"),
    );
    if (child === undefined) return found;
    found = child.pid;
  }
}

/** Files of the system, by the end of their names. */
const filesOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`)
    .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
    .filter((path) => path.startsWith("/") && !path.startsWith("/dev/"))
    .map((path) => path.split(".").at(-1) ?? "");

const isLinux = process.platform === "linux";
test.runIf(isLinux)(
  `files of the cache are closed when they were read${isLinux ? "" : " (skipped: needs /proc)"}`,
  async () => {
    // Whatever is missing in the cache is made first: then nothing needs to be sent.
    await (await Sandbox.create({ isolation: "process" })).close();
    await using sandbox = await Sandbox.create({ isolation: "process" });
    const pid = guestPid();
    expect(pid).not.toBe(process.pid);
    expect(filesOf(pid)).toEqual(["library", "rest"]);
    expect((await sandbox.run("import calendar; calendar.isleap(2024)")).value).toBe(true);
    expect(filesOf(pid)).toEqual(["rest"]);
    expect((await sandbox.run("import unicodedata; unicodedata.name('a')")).value).toBe(
      "LATIN SMALL LETTER A",
    );
    expect(filesOf(pid)).toEqual([]);
    const own = readdirSync("/proc/self/fd").map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return "";
      }
    });
    expect(own.filter((path) => /\.(image|library|wasm|code|rest)$/.test(path))).toEqual([]);
  },
  60_000,
);

test.runIf(isLinux)(
  `a guest keeps no crowd of threads busy${isLinux ? "" : " (skipped: needs /proc)"}`,
  async () => {
    await using sandbox = await Sandbox.create({ isolation: "process" });
    // Collecting what was allocated is work that V8 gives to its helpers.
    expect((await sandbox.run("sum(len(bytearray(1 << 20)) for _ in range(64)) >> 20")).value).toBe(64);
    // Its own, one that helps, and one that waits for V8's timers.
    expect(readdirSync(`/proc/${guestPid()}/task`)).toHaveLength(3);
  },
  60_000,
);
