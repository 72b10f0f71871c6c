// The loop of an engine that runs on Node: one JSON line in, one out (see harness/engine.ts).
import { createInterface } from "node:readline";

/** `define(source)` executes a kernel's source; `call()` gives the value of `kernel(N)`. */
export async function serve({ define, call }) {
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let answer;
    try {
      if (request.define !== undefined) await define(request.define);
      const before = process.cpuUsage();
      const value = request.call ? await call() : "";
      const { user, system } = process.cpuUsage(before);
      answer = { value: String(value), cpuMs: (user + system) / 1000 };
    } catch (error) {
      answer = {
        failure: String(error?.message ?? error)
          .split("\n")
          .at(-1),
      };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}
