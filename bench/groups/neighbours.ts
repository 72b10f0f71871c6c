// Whether a hostile sandbox disturbs its neighbour: the same honest program, alone and beside one that loops, allocates or floods.
import { Pool, type Sandbox } from "sandboa";
import { passing, report } from "../harness/report.ts";
import { samples } from "../harness/samples.ts";

export const title = "an honest run of some milliseconds, alone and beside a hostile one";

const honest = "sum(i * i for i in range(20_000))";
const attacks: readonly (readonly [string, string])[] = [
  ["a loop in C", "sum(range(10**12))"],
  ["allocation", "x = []\nwhile True:\n  try: x.append(bytearray(1 << 20))\n  except MemoryError: x.clear()"],
  ["output", "import os\nwhile True: os.write(1, b'x' * 4096)"],
];

export async function measure(): Promise<void> {
  const rounds = samples(30);
  for (const isolation of ["worker", "process"] as const) {
    const pool = await Pool.create({ size: 2, isolation });
    const neighbour = await pool.checkout();
    await time(neighbour, 10);
    report(`${isolation}: alone`, await time(neighbour, rounds));
    for (const [name, source] of attacks) {
      passing(`${isolation}: ${name}`);
      const stop = new AbortController();
      const hostile = await pool.checkout({ limits: { wall: "60 s", output: "1 GB", hostMemory: "2 GB" } });
      const attack = hostile.run(source, { signal: stop.signal }).catch(() => {});
      report(`${isolation}: beside ${name}`, await time(neighbour, rounds));
      stop.abort();
      await attack;
      await hostile.close();
    }
    await neighbour.close();
    await pool.close();
  }
}

async function time(sandbox: Sandbox, rounds: number): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const from = performance.now();
    await sandbox.run(honest);
    times.push(performance.now() - from);
  }
  return times;
}
