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
    writeFileSync(join(folder, "careful.ts"), careful);
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
    expect(stdout).toBe("");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
