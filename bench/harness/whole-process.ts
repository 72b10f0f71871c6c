// Times whole processes from start to exit. They take turns; the first round only warms the system's caches.
import { spawnSync } from "node:child_process";
import { passing, report } from "./report.ts";

export interface Command {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Besides the bench's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export function wholeProcesses(commands: readonly Command[], rounds: number): void {
  const times = commands.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { name, file, args, env }] of commands.entries()) {
      passing(`round ${round} of ${rounds}: ${name}`);
      const from = performance.now();
      const ended = spawnSync(file, args, { stdio: "ignore", env: { ...process.env, ...env } });
      const ms = performance.now() - from;
      if (ended.status !== 0) throw new Error(`${name} failed: ${ended.error?.message ?? ended.status}`);
      if (round > 0) times[index]?.push(ms);
    }
  }
  for (const [index, { name }] of commands.entries()) report(name, times[index] ?? []);
}
