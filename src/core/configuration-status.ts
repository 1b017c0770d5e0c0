/** Why the running gateway has not taken up what stands in its configuration file. No value of the file is in it. */
export interface ConfigurationRefusal {
  /** One line. */
  message: string;
  /** What makes it count in the running gateway. */
  hint: string | null;
  /** Of the text that was refused; null: it could not be read. */
  fingerprint: string | null;
  /** Since when another configuration is in effect than the file has. */
  sinceMs: number;
  /** The server whose entry it is about. */
  server: string | null;
  /** The environment variable that the gateway lacks. */
  variable: string | null;
  /** 1-based. */
  line: number | null;
}

/** What the running gateway knows of its configuration file. */
export interface ConfigurationStatus {
  file: string;
  /** SHA-256, in hex, of the text that is in effect; null: there is no file. */
  fingerprint: string | null;
  loadedAtMs: number;
  /** When the file was read last: what was saved before then has been judged. */
  readAtMs: number;
  problem: ConfigurationRefusal | null;
}
