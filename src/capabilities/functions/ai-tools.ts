// Tools of the Vercel AI SDK (versions 4 to 7) as functions for the guest. The SDK itself is not imported: a tool is what it looks like.
import { isRecord } from "../../errors/object-kinds.ts";
import { OptionError } from "../../errors/option-error.ts";
import { optionalFunction, optionalText, optionFields } from "../option-fields.ts";
import { type Approval, type ApprovalRequest, approved } from "./approved.ts";
import { demandSchema } from "./checked-input.ts";
import type { FunctionCall, FunctionCapability, FunctionGrants, JsonSchema } from "./function-capability.ts";
import { checkLimitOptions, type FunctionLimitOptions } from "./function-limits.ts";
import { hostFunction } from "./host-function.ts";
import { jsonSchemaOf } from "./json-schema-of.ts";
import { type InputSchema, isAiSchema, isStandardSchema, schemaForm } from "./schemas.ts";

/** A tool of the Vercel AI SDK, as far as it is used. Its members are checked when a function is made of it. */
export interface AiTool {
  readonly description?: unknown;
  /** A Standard Schema, a schema of the SDK, or a function that gives one. */
  readonly inputSchema?: unknown;
  /** As `inputSchema`, in version 4. */
  readonly parameters?: unknown;
  /** Only for the annotation of what it gives: nothing is checked by it. */
  readonly outputSchema?: unknown;
  /** Anything but false or undefined: each call needs approval. */
  readonly needsApproval?: unknown;
  /** Must be a function. */
  readonly execute?: unknown;
}

/** Of all tools that functions are made of. */
export interface FromAiToolsOptions {
  /** Asked before each call of a tool with `needsApproval`. Default: such tools are refused. */
  readonly approve?: ((request: ApprovalRequest) => Approval | PromiseLike<Approval>) | undefined;
  /** Of each function. Default: as of hostFunction. */
  readonly limits?: FunctionLimitOptions | undefined;
}

/**
 * Functions for the guest, made of tools of the Vercel AI SDK: each tool under its own name, which must be an identifier of Python. Throws OptionError for tools without `execute`, and for those that need
 * approval unless `approve` is given. Tools are awaited in async Python; those that are generators stream.
 */
export function fromAiTools(
  tools: Readonly<Record<string, AiTool>>,
  options: FromAiToolsOptions = {},
): FunctionGrants {
  if (!isRecord(tools)) throw new OptionError("fromAiTools", tools, "an object of tools");
  const { approve, limits } = optionFields("fromAiTools", options, [
    "approve",
    "limits",
  ]) as FromAiToolsOptions;
  optionalFunction("fromAiTools approve", approve);
  checkLimitOptions("fromAiTools limits", limits);
  return Object.fromEntries(
    Object.entries(tools).map(([name, tool]) => {
      const granted = functionOfTool(`fromAiTools ${name}`, tool, limits);
      if (tool.needsApproval === undefined || tool.needsApproval === false) return [name, granted];
      if (approve === undefined)
        throw new OptionError(
          `fromAiTools ${name} needsApproval`,
          tool.needsApproval,
          "such tools only with the option approve",
        );
      return [name, approved(granted, approve)];
    }),
  );
}

function functionOfTool(
  option: string,
  tool: AiTool,
  limits: FunctionLimitOptions | undefined,
): FunctionCapability {
  if (!isRecord(tool)) throw new OptionError(option, tool, "a tool");
  const { execute, description } = tool;
  if (typeof execute !== "function")
    throw new OptionError(`${option} execute`, execute, "tools with a function execute");
  const tag = Object.prototype.toString.call(execute);
  const streams = tag === "[object AsyncGeneratorFunction]" || tag === "[object GeneratorFunction]";
  let calls = 0;
  return hostFunction({
    description: optionalText(`${option} description`, description),
    input: inputOf(option, tool),
    returns: returnsOf(`${option} outputSchema`, tool.outputSchema),
    async: tag !== "[object GeneratorFunction]",
    streams,
    ...(limits !== undefined && { limits }),
    execute: (input: unknown, call: FunctionCall): unknown => {
      calls += 1;
      return Reflect.apply(execute, tool, [
        input,
        { toolCallId: `${call.name}-${calls}`, messages: [], abortSignal: call.signal },
      ]) as unknown;
    },
  });
}

/** The SDK's schemas may be functions that make them. */
function schemaOf(given: unknown): unknown {
  return typeof given === "function" && !isStandardSchema(given) ? (given as () => unknown)() : given;
}

function inputOf(option: string, { inputSchema, parameters }: AiTool): InputSchema {
  const schema = schemaOf(inputSchema === undefined ? parameters : inputSchema);
  if (schema === undefined)
    throw new OptionError(`${option} inputSchema`, schema, "tools with an inputSchema");
  return demandSchema(`${option} inputSchema`, schema);
}

function returnsOf(option: string, outputSchema: unknown): JsonSchema {
  const schema = schemaOf(outputSchema);
  if (schema === undefined) return {};
  if (!isStandardSchema(schema) && !isAiSchema(schema)) throw new OptionError(option, schema, schemaForm);
  const found = jsonSchemaOf(schema, "output");
  return found === undefined ? {} : found;
}
