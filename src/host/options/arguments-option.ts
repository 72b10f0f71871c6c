// The `args` and `env` options: what a program is started with.
import { OptionError } from "../../errors/option-error.ts";
import { bytesForm, bytesOf } from "./guest-text.ts";
import { optionRecord } from "./option-record.ts";

type Environment = readonly (readonly [string, string])[];

/** Of arguments and environment together, as UTF-8 with a NUL each: what Linux lets a program be started with (execve(2): E2BIG). */
const mostBytes = 2 ** 21;

export function checkArguments(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): { readonly args: readonly string[]; readonly environment: Environment } {
  const checked = { args: checkArgs(args), environment: checkEnvironment(env) };
  const argsBytes = sizeOf(checked.args);
  const bytes = argsBytes + sizeOf(checked.environment.flat());
  if (bytes > mostBytes) {
    const accepted = `${mostBytes} bytes in args and env together; longer texts are given as inputs, stdin or files`;
    throw new OptionError(argsBytes > mostBytes ? "args" : "env", `${bytes} bytes`, accepted);
  }
  return checked;
}

const encoder = new TextEncoder();

function sizeOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + (text === "" ? 0 : encoder.encode(text).length) + 1, 0);
}

function checkEnvironment(env: Readonly<Record<string, string>>): Environment {
  optionRecord("env", env);
  return Object.entries(env).map(([name, value]) => {
    const option = `env[${JSON.stringify(name)}]`;
    if (name === "" || /[=\0]/.test(name)) throw new OptionError(option, name, "a name without = and NUL");
    if (typeof value !== "string" || value.includes("\0"))
      throw new OptionError(option, value, "a string without NUL");
    for (const text of [name, value])
      if (bytesOf(text) === undefined) throw new OptionError(option, text, bytesForm);
    return [name, value] as const;
  });
}

function checkArgs(args: readonly string[]): readonly string[] {
  if (!Array.isArray(args) || args.length === 0)
    throw new OptionError("args", args, "an array of strings, the program's name first");
  for (const [index, arg] of args.entries()) {
    if (typeof arg !== "string" || arg.includes("\0"))
      throw new OptionError(`args[${index}]`, arg, "a string without NUL");
  }
  return [...args];
}
