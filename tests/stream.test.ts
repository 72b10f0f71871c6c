// A run as events: in the order in which things happened, behind every wall, and over when whoever reads them has had enough.
import { GuestException, hostFunction, memoryFile, RunError, type RunEvent, Sandbox, scratch } from "sandboa";
import { describe, expect, test } from "vitest";

const short = (event: RunEvent): unknown => {
  switch (event.type) {
    case "call":
      return ["call", event.id, event.name, { ...event.arguments }];
    case "answer":
      return ["answer", event.id, event.error === undefined ? event.value : String(event.error)];
    case "result":
      return ["result", event.run.value];
    default:
      return [event.type, event.text];
  }
};

const functions = {
  double: hostFunction({
    parameters: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
    execute: ({ n }) => (n as number) * 2,
  }),
  later: hostFunction(async (value: unknown) => value),
  fail: hostFunction(() => {
    throw new GuestException("KeyError", "no");
  }),
};

describe.each(["inline", "worker", "process"] as const)("%s", (isolation) => {
  test("output, calls, answers and the result come in their order", async () => {
    await using sandbox = await Sandbox.create({ isolation, functions });
    const source = `
import sys
from host import double, fail, later
print("one")
double(4)
print("two", file=sys.stderr)
try:
    fail()
except KeyError:
    print("three")
await later("x")`;
    const events: unknown[] = [];
    for await (const event of sandbox.stream(source)) events.push(short(event));
    // A failed run has no last event. What is written to two streams is told in order as well.
    expect(events).toEqual([
      ["stdout", "one\n"],
      ["call", 1, "double", { n: 4 }],
      ["answer", 1, 8],
      ["stderr", "two\n"],
      ["call", 2, "fail", { args: [] }],
      ["answer", 2, "GuestException: no"],
      ["stdout", "three\n"],
      ["call", 3, "later", { args: ["x"] }],
      ["answer", 3, "x"],
      ["result", "x"],
    ]);
  });

  test("what fails a run is thrown after what came before it", async () => {
    await using sandbox = await Sandbox.create({ isolation });
    const events: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const event of sandbox.stream("print('before')\n1 / 0")) events.push(short(event));
    };
    await expect(read()).rejects.toMatchObject({ name: "PythonError", type: "ZeroDivisionError" });
    expect(events).toEqual([["stdout", "before\n"]]);
    expect(sandbox.state).toBe("usable");
  });
});

test("text comes in whole characters, bytes as they come", async () => {
  await using sandbox = await Sandbox.create();
  const source = `
import sys
for byte in "a€".encode():
    sys.stdout.buffer.raw.write(bytes([byte]))`;
  const texts: string[] = [];
  let bytes = 0;
  for await (const event of sandbox.stream(source)) {
    if (event.type !== "stdout") continue;
    texts.push(event.text);
    bytes += event.bytes.length;
  }
  expect(texts.join("")).toBe("a€");
  expect(bytes).toBe(4);
});

test("leaving the loop cancels the run", async () => {
  await using sandbox = await Sandbox.create({ limits: { wall: "1 min", cpu: "1 min" } });
  for await (const event of sandbox.stream("print('x')\nwhile True: pass")) {
    expect(short(event)).toEqual(["stdout", "x\n"]);
    break;
  }
  expect(sandbox.state).toBe("lost");
  await sandbox.reset();
  expect((await sandbox.run("1")).value).toBe(1);
});

const endless = "print('x', flush=True)\nwhile True: pass";
const patient = { limits: { wall: "1 min", cpu: "1 min" } };
const leaving = {
  "return()": (events) => events.return(),
  "throw()": (events) =>
    events.throw(new Error("mine")).catch((error: Error) => {
      expect(error.message).toBe("mine");
    }),
} satisfies Record<string, (events: AsyncGenerator<RunEvent, void, void>) => Promise<unknown>>;

test.each(Object.entries(leaving))(
  "%s ends what is being waited for, and the run",
  async (_, leave) => {
    await using sandbox = await Sandbox.create(patient);
    const events = sandbox.stream(endless);
    expect((await events.next()).value).toMatchObject({ text: "x\n" });
    const [next, another] = [events.next(), events.next()];
    await leave(events);
    expect(await Promise.all([next, another])).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
    expect(sandbox.state).toBe("lost");
    expect(await events.next()).toEqual({ done: true, value: undefined });
    await sandbox.reset();
    expect((await sandbox.run("1")).value).toBe(1);
  },
  20_000,
);

test("what is thrown into it comes out of it, as of any generator, and the run is cancelled", async () => {
  await using sandbox = await Sandbox.create(patient);
  const events = sandbox.stream(endless);
  expect((await events.next()).value).toMatchObject({ text: "x\n" });
  await expect(events.throw(new Error("mine"))).rejects.toThrow("mine");
  expect(sandbox.state).toBe("lost");
  expect(await events.next()).toEqual({ done: true, value: undefined });
});

test("as a ReadableStream it is cancelled while somebody reads", async () => {
  await using sandbox = await Sandbox.create(patient);
  const reader = (
    ReadableStream as unknown as { from(events: AsyncIterable<RunEvent>): ReadableStream<RunEvent> }
  )
    .from(sandbox.stream(endless))
    .getReader();
  expect((await reader.read()).value).toMatchObject({ text: "x\n" });
  const waiting = reader.read();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await reader.cancel();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(sandbox.state).toBe("lost");
}, 20_000);

test.each(["1", "1 / 0"])(
  "the texts of all events are the run's own text, however it ends: %s",
  async (end) => {
    await using sandbox = await Sandbox.create();
    const source = `
import sys
for part in b"\\xef\\xbb", b"\\xbf\\xff", b"\\xe2\\x82":
    for stream in sys.stdout, sys.stderr:
        stream.buffer.write(part)
        stream.flush()
${end}`;
    const texts = { stdout: "", stderr: "" };
    let stdout: string | undefined;
    try {
      for await (const event of sandbox.stream(source)) {
        if (event.type === "stdout" || event.type === "stderr") texts[event.type] += event.text;
        if (event.type === "result") stdout = event.run.stdout;
      }
    } catch (error) {
      stdout = (error as { stdout: string }).stdout;
    }
    expect(texts).toEqual({ stdout: "\ufeff\ufffd\ufffd", stderr: "\ufeff\ufffd\ufffd" });
    expect(stdout).toBe(texts.stdout);
  },
);

test("a signal of one's own ends it as it ends a run", async () => {
  await using sandbox = await Sandbox.create({ limits: { wall: "1 min", cpu: "1 min" } });
  const controller = new AbortController();
  const read = async (): Promise<void> => {
    const events = sandbox.stream("print('x')\nwhile True: pass", { signal: controller.signal });
    for await (const _ of events) controller.abort();
  };
  await expect(read()).rejects.toBeInstanceOf(RunError);
});

test("a signal that is none, and what would be called by nobody, are refused by name; one of a library's own is heard", async () => {
  await using sandbox = await Sandbox.create({ limits: { wall: "1 min", cpu: "1 min" } });
  for (const [option, options] of [
    ["signal", { signal: 5 }],
    ["onOutput", { onOutput: () => {} }],
    ["onCall", { onCall: () => {} }],
    ["options", null],
  ] as const)
    await expect(sandbox.stream("x = 1", options as never).next()).rejects.toMatchObject({
      code: "BAD_OPTION",
      option,
    });
  expect((await sandbox.run("'x' in globals()")).value).toBe(false);
  const { signal } = new AbortController();
  const own = Object.assign(new EventTarget(), {
    aborted: false,
    reason: "enough",
    throwIfAborted: () => {},
  });
  expect(own instanceof signal.constructor).toBe(false);
  const read = async (): Promise<void> => {
    const events = sandbox.stream("print('x')\nwhile True: pass", { signal: own as unknown as AbortSignal });
    for await (const _ of events) own.dispatchEvent(new Event("abort"));
  };
  await expect(read()).rejects.toMatchObject({ code: "RUN_CANCELLED", cause: "enough" });
});

test("nothing runs before the first event is asked for", async () => {
  await using sandbox = await Sandbox.create();
  const events = sandbox.stream("x = 1");
  expect((await sandbox.run("'x' in globals()")).value).toBe(false);
  for await (const _ of events);
  expect((await sandbox.run("x")).value).toBe(1);
});

test("describe tells functions and places, and nothing of the host", async () => {
  await using sandbox = await Sandbox.create({
    functions,
    files: { "/in/a.csv": memoryFile("secret"), "/tmp": scratch({ bytes: "1 MiB" }) },
  });
  const text = sandbox.describe();
  expect(text).toContain("def double(n: int) -> Any:");
  expect(text).toMatch(/^# .*\/in\/a\.csv.*a file to read$/m);
  expect(text).toMatch(/^# .*\/tmp.*an empty folder to use$/m);
  expect(text).not.toContain("secret");
});
