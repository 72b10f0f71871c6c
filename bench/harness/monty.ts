// Monty, if it is there. It is no development dependency: where a registry lacks its packages for other platforms, a lock file that
// names it makes `npm ci` fail.
import { createRequire } from "node:module";
import { line } from "./report.ts";

const specifier = "@pydantic/monty";

interface MontyOptions {
  readonly externalFunctions?: Readonly<Record<string, (...values: never[]) => unknown>>;
}

export interface MontyPackage {
  readonly Monty: new (source: string) => { run(options?: MontyOptions): unknown };
  runMontyAsync(code: object, options: MontyOptions): Promise<unknown>;
}

export const hasMonty = ((): boolean => {
  try {
    createRequire(import.meta.url).resolve(specifier);
    return true;
  } catch {
    line(`Monty is left out; to have it: npm install --no-save ${specifier}@0.0.18`);
    return false;
  }
})();

export async function importMonty(): Promise<MontyPackage | undefined> {
  return hasMonty ? ((await import(specifier)) as MontyPackage) : undefined;
}
