// Run in a process of its own: reads the database given in a transaction, says so, and ends it when stdin ends.
import Database from "libsql";

const database = new Database(process.argv[2] ?? "");
database.exec("BEGIN");
database.prepare("SELECT count(*) FROM minted_tokens").all();
process.stdout.write("reading\n");
process.stdin.resume().once("end", () => {
  database.exec("ROLLBACK");
  database.close();
});
