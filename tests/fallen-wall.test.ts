// A wall that falls is a SandboxLostError and nothing else: here V8 itself runs out of memory for what the kernel holds, or somebody ends
// a process.
import { type Isolation, Sandbox, SandboxLostError, scratch } from "sandboa";
import { expect, test } from "vitest";
import { firstChild } from "../src/platform/node/thread-cpu.ts";
import { children } from "./children-fixture.ts";

test.each<Isolation>(["worker", "process"])("%s: out of memory in the engine", async (isolation) => {
  await using sandbox = await Sandbox.create({
    isolation,
    files: { "/tmp": scratch({ bytes: "4 GiB", files: 10_000_000 }) },
    limits: { wall: "60 s", hostMemory: "4 GiB" },
  });
  const hoard = "import os\nfor i in range(10**6): os.symlink('x' * 4000, f'/tmp/{i}')";
  const error = await sandbox.run(hoard).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SandboxLostError);
  expect(error).toMatchObject({ code: "SANDBOX_CRASHED", sandbox: "lost" });
  expect(sandbox.state).toBe("lost");
  await sandbox.reset();
  expect((await sandbox.run("'alive'")).value).toBe("alive");
});

test.each(["the process that was started", "the guest's own"])("%s is killed", async (which) => {
  const known = new Set(children());
  await using sandbox = await Sandbox.create({ isolation: "process", limits: { wall: "60 s", cpu: "60 s" } });
  const started = children().find((pid) => !known.has(pid)) ?? 0;
  expect(started).toBeGreaterThan(0);
  // Where the system allows no process of its own for the guest, they are one.
  const pid = which === "the guest's own" ? (firstChild(started) ?? started) : started;
  const onOutput = (): boolean => process.kill(pid, "SIGKILL");
  const error = await sandbox
    .run("print('last words', flush=True)\nwhile True: pass", { onOutput })
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: "SANDBOX_CRASHED",
    // unshare(1) passes a SIGKILL on as status 1.
    message: expect.stringMatching(/^the process ended \((SIGKILL|status 1)\)$/),
    stdout: "last words\n",
  });
  await sandbox.reset();
  expect((await sandbox.run("'alive'")).value).toBe("alive");
});
