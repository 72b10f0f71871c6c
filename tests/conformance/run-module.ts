// One module of CPython's tests in a box of its own: the suite's folder can be read, /tmp is room of the box, and nothing else is granted.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hostDirectory, PythonError, Sandbox, scratch } from "sandboa";

export type Kind = "passed" | "skipped" | "failed";

/** How one test ended. The text is a reason, or a traceback. */
export type Ending = readonly [kind: Kind, text: string];

/** By the test's id. */
export type Endings = Map<string, Ending>;

/** CPython's tests as tools/cpython-tests.mjs has fetched them. */
export class Suite {
  readonly #folder: string;

  /** `root` is that of this repository. */
  constructor(root: string) {
    this.#folder = join(root, ".cpython-tests");
  }

  /** Of Debian's package; undefined when it has not been fetched. */
  get version(): string | undefined {
    const file = join(this.#folder, "VERSION");
    return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
  }

  get folder(): string {
    return join(this.#folder, "suite");
  }
}

/** A test that takes the interpreter with it, or time without end, has failed, and the others are run without it. */
export async function runModule(
  suite: Suite,
  name: string,
  program: string,
  leftOut: readonly string[],
): Promise<Endings> {
  const ends = new Map<string, Ending>(leftOut.map((id) => [id, ["failed", "not run"]]));
  for (;;) {
    const ended = await attempt(suite, name, program, [...ends.keys()]);
    if (!("during" in ended)) return new Map([...ended, ...ends]);
    ends.set(ended.during, ["failed", ended.text]);
  }
}

interface Lost {
  readonly during: string;
  readonly text: string;
}

async function attempt(
  suite: Suite,
  name: string,
  program: string,
  without: readonly string[],
): Promise<Endings | Lost> {
  await using sandbox = await Sandbox.create({
    files: {
      "/suite": hostDirectory(suite.folder, "read"),
      "/tmp": scratch({ bytes: "256 MiB", files: 50_000 }),
    },
    limits: { memory: "1 GiB", wall: "3 min", output: "64 MiB", hostMemory: "512 MiB", value: "64 MiB" },
  });
  const decoder = new TextDecoder();
  let told = "";
  try {
    const run = await sandbox.run(program, {
      inputs: { name, without },
      onOutput: (stream, bytes) => {
        if (stream === "stderr") told = (told + decoder.decode(bytes, { stream: true })).slice(-100_000);
      },
    });
    return run.value as Endings;
  } catch (error) {
    const during = [...told.matchAll(/^start (\S+)/gm)].at(-1)?.[1];
    if (error instanceof PythonError || during === undefined || without.includes(during)) throw error;
    return { during, text: String(error) };
  }
}
