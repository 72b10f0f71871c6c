// A sandbox as a tool of the Vercel AI SDK: what a program of a model's gives, raises and prints, and that it can go on after a limit.
import { Sandbox, toAiTool } from "sandboa";
import { expect, test } from "vitest";

test("a sandbox as a tool", async () => {
  await using sandbox = await Sandbox.create({ limits: { wall: "2 s" } });
  const python = toAiTool(sandbox);
  expect(await python.execute({ code: "x = 2 ** 70\nprint('hé')\n{'a': [x, b'1', None]}" })).toEqual({
    ok: true,
    value: { a: ["1180591620717411303424", { base64: "MQ==" }, null] },
    stdout: "hé\n",
    stderr: "",
  });
  expect(await python.execute({ code: "print('before')\nx + ''" })).toMatchObject({
    ok: false,
    stdout: "before\n",
    error: { type: "TypeError", sandbox: "usable" },
  });
  expect(await python.execute({ code: "while True: pass" })).toMatchObject({
    error: { type: "LIMIT_WALL", sandbox: "reset: nothing of before is left" },
  });
  expect(await python.execute({ code: "'x' in globals()" })).toMatchObject({ ok: true, value: false });
});

test("a program that ends itself with an exit code has not ended well", async () => {
  await using sandbox = await Sandbox.create();
  const python = toAiTool(sandbox);
  const stderr = "";
  expect(await python.execute({ code: "import sys; print('a'); sys.exit(4)" })).toEqual({
    ok: false,
    value: null,
    stdout: "a\n",
    stderr,
    exitCode: 4,
    error: { type: "SystemExit", message: "the program ended with exit code 4", sandbox: "usable" },
  });
  expect(await python.execute({ code: "sys.exit('bad input')" })).toMatchObject({
    ok: false,
    stderr: "bad input\n",
    exitCode: 1,
  });
  expect(await python.execute({ code: "import os; os._exit(4)" })).toMatchObject({
    ok: false,
    exitCode: 4,
    error: { type: "SANDBOX_EXITED", sandbox: "reset: nothing of before is left" },
  });
  const atOnce = await python.execute({ code: "import os; os._exit(0)" });
  expect([atOnce.ok, "exitCode" in atOnce]).toEqual([false, false]);
  expect(await python.execute({ code: "import sys; sys.exit()" })).toEqual({
    ok: true,
    value: null,
    stdout: "",
    stderr,
  });
});

test("its text is that of a run", async () => {
  await using sandbox = await Sandbox.create();
  const code = "import os; _ = [os.write(1, bytes([b])) for b in b'\\xef\\xbb\\xbfbom \\xc3\\xa9 \\xc3']";
  const { stdout } = await sandbox.run(code);
  expect(stdout).toBe("\ufeffbom é \ufffd");
  expect(await toAiTool(sandbox).execute({ code })).toMatchObject({ ok: true, stdout });
});
