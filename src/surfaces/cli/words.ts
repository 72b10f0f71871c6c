// Which words of a command line are the command's own, and which are the program's: as with python, all that follows FILE, `-c CODE` or
// `-m MODULE`.
import type { Command } from "commander";
import { isUtf8 } from "./given-words.ts";
import { UsageError } from "./usage-error.ts";

export interface Words {
  /** With what they name to run. */
  readonly own: readonly string[];
  /** Which of them are of `--env`: it, with what it says, or what follows it. */
  readonly env: ReadonlySet<number>;
  /** Whether `--json` is among them. */
  readonly json: boolean;
  /** All, for commander: behind `--` it takes no word for an option of the command. */
  readonly all: readonly string[];
}

/** `argv` begins with Node, its script and the verb. */
export function wordsOf(argv: readonly string[], run: Command | undefined): Words {
  const env = new Set<number>();
  if (argv[2] !== "run") return { own: argv, env, json: false, all: argv };
  let json = false;
  for (let index = 3; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (word === "--") return { own: argv.slice(0, index + 2), env, json, all: argv };
    if (!/^-./.test(word)) return { own: argv.slice(0, index + 1), env, json, all: argv };
    if (/^-[cm]/.test(word)) {
      const end = word.length > 2 ? index + 1 : index + 2;
      const [own, ofProgram] = [argv.slice(0, end), argv.slice(end)];
      return { own, env, json, all: ofProgram.length === 0 ? own : [...own, "--", ...ofProgram] };
    }
    json ||= word === "--json";
    // The next word is the option's.
    if (run?.options.some(({ long, required }) => required && long === word)) index++;
    if (word === "--env" || word.startsWith("--env=")) env.add(index);
  }
  return { own: argv, env, json, all: argv };
}

/** Throws UsageError. What the program is told can be any bytes; a name that is not UTF-8 Node would take for another. */
export function demandUtf8({ own, env }: Words): void {
  for (const [index, word] of own.entries())
    if (!isUtf8(word) && !env.has(index))
      throw new UsageError(
        `${JSON.stringify(word)} is not UTF-8; only the program's own arguments and --env may hold other bytes`,
      );
}
