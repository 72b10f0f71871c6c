// The command in a process of its own, for the tests of what it says and how it ends.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

export const command = resolve(import.meta.dirname, "..", "dist", "cli.cjs");

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Waits for the program; `words` are its arguments. */
export function ended(program: string, words: readonly string[], cwd?: string): Ended {
  const { status, stdout, stderr } = spawnSync(program, words, { cwd, encoding: "utf8" });
  return { status, stdout, stderr };
}

export function sandboaRun(words: readonly string[], cwd?: string): Ended {
  return ended(process.execPath, [command, "run", ...words], cwd);
}
