// Both adapters against the AI SDK itself.
import { asSchema, generateText, jsonSchema, stepCountIs, tool } from "ai";
import { MockLanguageModelV3 } from "ai/test";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { OptionError } from "../../errors/option-error.ts";
import { LimitError, PythonError } from "../../errors/run-errors.ts";
import { type AiTool, fromAiTools } from "./ai-tools.ts";
import type { FunctionCapability } from "./function-capability.ts";
import { Caller, outcome } from "./function-fixture.ts";
import { jsonValue } from "./json-value.ts";
import { type RunsPython, toAiTool } from "./to-ai-tool.ts";

describe("fromAiTools", () => {
  const seen: unknown[] = [];
  const weather = tool({
    description: "Tells the weather.",
    inputSchema: z.object({ city: z.string(), days: z.number().int().default(1) }),
    execute: async (input, options) => {
      seen.push(input, options);
      return { degrees: 20 };
    },
  });

  test("signature, checks and what execute is given", async () => {
    const granted = functionOf({ weather }, "weather");
    expect(granted.signature).toMatchObject({
      description: "Tells the weather.",
      isAsync: true,
      streams: false,
    });
    expect(granted.signature.parameters.map(({ name, annotation }) => [name, annotation])).toEqual([
      ["city", "str"],
      ["days", "int"],
    ]);
    const call = new Caller("weather");
    expect(await outcome(granted, { city: "Rom" }, call)).toEqual({ degrees: 20 });
    expect(await outcome(granted, { city: 1 }, call)).toMatch(/^TypeError: weather\(\) argument 'city'/);
    expect(seen).toEqual([
      { city: "Rom", days: 1 },
      { toolCallId: "weather-1", messages: [], abortSignal: call.signal },
    ]);
  });

  test("schemas of every form that the SDK takes", async () => {
    const input = { type: "object", properties: { q: { type: "string" } }, required: ["q"] } as const;
    const forms: AiTool[] = [
      { inputSchema: jsonSchema(input) },
      { inputSchema: () => jsonSchema(input) },
      { inputSchema: asSchema(z.object({ q: z.string() })) },
      { inputSchema: v.object({ q: v.string() }) },
      { parameters: z.object({ q: z.string() }) },
    ];
    for (const form of forms) {
      const granted = functionOf({ t: { ...form, execute: (value: { q: string }) => value.q } }, "t");
      expect(granted.signature.parameters.map(({ name, annotation }) => `${name}: ${annotation}`)).toEqual([
        "q: str",
      ]);
      expect(await outcome(granted, { q: "x" })).toBe("x");
      expect(await outcome(granted, { q: 1 })).toMatch(/^TypeError/);
    }
  });

  test("generators stream", async () => {
    const granted = functionOf(
      {
        t: tool({
          inputSchema: z.object({}),
          async *execute() {
            yield "first";
          },
        }),
      },
      "t",
    );
    expect(granted.signature.streams).toBe(true);
    expect(await ((await outcome(granted)) as AsyncIterator<unknown>).next()).toEqual({
      done: false,
      value: "first",
    });
  });

  test("what cannot be run, or not without approval, is refused", async () => {
    const execute = () => "done";
    const inputSchema = z.object({});
    const bad: Record<string, AiTool>[] = [
      { t: { inputSchema } },
      { t: { execute } },
      { t: { inputSchema, execute, needsApproval: true } },
    ];
    for (const tools of bad) expect(() => fromAiTools(tools)).toThrow(OptionError);
    expect(() => fromAiTools(null as never)).toThrow(OptionError);
    const asked: string[] = [];
    const grants = fromAiTools(
      {
        t: { inputSchema, execute, needsApproval: async () => false },
        free: { inputSchema, execute, needsApproval: false },
      },
      {
        approve: ({ name }) => {
          asked.push(name);
          return false;
        },
      },
    );
    expect(await outcome(grants.t as FunctionCapability, {}, new Caller("t"))).toMatch(/^PermissionError/);
    expect(await outcome(grants.free as FunctionCapability)).toBe("done");
    expect(asked).toEqual(["t"]);
  });
});

describe("toAiTool", () => {
  const sandboxOf = (run: RunsPython["run"], resets: number[] = []): RunsPython => ({
    run,
    describe: () => "# host\ndef lookup() -> int: ...\n",
    reset: async () => {
      resets.push(1);
    },
  });
  const says = (text: string) => new Uint8Array(new TextEncoder().encode(text));

  test("a model calls it through the SDK", async () => {
    const sources: string[] = [];
    const python = toAiTool(
      sandboxOf(async (source, { onOutput }) => {
        sources.push(source);
        onOutput("stdout", says("hé").subarray(0, 2));
        onOutput("stdout", says("hé").subarray(2));
        return {
          value: new Map<unknown, unknown>([
            ["n", 2n ** 70n],
            [1, new Uint8Array([1, 2])],
          ]),
        };
      }),
    );
    expect(python.description).toMatch(/^Runs Python .*\n\n# host\ndef lookup/s);
    const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } };
    const answers = [
      {
        content: [{ type: "tool-call", toolCallId: "1", toolName: "python", input: '{"code":"1+1"}' }],
        finishReason: { unified: "tool-calls" },
      },
      { content: [{ type: "text", text: "two" }], finishReason: { unified: "stop" } },
    ];
    const model = new MockLanguageModelV3({
      doGenerate: async () => ({ ...answers.shift(), usage, warnings: [] }) as never,
    });
    const result = await generateText({ model, tools: { python }, prompt: "1+1?", stopWhen: stepCountIs(3) });
    expect(result.text).toBe("two");
    expect(sources).toEqual(["1+1"]);
    expect(result.steps[0]?.toolResults[0]?.output).toEqual({
      ok: true,
      value: { n: "1180591620717411303424", "1": { base64: "AQI=" } },
      stdout: "hé",
      stderr: "",
    });
    expect(model.doGenerateCalls[0]?.tools).toMatchObject([
      { name: "python", inputSchema: { properties: { code: { type: "string" } }, required: ["code"] } },
    ]);
  });

  test("what became of the program is an answer; a lost sandbox is reset", async () => {
    const resets: number[] = [];
    const errors: Error[] = [
      new PythonError("ValueError", "no", "Traceback …\nValueError: no\n"),
      new LimitError("wall", 10, 11, "lost"),
    ];
    const python = toAiTool(
      sandboxOf(async (_, { onOutput }) => {
        onOutput("stderr", says("oh"));
        throw errors.shift();
      }, resets),
    );
    expect(await python.execute({ code: "" })).toEqual({
      ok: false,
      value: null,
      stdout: "",
      stderr: "oh",
      error: {
        type: "ValueError",
        message: "no",
        traceback: "Traceback …\nValueError: no\n",
        sandbox: "usable",
      },
    });
    expect(resets.length).toBe(0);
    expect(await python.execute({ code: "" })).toMatchObject({
      error: { type: "LIMIT_WALL", sandbox: "reset: nothing of before is left" },
    });
    expect(resets.length).toBe(1);
  });

  test("what the embedder did wrong is thrown; calls wait for each other", async () => {
    let running = 0;
    let most = 0;
    const python = toAiTool(
      sandboxOf(async (source) => {
        running += 1;
        most = Math.max(most, running);
        await Promise.resolve();
        running -= 1;
        if (source === "bad") throw new OptionError("source", 1, "text");
        return { value: source };
      }),
    );
    const [bad, good] = await Promise.allSettled([
      python.execute({ code: "bad" }),
      python.execute({ code: "good" }),
    ]);
    expect([bad.status, good.status, most]).toEqual(["rejected", "fulfilled", 1]);
    expect(() => toAiTool({} as never)).toThrow(OptionError);
    expect(python.inputSchema.validate({ code: 1 })).toMatchObject({ success: false });
  });
});

test("jsonValue: what JSON has not, within bounds", () => {
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  expect(
    jsonValue([1n, Number.NaN, undefined, new Set([1]), new Date(0), new Map([["__proto__", 1]])]),
  ).toEqual([...[1, "NaN", null, [1], "1970-01-01T00:00:00.000Z"], JSON.parse('{"__proto__": 1}')]);
  const longest = "9".repeat(4300);
  expect(jsonValue([BigInt(longest), 10n ** 4300n, -(10n ** 4300n), 2n ** 64n])).toEqual([
    longest,
    "an int of more than 4300 digits",
    "an int of more than 4300 digits",
    "18446744073709551616",
  ]);
  const long = JSON.stringify(jsonValue([Array(100).fill(BigInt(longest)), 2n ** 64n]));
  expect(long.length).toBeLessThan(110_000);
  expect(long).toMatch(/"…","…"\],"18446744073709551616"\]$/);
  expect(JSON.stringify(jsonValue(cyclic)).length).toBeLessThan(200);
  expect((jsonValue(Array(1e6).fill(0)) as unknown[]).length).toBeLessThan(10_010);
  expect((jsonValue("x".repeat(1e6)) as string).length).toBe(100_001);
});

function functionOf(tools: Record<string, AiTool>, name: string): FunctionCapability {
  const found = fromAiTools(tools)[name];
  if (found?.kind !== "function") throw new Error(`no function ${name}`);
  return found as FunctionCapability;
}
