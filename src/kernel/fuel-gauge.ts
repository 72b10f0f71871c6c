// placeholder until the metering branch lands
export interface FuelGauge {
  readonly spent: number;
  start(budget: number, spent?: number): void;
  settle(): void;
  refill(): void;
}
