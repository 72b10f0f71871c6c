// An agent: a program that nobody has read calls five functions of the application, and can do nothing else. One of them is slow, one needs
// a person's yes, one fails, one streams. Shows what the model is told, what the program wrote, and what it called.
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { approved, GuestException, hostFunction, Sandbox } from "sandboa";
import { z } from "zod";

const rows = [
  { id: "A-1", customer: "ada", total: 120 },
  { id: "A-2", customer: "ada", total: 950 },
  { id: "B-1", customer: "bob", total: 15 },
];
const rates = { EUR: 1.08, JPY: 0.0067 };
const order = z.object({ id: z.string(), customer: z.string(), total: z.number() });

const functions = {
  find_orders: hostFunction({
    description: "The orders of a customer, newest first.",
    input: z.object({ customer: z.string(), limit: z.number().int().default(10) }),
    output: z.array(order),
    execute: ({ customer, limit }) => rows.filter((row) => row.customer === customer).slice(0, limit),
  }),
  exchange_rate: hostFunction({
    description: "US dollars for one unit of a currency. Slow.",
    input: z.object({ currency: z.enum(["EUR", "JPY"]) }),
    output: z.number(),
    execute: async ({ currency }) => {
      await pause(50);
      return rates[currency];
    },
  }),
  refund: approved(
    hostFunction({
      description: "Pays money back. A person decides.",
      input: z.object({ order: z.string(), amount: z.number().positive() }),
      output: z.string(),
      execute: ({ order: id, amount }) => `refunded ${amount.toFixed(2)} for ${id}`,
    }),
    // Here a person would be asked.
    async ({ arguments: { amount } }) => amount <= 100 || { approved: false, reason: "too much" },
  ),
  send_mail: hostFunction({
    description: "Sends a mail.",
    input: z.object({ to: z.email(), text: z.string().max(1000) }),
    execute: () => {
      throw new Error("connect ECONNREFUSED 10.0.0.7:25 (user mailer, password hunter2)");
    },
    errors: () => new GuestException("ConnectionError", "the mail server does not answer"),
  }),
  watch_payments: hostFunction({
    description: "Payments as they come in.",
    input: z.object({}),
    output: z.object({ order: z.string(), amount: z.number() }),
    execute: async function* () {
      yield { order: "A-1", amount: 120 };
      await pause(10);
      yield { order: "B-1", amount: 15 };
    },
  }),
};

const sandbox = await Sandbox.create({
  functions,
  limits: { wall: "5 s" },
  isolation: process.argv[2],
});
console.log(`--- what the model is told\n${sandbox.describe()}`);

const shown = (value) => (Symbol.asyncIterator in Object(value) ? "a stream" : JSON.stringify(value));
const program = readFileSync(new URL("./agent-program.py", import.meta.url), "utf8");
const output = [];
const trace = [];
for await (const event of sandbox.stream(program)) {
  switch (event.type) {
    case "stdout":
      output.push(event.text);
      break;
    case "call":
      trace.push(`${event.id} ${event.name}(${JSON.stringify(event.arguments)})`);
      break;
    case "answer":
      trace.push(`${event.id} -> ${event.error ?? shown(event.value)}`);
      break;
    case "result":
      trace.push(`result ${JSON.stringify(Object.fromEntries(event.run.value))}`);
  }
}
console.log(`--- what it wrote\n${output.join("")}\n--- what it called\n${trace.join("\n")}`);
await sandbox.close();
