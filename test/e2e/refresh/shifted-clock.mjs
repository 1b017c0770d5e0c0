// Loaded before a program: its clock is off by SHIFTED_CLOCK_MS, as that of a machine whose battery is empty.
const offMs = Number(process.env["SHIFTED_CLOCK_MS"]);
const { now } = Date;
Date.now = () => now() + offMs;
