// placeholder until the metering branch lands
export class FuelGauge {
  readonly spent = 0;
  start(_budget: number): void {}
  refill(): boolean {
    return true;
  }
}
