import { AppError } from "../../core/errors.ts";

/** What `agent serve` starts a gateway with; what is absent comes from the configuration file. */
export interface StartOptions {
  config?: string | undefined;
  host?: string | undefined;
  port?: number | undefined;
  auth?: string | undefined;
  externalUrl?: string | undefined;
  insecureHttp: boolean;
}

/** @throws AppError `usage` for a port that is none */
export function checkPort(port: number | undefined): void {
  if (port === undefined || (Number.isInteger(port) && port >= 0 && port <= 65_535)) return;
  throw new AppError("usage", "--port must be a whole number from 0 (any free one) to 65535", {
    hint: "Without --port it is 3050",
  });
}
