// Starting the process behind a process wall runs nothing but what we wrote: a shell starts it, and shells have startup files.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { confinedCommand } from "../src/platform/node/walls/confinement.ts";

test("startup files of the user's shell are not read", async () => {
  const home = mkdtempSync(join(tmpdir(), "sandboa-home-"));
  const read = join(home, "read");
  for (const name of [".bashrc", ".bash_profile", ".profile", ".shrc"])
    writeFileSync(join(home, name), `echo ${name} >>'${read}'; echo noise\n`);
  const { command, args } = confinedCommand();
  // Pipes of Node are sockets, which bash takes for those of a remote shell. Ended by the end of its input.
  const child = spawn(command, args, {
    env: { HOME: home, ENV: join(home, ".shrc") },
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.stdin.end();
  const timer = setTimeout(() => child.kill("SIGKILL"), 3000);
  await new Promise((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  expect(existsSync(read)).toBe(false);
  rmSync(home, { recursive: true });
});
