// A wall that falls is a SandboxLostError and nothing else: here V8 itself runs out of memory for what the kernel holds.
import { type Isolation, Sandbox, SandboxLostError, scratch } from "sandboa";
import { expect, test } from "vitest";

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
