// The kernel of one sandbox: the guest machine below, the process above, and whether it has been stopped.
import type { GuestMemory } from "../abi/guest-memory.ts";
import { ForeignFunctions } from "./foreign/foreign-functions.ts";
import { FuelGauge } from "./fuel-gauge.ts";
import type { GuestMachine } from "./guest-machine.ts";
import { GuestStop, type StopReason } from "./guest-stop.ts";
import { fail } from "./kernel-error.ts";
import type { Process } from "./process.ts";

/**
 * Asked by the guest's evaluation loop, very often, and by a metered guest whenever its slice of fuel is spent: a signal number, or 0.
 * Refills the gauge. May throw what Kernel.stop returns.
 */
type Interrupt = (kernel: Kernel) => number;

const refillAlways: Interrupt = (kernel) => {
  kernel.gauge?.refill();
  return 0;
};

/** A plain guest looks for signals up to some ten million times a second; asking takes a tenth of a microsecond. */
const looksPerAsk = 500;

export class Kernel {
  process: Process;
  #machine: GuestMachine | undefined;
  #memory: GuestMemory | undefined;
  #foreign: ForeignFunctions | undefined;
  #stop: GuestStop | undefined;

  #gauge: FuelGauge | undefined;
  #pacer: FuelGauge | undefined;
  readonly #interrupt: Interrupt;

  constructor(process: Process, interrupt: Interrupt = refillAlways) {
    this.process = process;
    this.#interrupt = interrupt;
  }

  pollInterrupt(): number {
    this.#pacer?.refill();
    return this.#interrupt(this);
  }

  /** Within a call that takes long: throws GuestStop when the guest's time is over, and passes a signal on to it. */
  lookForInterrupt(): void {
    const signal = this.pollInterrupt();
    if (signal !== 0) this.machine.receiveSignal(signal);
  }

  /** Counts what the host does on a metered guest's behalf: units of fuel. */
  charge(units: number): void {
    this.#gauge?.charge(units);
  }

  /** Of a metered guest. */
  get gauge(): FuelGauge | undefined {
    return this.#gauge;
  }

  attach(machine: GuestMachine): void {
    this.#machine = machine;
    this.#gauge = machine.fuel && new FuelGauge(machine.fuel);
    this.#pacer = machine.pace && new FuelGauge(machine.pace, looksPerAsk);
    this.#gauge?.start();
    this.#pacer?.start();
    this.#memory = machine.guest;
    this.#foreign = new ForeignFunctions(machine, () => this.process.hostMemory);
  }

  get machine(): GuestMachine {
    return this.#machine ?? fail("ENOSYS");
  }

  get memory(): GuestMemory {
    return this.#memory ?? fail("EFAULT");
  }

  /** Callbacks and symbols in the function table. */
  get foreign(): ForeignFunctions {
    return this.#foreign ?? fail("ENOSYS");
  }

  /** Set once the guest is over; every import rethrows it. */
  get stopped(): GuestStop | undefined {
    return this.#stop;
  }

  /** Ends the guest: the caller throws what this returns. The first reason stands. */
  stop(reason: StopReason): GuestStop {
    this.#stop ??= new GuestStop(reason);
    return this.#stop;
  }

  /** A new process for the next pristine lifetime; the old one's files are closed. */
  restart(process: Process): void {
    this.#foreign?.clear();
    this.process.end();
    this.process = process;
    this.#stop = undefined;
  }
}
