// Sandboa through its public API: a sandbox out of a pool. The pool's options are the first argument, as JSON.
import { Pool } from "sandboa";
import { serve } from "./serve.mjs";

const pool = await Pool.create({ ...JSON.parse(process.argv[2] ?? "{}"), size: 1 });
const sandbox = await pool.checkout({ limits: { wall: "120 s", cpu: "120 s" } });
await serve({
  define: (source) => sandbox.run(source),
  call: async () => (await sandbox.run("str(kernel(N))")).value,
});
await pool.close({ grace: 0 });
