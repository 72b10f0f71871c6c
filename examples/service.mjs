// A service in miniature: strangers send programs, each gets a pristine interpreter from a pool, and one line tells how it ended.
// Run it with `node examples/service.mjs`.
import { LimitError, memoryFile, Pool, scratch } from "sandboa";

const strangers = {
  sum: "import csv; sum(int(row['amount']) for row in csv.DictReader(open('/in/orders.csv')))",
  planter: "import builtins; builtins.planted = 'a message to the next one'",
  thief: "open('/etc/passwd').read()",
  spin: "while True:\n  try:\n    while True: pass\n  except BaseException: pass",
  "spin in C": "sum(range(10**12))",
  hoard: "hoard = []\nwhile True: hoard.append(bytearray(1 << 20))",
  flood: "while True: print('spam' * 1000)",
  filler: "with open('/tmp/x', 'wb') as f:\n  while True: f.write(bytes(1 << 16))",
  crash: "import os; os.abort()",
  spy: "import builtins, os; (os.listdir('/'), dict(os.environ), hasattr(builtins, 'planted'))",
  careful: "import sandboa; f\"room for {sandboa.usage()['output'].left} bytes of output\"",
};

/** One program, one sandbox: what it is granted, what it may use, and how it ended. */
async function serve(pool, name, source) {
  const sandbox = await pool.checkout({
    files: {
      "/in/orders.csv": memoryFile("id,amount\n1,20\n2,22\n"),
      "/tmp": scratch({ bytes: "1 MiB" }),
    },
    limits: { wall: "1 s", memory: "64 MiB", output: "64 KiB" },
  });
  try {
    const { value, usage } = await sandbox.run(source);
    return line(name, "ok", show(value), usage);
  } catch (error) {
    // An error tells what the run used and wrote before it failed. Its texts are the program's own: shown escaped, and cut.
    return line(name, error.code, describe(error), error.usage);
  } finally {
    // Back to the pool, which makes the interpreter pristine or replaces it. Nobody waits for that here.
    await sandbox.close();
  }
}

function describe(error) {
  return error instanceof LimitError ? `${error.used} of ${error.budget}` : show(error.message);
}

function show(value) {
  const plain = (_key, item) => (item instanceof Map ? Object.fromEntries(item) : item);
  return JSON.stringify(value, plain)?.slice(0, 60) ?? "nothing";
}

function line(name, ending, detail, usage) {
  const mib = (usage.memoryBytes / 2 ** 20).toFixed(1);
  const used = `${Math.round(usage.wallMs)} ms, ${mib} MiB, ${usage.outputBytes} B out`;
  return [name.padEnd(14), ending.padEnd(17), used.padEnd(30), detail].join(" ");
}

const pool = await Pool.create({ size: 2 });
try {
  const lines = await Promise.all(
    Object.entries(strangers).map(([name, source]) => serve(pool, name, source)),
  );
  for (const text of lines) console.log(text);
} finally {
  await pool.close();
}
