// Sandboa through its public API. The options of the sandbox are the first argument, as JSON.
import { Sandbox } from "sandboa";
import { serve } from "./serve.mjs";

const options = JSON.parse(process.argv[2] ?? "{}");
const sandbox = await Sandbox.create({ ...options, limits: { wall: "120 s", ...options.limits } });
await serve({
  define: (source) => sandbox.run(source),
  call: async () => (await sandbox.run("str(kernel(N))")).value,
});
await sandbox.close();
