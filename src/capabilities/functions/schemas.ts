// What is accepted as a schema: any library that follows the Standard Schema specification (version 1, standardschema.dev), with or
// without its extension for JSON Schema, and the schemas of the Vercel AI SDK. Only as far as they are used here.
import type { JsonSchema } from "./function-capability.ts";

/** Why a schema refused a value. */
export interface StandardIssue {
  readonly message: string;
  /** From the value's root to what was refused; absent or undefined: the root. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema makes of a value; or, with `issues`, that it refused it. */
export type StandardResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** A schema of any library that follows the Standard Schema specification, version 1: zod, valibot, arktype and others. */
export interface StandardSchema {
  readonly "~standard": {
    readonly version: number;
    readonly vendor: string;
    validate(value: unknown): StandardResult | PromiseLike<StandardResult>;
    /** The extension that gives JSON Schemas, where the library has it. */
    readonly jsonSchema?: unknown;
  };
}

/** As `jsonSchema()` and `zodSchema()` of the AI SDK make it. */
export interface AiSchema {
  readonly jsonSchema: JsonSchema | PromiseLike<JsonSchema>;
  /** Absent or undefined: `jsonSchema` checks the value. */
  readonly validate?: ((value: unknown) => AiResult | PromiseLike<AiResult>) | undefined;
}

/** What a schema of the AI SDK says of a value. */
export type AiResult =
  | { readonly success: true; readonly value: unknown }
  | { readonly success: false; readonly error: unknown };

/** Every kind of schema that can check arguments. */
export type InputSchema = StandardSchema | AiSchema;

export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as Partial<StandardSchema>)["~standard"];
  return typeof standard === "object" && standard?.version === 1 && typeof standard.validate === "function";
}

export function isAiSchema(value: unknown): value is AiSchema {
  if (typeof value !== "object" || value === null || !("jsonSchema" in value)) return false;
  return !("validate" in value) || value.validate === undefined || typeof value.validate === "function";
}

export const schemaForm = "a Standard Schema (zod, valibot, arktype, …) or a schema of the AI SDK";
