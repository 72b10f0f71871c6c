// The TypeScript of the documents compiles as it stands, for a strict user of the package who has no types of browsers.
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import * as api from "sandboa";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** What the documents take for granted. */
const given: Readonly<Record<string, string>> = {
  sandbox: 'import("sandboa").Sandbox',
  program: "string",
  source: "string",
  csv: "string",
  rows: "Record<string, { name: string }>",
  texts: "Map<string, string>",
  database:
    "{ report(): Promise<object>; customer(id: string, year: number, options: { signal: AbortSignal }): Promise<object> }",
  object: "{ size: number; range(from: number, length: number): Promise<Uint8Array> }",
  invoice: 'import("sandboa").FunctionCapability',
  store: "{ get(name: string): string; put(name: string, value: string): void; size: number }",
  askSomebody: "(name: string, values: unknown) => Promise<boolean>",
};
const types = ["FileCapability", "Wrapped", "FunctionGrants"];

function whole(sample: string): string {
  const uses = (name: string): boolean => new RegExp(`(?<![\\w."'/])${name}\\b`).test(sample);
  const isDeclared = (name: string): boolean => new RegExp(`(const|using) ${name}\\b`).test(sample);
  const isImported = (name: string): boolean => new RegExp(`import [^;]*\\b${name}\\b[^;]*from`).test(sample);
  const imports = [...Object.keys(api), ...types.map((name) => `type ${name}`)].filter((name) => {
    const word = name.replace("type ", "");
    return uses(word) && !isDeclared(word) && !isImported(word);
  });
  const declared = Object.entries(given).filter(([name]) => uses(name) && !isDeclared(name));
  return [
    ...(imports.length > 0 ? [`import { ${imports.join(", ")} } from "sandboa";`] : []),
    ...declared.map(([name, type]) => `declare const ${name}: ${type};`),
    sample,
    "export {};",
  ].join("\n");
}

/** What a user's editor says of the types themselves. */
const careful = `
import { Sandbox, type GuestValue } from "sandboa";
// @ts-expect-error: there is Sandbox.create()
new Sandbox();
declare const sandbox: Sandbox;
// @ts-expect-error: what is only for the package is not told
sandbox.fell(new Error());
const { value } = await sandbox.run("{}");
if (value instanceof Map) {
  const member: GuestValue = value.get("a");
  // @ts-expect-error: it is the guest's, and may be anything
  const total: number = member;
}
if (value instanceof Set)
  for (const member of value) {
    // @ts-expect-error: likewise
    const total: number = member;
  }
`;

/** Every error by its code. */
const errors = `
import { type AnySandboxError, type ErrorCode, type LimitName, SandboxError } from "sandboa";
export function told(error: unknown): string {
  if (!(error instanceof SandboxError)) throw error;
  switch (error.code) {
    case "LIMIT_WALL": {
      const limit: LimitName = error.limit;
      return limit;
    }
    case "PYTHON_EXCEPTION":
      return error.traceback;
    case "BAD_OPTION":
      return error.accepted;
    default:
      // @ts-expect-error: not every other error has it
      return error.limit;
  }
}
export const every: AnySandboxError["code"] = "" as ErrorCode;
`;

/** An option that is undefined is as one that is left out, also where TypeScript tells the two apart (exactOptionalPropertyTypes). */
const undefinedOptions = `
import * as api from "sandboa";
import { type FunctionLimitOptions, type FunctionTerms, hostFunction, type GivenValueOptions } from "sandboa";
type Undefined<T> = { [Name in keyof T]-?: undefined };
const limits: Undefined<FunctionLimitOptions> = { calls: undefined, concurrency: undefined, bytes: undefined };
const values: Undefined<GivenValueOptions> = { shape: undefined, references: undefined, exactFloats: undefined };
const terms: Undefined<FunctionTerms> = {
  ...{ description: undefined, output: undefined, returns: undefined, async: undefined, streams: undefined },
  ...{ errors: undefined, limits: undefined, values: undefined },
};
const input = { input: undefined, parameters: undefined };
export const made = hostFunction({ ...terms, ...input, execute: () => 1 });
export const short = hostFunction(() => 1, terms);
export const bounded = hostFunction({ limits, values, execute: () => 1 });
export const tools = api.fromAiTools({}, { approve: undefined, limits: undefined });
declare const sandbox: api.Sandbox;
export const tool = api.toAiTool(sandbox, { description: undefined });
export const object = api.hostObject(new Map(), {
  ...{ name: undefined, description: undefined, attributes: undefined },
  methods: { get: { ...terms, ...input } },
});
api.hostObject(new Map(), { methods: undefined, attributes: { size: { annotation: undefined, description: undefined } } });
api.attenuate(made, { fixed: undefined, input: undefined, limits: undefined, description: undefined });
api.attenuate(object, { methods: undefined, attributes: undefined, description: undefined });
api.limited(made, { calls: undefined, bytes: undefined, concurrency: undefined, until: undefined });
api.approved(made, () => ({ approved: false, reason: undefined }));
api.expiring(made, { at: undefined, after: "1 s" });
const place = api.memoryFile("");
const budgets = { bytes: undefined, bytesRead: undefined, bytesWritten: undefined };
api.limited(place, { ...budgets, opens: undefined, until: undefined });
api.expiring(place, { at: new Date(), after: undefined });
api.hostFile("a", "read", { bytes: undefined });
api.hostDirectory("a", "read", { bytes: undefined, files: undefined, match: undefined });
api.scratch({ bytes: 1, files: undefined, depth: undefined, nameBytes: undefined, shared: undefined });
api.virtualFile({ read: () => new Uint8Array(), size: undefined, write: undefined, truncate: undefined, sync: undefined, modifiedNs: undefined });
export const entry: api.TreeEntry = { kind: "file", size: 0, mode: undefined, modifiedNs: undefined, id: undefined };
export const run: Undefined<api.RunOptions> = {
  ...{ inputs: undefined, values: undefined, filename: undefined, signal: undefined, value: undefined },
  ...{ finalize: undefined, onOutput: undefined, onCall: undefined },
};
await sandbox.run("1", run);
await sandbox.run("1", { values });
export const time = new api.PythonTime({ hour: undefined, minute: 1, fold: undefined, offset: undefined });
`;

/** What the compiler says of mistakes in a function names the mistake. */
const functions = `
import { hostFunction } from "sandboa";
import { z } from "zod";
const input = z.object({ id: z.string() });
// @ts-expect-error: it is "limits"
hostFunction({ input, execute: ({ id }) => id.length, limit: { calls: 3 } });
const output = z.object({ name: z.string(), size: z.number().default(1) });
hostFunction({ input, output, execute: ({ id }) => ({ name: id.trim() }) });
hostFunction({ output, execute: async () => ({ name: "a", size: 2 }) });
hostFunction({ output, execute: async function* () { yield { name: "a" }; } });
hostFunction({ output: z.coerce.number(), execute: () => "1" });
// @ts-expect-error: what the schema does not take
hostFunction({ output, execute: () => ({ name: 1 }) });
// @ts-expect-error: likewise, later
hostFunction({ output, execute: async () => ({ nam: "a" }) });
// @ts-expect-error: likewise, one after the other
hostFunction({ output, execute: async function* () { yield 1; } });
`;
const programs = { careful, errors, undefinedOptions, functions };

test("every sample of the documents compiles, and the types promise no more than there is", () => {
  const folder = mkdtempSync(join(tmpdir(), "sandboa-samples-"));
  try {
    const modules = join(folder, "node_modules");
    mkdirSync(modules);
    symlinkSync(root, join(modules, "sandboa"));
    for (const name of ["zod", "@types"]) symlinkSync(join(root, "node_modules", name), join(modules, name));
    const pages = ["README.md", ...readdirSync(join(root, "docs")).map((name) => join("docs", name))];
    let samples = 0;
    for (const page of pages.filter((name) => name.endsWith(".md"))) {
      const blocks = readFileSync(join(root, page), "utf8").matchAll(/^```ts\n(.*?)^```/gms);
      for (const [, block = ""] of blocks) {
        samples++;
        writeFileSync(join(folder, `${page.replaceAll(/\W/g, "-")}-${samples}.ts`), whole(block));
      }
    }
    expect(samples).toBeGreaterThan(10);
    for (const [name, text] of Object.entries(programs)) writeFileSync(join(folder, `${name}.ts`), text);
    // Which key is wrong is said, and not that a function has no such keys.
    writeFileSync(
      join(folder, "typo.ts"),
      'import { hostFunction } from "sandboa";\nhostFunction({ execute: () => 1, limit: 3 });\n',
    );
    const compilerOptions = {
      ...{
        target: "ES2022",
        module: "NodeNext",
        lib: ["ES2023", "ESNext.Disposable"],
        types: ["node"],
      },
      ...{ strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, noEmit: true },
    };
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
    const require = createRequire(import.meta.url);
    const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
    const { stdout } = spawnSync(process.execPath, [tsc, "--project", folder], { encoding: "utf8" });
    expect(stdout.trimEnd().split("\n")).toEqual([
      expect.stringMatching(/^\S*typo\.ts\(2,/),
      expect.anything(),
      expect.stringContaining("'limit' does not exist in type 'HostFunctionOptions"),
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
