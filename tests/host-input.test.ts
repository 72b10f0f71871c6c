// The embedder's own standard input, granted to a guest: it arrives, waiting for it may stand outside of wall time, a deadline or a
// signal ends the waiting, and nothing of it keeps the embedder's process alive.
import { spawn } from "node:child_process";
import { expect, test } from "vitest";

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
}

/** Runs a script that has `Sandbox` and `hostStdin`; `feed` writes to its standard input, which stays open until the script ends. */
function script(body: string, feed: (write: (text: string) => void) => void): Promise<Ended> {
  const source = `const { hostStdin, Sandbox } = await import("sandboa");\n${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: "pipe" });
  let stdout = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    feed((text) => child.stdin.write(text));
  });
  child.stdin.on("error", () => {});
  return new Promise((done) => child.on("exit", (status) => done({ status, stdout })));
}

test.each(["worker", "process"])("behind the wall %s", async (isolation) => {
  const body = `
    const sandbox = await Sandbox.create({
      isolation: "${isolation}", stdin: hostStdin, limits: { wall: "500 ms", wallPausesForHost: true },
    });
    const waiting = sandbox.run("input()");
    setTimeout(() => console.log("waiting"), 1000);
    console.log((await waiting).value);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    console.log(await sandbox.run("input()", { signal: stop.signal }).catch((error) => error.code));
    await sandbox.close();
    const strict = await Sandbox.create({ isolation: "${isolation}", stdin: hostStdin, limits: { wall: "200 ms" } });
    console.log(await strict.run("input()").catch((error) => error.code));
    await strict.close();`;
  let fed = false;
  const ended = await script(body, (write) => {
    if (!fed) write("late but welcome\n");
    fed = true;
  });
  expect(ended).toEqual({ status: 0, stdout: "waiting\nlate but welcome\nRUN_CANCELLED\nLIMIT_WALL\n" });
});

test("an inline guest cannot have it: waiting would hold the embedder's thread", async () => {
  const body = `
    const error = await Sandbox.create({ isolation: "inline", stdin: hostStdin }).catch((reason) => reason);
    console.log(error.code, error.option);`;
  expect((await script(body, () => {})).stdout).toBe("BAD_OPTION stdin\n");
});

test.each([
  ["worker", "utf8"],
  ["process", "utf8"],
  ["worker", "hex"],
])("behind the wall %s, where the embedder has set an encoding: %s", async (isolation, encoding) => {
  const body = `
    process.stdin.setEncoding("${encoding}");
    const sandbox = await Sandbox.create({ isolation: "${isolation}", stdin: hostStdin });
    console.log("waiting");
    const { value } = await sandbox.run("import os; got = []\\nwhile sum(map(len, got)) < 13: got.append(os.read(0, 4))\\ngot");
    console.log(Math.max(...value.map((bytes) => bytes.length)), Buffer.concat(value).toString("hex"));
    await sandbox.close();`;
  const text = "€uro€s\n\n\n";
  let fed = false;
  const ended = await script(body, (write) => {
    if (!fed) write(text);
    fed = true;
  });
  expect(ended).toEqual({ status: 0, stdout: `waiting\n4 ${Buffer.from(text).toString("hex")}\n` });
});

test.skipIf(process.platform !== "linux")(
  "a process that dies while it waits for input takes nothing of it: the next one gets it (Linux, to find the process)",
  async () => {
    const body = `
    const { readFileSync } = await import("node:fs");
    const sandbox = () => Sandbox.create({ isolation: "process", stdin: hostStdin });
    const dying = await sandbox();
    const waiting = dying.run("input()");
    setTimeout(() => {
      const children = readFileSync("/proc/self/task/" + process.pid + "/children", "utf8");
      for (const pid of children.trim().split(" ")) process.kill(Number(pid), "SIGKILL");
    }, 300);
    console.log(await waiting.catch((error) => error.code));
    const next = await sandbox();
    const wanted = next.run("input()");
    console.log("waiting");
    console.log((await wanted).value);
    await Promise.all([dying.close(), next.close()]);`;
    let fed = false;
    const ended = await script(body, (write) => {
      if (!fed) setTimeout(() => write("mine\n"), 200);
      fed = true;
    });
    expect(ended).toEqual({ status: 0, stdout: "SANDBOX_CRASHED\nwaiting\nmine\n" });
  },
);

test("many guests that wait for it at once are no leak", async () => {
  const body = `
    process.on("warning", (warning) => console.log(warning.name));
    const all = await Promise.all(Array.from({ length: 12 }, () => Sandbox.create({ stdin: hostStdin })));
    const runs = all.map((sandbox) => sandbox.run("input()").then((run) => run.value));
    setTimeout(() => console.log("waiting"), 300);
    console.log((await Promise.all(runs)).sort((a, b) => a - b).join());
    console.log(process.stdin.listenerCount("readable"));
    await Promise.all(all.map((sandbox) => sandbox.close()));`;
  let line = 0;
  const ended = await script(body, (write) => {
    if (line > 0) return;
    // Each takes what is there: one line at a time.
    const timer = setInterval(() => {
      if (line === 12) clearInterval(timer);
      else write(`${line++}\n`);
    }, 50);
  });
  expect(ended).toEqual({ status: 0, stdout: "waiting\n0,1,2,3,4,5,6,7,8,9,10,11\n0\n" });
}, 20_000);
