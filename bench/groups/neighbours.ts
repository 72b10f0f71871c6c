// Whether a hostile sandbox disturbs its neighbour: the same honest program, alone and beside one that loops, allocates or floods.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Pool } from "sandboa";
import { python } from "../harness/machine.ts";
import { passing, report } from "../harness/report.ts";
import { samples } from "../harness/samples.ts";

export const title = "an honest run of some milliseconds, alone and beside a hostile one";

const honest = "sum(i * i for i in range(20_000))";
const attacks: readonly (readonly [string, string])[] = [
  ["a loop in C", "sum(range(10**12))"],
  ["allocation", "x = []\nwhile True:\n  try: x.append(bytearray(1 << 20))\n  except MemoryError: x.clear()"],
  ["output", "import os\nwhile True: os.write(1, b'x' * 4096)"],
];

/** The same by two native processes, of which one is asked over and over: what the machine and its scheduler make of it. */
const nativeHonest = `
import sys
for _ in sys.stdin:
    sum(i * i for i in range(60_000))
    print(flush=True)
`;
const nativeAttacks: readonly (readonly [string, string])[] = [
  ["a loop in C", "sum(range(10**12))"],
  // What allocating in a memory that has been touched before comes to.
  ["one that fills memory", "a, b = bytearray(1 << 20), bytes(1 << 20)\nwhile True: a[:] = b"],
];

export async function measure(): Promise<void> {
  const rounds = samples(30);
  const native = startNative();
  await time(native, 10);
  report("python3: alone", await time(native, rounds));
  for (const [name, source] of nativeAttacks) {
    passing(`python3: ${name}`);
    const hostile = spawn(python, ["-c", source], { stdio: "ignore" });
    report(`python3: beside ${name}`, await time(native, rounds));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    report("    a second later", await time(native, rounds));
    hostile.kill("SIGKILL");
  }
  native.end();
  for (const isolation of ["worker", "process"] as const) {
    const pool = await Pool.create({ size: 2, isolation });
    const neighbour = await pool.checkout();
    const run = { ask: () => neighbour.run(honest) };
    await time(run, 10);
    report(`${isolation}: alone`, await time(run, rounds));
    for (const [name, source] of attacks) {
      passing(`${isolation}: ${name}`);
      const stop = new AbortController();
      const hostile = await pool.checkout({ limits: { wall: "60 s", output: "1 GB", hostMemory: "2 GB" } });
      const attack = hostile.run(source, { signal: stop.signal }).catch(() => {});
      report(`${isolation}: beside ${name}`, await time(run, rounds));
      // Memory that grows is found page by page, in an address space that threads share; that is over by then.
      await new Promise((resolve) => setTimeout(resolve, 1000));
      report("    a second later", await time(run, rounds));
      stop.abort();
      await attack;
      await hostile.close();
    }
    await neighbour.close();
    await pool.close();
  }
}

interface Asked {
  ask(): Promise<unknown>;
}

function startNative(): Asked & { end(): void } {
  const { stdin, stdout } = spawn(python, ["-c", nativeHonest], { stdio: ["pipe", "pipe", "inherit"] });
  return {
    ask: () => {
      const answered = once(stdout, "data");
      stdin.write("\n");
      return answered;
    },
    end: () => stdin.end(),
  };
}

async function time(asked: Asked, rounds: number): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const from = performance.now();
    await asked.ask();
    times.push(performance.now() - from);
  }
  return times;
}
