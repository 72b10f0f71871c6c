// A closed inline sandbox leaves its memory for the next one, which is as pristine in it as in a new one; a guest that is still on the
// stack keeps its own.
import { beforeAll, expect, test } from "vitest";
import { SandboxLostError } from "../../errors/run-errors.ts";
import { decodeImage } from "../../interpreter/image-file.ts";
import { loadForm } from "../../interpreter/metered-fixture.ts";
import type { LoadedImage } from "../images/image-cache.ts";
import { idlePlan } from "../plan.ts";
import type { TakeOutput } from "../run.ts";
import { endingOf } from "../run-ending.ts";
import { encodeRun } from "../run-request.ts";
import { openInline } from "./inline-wall.ts";
import { leaveMemory, takeMemory } from "./spare-memory.ts";
import type { Wall } from "./wall.ts";

let image: LoadedImage;
let bytes: number;
beforeAll(async () => {
  image = await loadForm(true);
  bytes = decodeImage(image.image).snapshot.memoryBytes;
  takeMemory(bytes);
}, 120_000);

const plan = {
  ...idlePlan,
  limits: { ...idlePlan.limits, memoryBytes: 2 ** 27, wallMs: 20_000, outputBytes: 2 ** 20 },
};
const closed = (): SandboxLostError => new SandboxLostError("SANDBOX_CLOSED", "the sandbox was closed");

async function open(): Promise<Wall> {
  const wall = openInline(image);
  await wall.begin(plan);
  return wall;
}

async function evaluate(wall: Wall, source: string, takeOutput: TakeOutput = () => {}): Promise<unknown> {
  const ending = endingOf(await wall.run(encodeRun(source, {}), takeOutput), plan, undefined);
  if ("error" in ending) throw ending.error;
  return ending.value;
}

const holds = (memory: WebAssembly.Memory | undefined, text: string): boolean =>
  memory !== undefined && Buffer.from(memory.buffer).includes(text);

test("the next sandbox has the memory, and nothing of what was in it", async () => {
  const first = await open();
  expect(
    await evaluate(first, "planted = ''.join(['a secret ', 'of the first']) * 100_000; len(planted)"),
  ).toBe(2_100_000);
  await first.kill(closed());
  const left = takeMemory(bytes);
  expect(holds(left, "a secret of the first")).toBe(true);
  if (left) leaveMemory(left);
  const second = await open();
  expect(takeMemory(bytes)).toBe(undefined);
  expect(await evaluate(second, "'planted' in globals()")).toBe(false);
  await second.kill(closed());
  const again = takeMemory(bytes);
  expect(again).toBe(left);
  expect(holds(again, "a secret of the first")).toBe(false);
});

test("one that has crashed leaves its memory too, one that has grown does not", async () => {
  const crashed = await open();
  const deep = "a = ()\nfor _ in range(30_000): a = (a,)\nhash(a)";
  await expect(evaluate(crashed, deep)).rejects.toMatchObject({ code: "SANDBOX_CRASHED" });
  await crashed.kill(closed());
  const next = await open();
  expect(await evaluate(next, "sum(range(10))")).toBe(45);
  expect(await evaluate(next, "len(bytearray(2 ** 24))")).toBe(2 ** 24);
  await next.kill(closed());
  expect(takeMemory(bytes)).toBe(undefined);
});

test("what is closed twice leaves its memory once", async () => {
  const first = await open();
  await first.kill(closed());
  const second = await open();
  await first.kill(closed());
  expect(takeMemory(bytes)).toBe(undefined);
  expect(await evaluate(second, "1 + 1")).toBe(2);
});

test("a guest that is still on the stack keeps its memory", async () => {
  await (await open()).kill(closed());
  const own = takeMemory(bytes);
  if (own) leaveMemory(own);
  const first = await open();
  let other: Wall | undefined;
  const run = evaluate(first, "for i in range(1000): print('written by the first', flush=True)", () => {
    if (other) return;
    void first.kill(closed());
    other = openInline(image);
  });
  await expect(run).rejects.toThrow();
  expect(takeMemory(bytes)).toBe(undefined);
  await other?.begin(plan);
  expect(other && (await evaluate(other, "'-'.join('abc')"))).toBe("a-b-c");
  await other?.kill(closed());
  const others = takeMemory(bytes);
  expect([own === undefined, others === undefined, own === others]).toEqual([false, false, false]);
});

test("a memory of another size is not given", () => {
  leaveMemory(new WebAssembly.Memory({ initial: 1 }));
  expect(takeMemory(bytes)).toBe(undefined);
});
