// An engine that runs kernels: a process of its own, kept alive, told one JSON line and answering with one. It times itself
// by the CPU time of its whole process, so that other work on the machine counts for little.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export type Answer = { readonly value: string; readonly cpuMs: number } | { readonly failure: string };

export interface EngineCommand {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class Engine {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor({ name, file, args, env }: EngineCommand) {
    this.name = name;
    this.#child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error(`${name} has no output`);
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** Executes a kernel's source, which defines `kernel` and `N`. */
  define(source: string): Promise<Answer> {
    return this.#ask({ define: source });
  }

  /** One timed call of `kernel(N)`. */
  call(): Promise<Answer> {
    return this.#ask({ call: true });
  }

  close(): void {
    this.#child.stdin?.end();
  }

  async #ask(request: object): Promise<Answer> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    return done ? { failure: `${this.name} ended` } : JSON.parse(value);
  }
}
