// Run in a process of its own: holds the database given exclusively, says so, and lets go when stdin ends.
import Database from "libsql";

const database = new Database(process.argv[2] ?? "");
database.exec("BEGIN EXCLUSIVE");
process.stdout.write("held\n");
process.stdin.resume().once("end", () => {
  database.exec("ROLLBACK");
  database.close();
});
