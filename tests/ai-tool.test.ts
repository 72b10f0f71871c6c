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
