// Holds a SQLite database against everybody else's writes, as a program does that hangs in a transaction: each
// line on standard input, `hold` or `release`, is answered by the same line once it is so. Ends with its input.
import { createInterface } from "node:readline";
import Database from "libsql";

const [, , file = ""] = process.argv;
const database = new Database(file, { timeout: 20_000 });
createInterface({ input: process.stdin })
  .on("line", (line) => {
    database.exec(line === "hold" ? "BEGIN EXCLUSIVE" : "ROLLBACK");
    process.stdout.write(`${line}\n`);
  })
  .on("close", () => database.close());
