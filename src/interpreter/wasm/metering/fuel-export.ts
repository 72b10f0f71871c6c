// Apart from the metering itself, which no running interpreter needs.

export const fuelExport = "sandboa.fuel";
