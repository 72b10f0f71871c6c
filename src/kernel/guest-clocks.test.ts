// What the guest can learn about time, and the calls that end it: a coarse clock shows no fine timing through any import, a
// frozen one moves only when the guest sleeps.
import { describe, expect, test } from "vitest";
import { clockId } from "../abi/flags.ts";
import { Guest, startWallNs } from "./guest-fixture.ts";
import { GuestStop } from "./guest-stop.ts";

function clock(guest: Guest, id: number): bigint {
  const target = guest.allocate(8);
  expect(guest.call("clock_time_get", id, 0n, target)).toBe(0);
  return guest.memory.getI64(target);
}
const milliseconds = (guest: Guest) => guest.raw("emscripten_get_now") as number;

describe("the coarse policy", () => {
  test("rounds every clock down to a millisecond", () => {
    const guest = new Guest({ clock: "coarse" });
    expect(clock(guest, clockId.REALTIME)).toBe(startWallNs - (startWallNs % 1_000_000n));
    expect(clock(guest, clockId.MONOTONIC)).toBe(0n);
    guest.power.nowNs += 1_999_999n;
    for (const id of [clockId.MONOTONIC, clockId.PROCESS_CPU, clockId.THREAD_CPU]) {
      expect(clock(guest, id)).toBe(1_000_000n);
    }
    const date = guest.raw("emscripten_date_now") as number;
    expect(Number.isInteger(date)).toBe(true);
  });

  test("hides fine timing from the clock under libc's sleep too", () => {
    const guest = new Guest({ clock: "coarse" });
    guest.power.nowNs += 1_234_567n;
    expect(milliseconds(guest)).toBe(1);
    expect(Number.isInteger(milliseconds(guest))).toBe(true);
  });

  test("tells its step, and knows four clocks", () => {
    const guest = new Guest();
    const target = guest.allocate(8);
    expect(guest.call("clock_res_get", clockId.REALTIME, target)).toBe(0);
    expect(guest.memory.getI64(target)).toBe(1_000_000n);
    expect(guest.call("clock_time_get", 4, 0n, target)).toBe("EINVAL");
    expect(guest.call("clock_time_get", -1, 0n, target)).toBe("EINVAL");
  });
});

test("the frozen policy moves by sleep alone, and never really sleeps", () => {
  const guest = new Guest({ clock: "frozen" });
  const before = clock(guest, clockId.REALTIME);
  guest.power.nowNs += 10n ** 12n;
  expect(clock(guest, clockId.REALTIME)).toBe(before);
  expect(clock(guest, clockId.MONOTONIC)).toBe(0n);
  guest.call("poll", 0, 0, 1500);
  expect(clock(guest, clockId.REALTIME)).toBe(before + 1_500_000_000n);
  expect(clock(guest, clockId.MONOTONIC)).toBe(1_500_000_000n);
  expect(guest.power.sleepsMs).toEqual([]);
});

test.each(["real", "coarse", "frozen"] as const)(
  "libc's spin under %s ends on time, in few calls",
  (policy) => {
    const guest = new Guest({ clock: policy });
    const startMs = milliseconds(guest);
    const deadlineMs = startMs + 2000;
    let calls = 0;
    let nowMs = startMs;
    for (; nowMs < deadlineMs; calls++) {
      const nextMs = milliseconds(guest);
      expect(nextMs).toBeGreaterThanOrEqual(nowMs);
      nowMs = nextMs;
    }
    expect(calls).toBeLessThan(600);
    expect(nowMs - deadlineMs).toBeLessThan(25);
  },
);

describe("the end of the guest", () => {
  const reasonOf = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      if (error instanceof GuestStop) return error.reason;
      throw error;
    }
    return "still running";
  };

  test.each([
    ["proc_exit", [300], { kind: "exit", status: 44 }],
    ["exit", [-1], { kind: "exit", status: 255 }],
    ["_abort_js", [], { kind: "abort", detail: "abort() was called" }],
    ["__assert_fail", [-4, 0, 0, 0], { kind: "abort", detail: "assertion failed: ?" }],
    ["__assert_fail", [0, 0, 0, 0], { kind: "abort", detail: "assertion failed: ?" }],
  ] as const)("%s(%j)", (name, values, reason) => {
    const guest = new Guest();
    expect(reasonOf(() => guest.raw(name, ...values))).toEqual(reason);
    expect(reasonOf(() => guest.raw("getprotobyname", 0))).toEqual(reason);
  });

  test("an assertion's text is cut to printable ASCII", () => {
    const guest = new Guest();
    const text = guest.path("x > 0\x1b[31m\xff");
    expect(reasonOf(() => guest.raw("__assert_fail", text, 0, 0, 0))).toEqual({
      kind: "abort",
      detail: "assertion failed: x > 0?[31m?",
    });
  });

  test("a signal handler that is no function of the table is refused", () => {
    const guest = new Guest();
    for (const index of [0, 3, 4, -1]) expect(guest.raw("__call_sighandler", index, 2)).toBeUndefined();
    expect(guest.kernel.stopped).toBeUndefined();
  });

  test("memory grows to the limit and no further", () => {
    const guest = new Guest();
    const limit = guest.raw("emscripten_get_heap_max") as number;
    guest.file("f", "kept");
    expect(guest.raw("emscripten_resize_heap", limit + 1)).toBe(0);
    expect(guest.raw("emscripten_resize_heap", -1)).toBe(0);
    expect(guest.raw("emscripten_resize_heap", guest.memory.size + 1)).toBe(1);
    expect(guest.content("f")).toBe("kept");
    expect(guest.raw("emscripten_resize_heap", limit)).toBe(1);
    expect(guest.memory.size).toBe(limit);
  });
});
