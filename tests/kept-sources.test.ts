// What a session that goes on for long keeps of the source that it ran: enough for tracebacks, and no more.
import { Sandbox } from "sandboa";
import { expect, test } from "vitest";

test("functions of earlier runs show their source in tracebacks, until much has been run since", async () => {
  await using sandbox = await Sandbox.create({ isolation: "inline" });
  await sandbox.run("def fail():\n  return 1 / 0  # here");
  const traceback = async (): Promise<string> =>
    (await sandbox.run("fail()").catch((error) => error)).traceback;
  expect(await traceback()).toContain("return 1 / 0  # here");
  for (let run = 0; run < 1000; run++) await sandbox.run("1");
  expect(await traceback()).not.toContain("# here");
});

test("large sources that are run again and again do not fill the memory", async () => {
  await using sandbox = await Sandbox.create({ isolation: "inline" });
  const source = "#".repeat(400_000);
  const kept = async (): Promise<unknown> =>
    (
      await sandbox.run(
        "import linecache; sum(entry[0] for name, entry in linecache.cache.items() if name[0] == '<')",
      )
    ).value;
  for (let run = 0; run < 10; run++) await sandbox.run(source);
  expect(await kept()).toBeLessThan(1_200_000);
  expect(await kept()).toBeGreaterThan(400_000);
});
