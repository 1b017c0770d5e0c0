/**
 * What went out on streams that a client may take up again (2025-11-25, "Resumability and Redelivery"),
 * within bounds of count and size for each session and in total; what is over them goes, oldest first.
 */
export interface EventLog {
  /** The log of one session. */
  session(): SessionLog;
}

export interface SessionLog {
  /** The log of one of its streams. */
  stream(): StreamLog;
}

export interface StreamLog {
  append(event: LoggedEvent): void;
  /** Those after this number, oldest first. */
  after(sequence: number): LoggedEvent[];
  /** Forgets everything of this stream. */
  clear(): void;
}

export interface LoggedEvent {
  sequence: number;
  /** The message as JSON. */
  text: string;
}

export interface EventLogLimits {
  sessionEvents: number;
  sessionBytes: number;
  totalBytes: number;
}

const defaultLimits: EventLogLimits = {
  sessionEvents: 1_000,
  sessionBytes: 4 * 1024 * 1024,
  totalBytes: 64 * 1024 * 1024,
};

interface Entry extends LoggedEvent {
  forget(): void;
}

/** Entries in the order in which they came, and what they weigh. */
interface Ring {
  entries: Set<Entry>;
  size: number;
}

export function createEventLog(limits: EventLogLimits = defaultLimits): EventLog {
  const total: Ring = { entries: new Set(), size: 0 };

  const forgetOldest = ({ entries }: Ring): void => {
    const [oldest] = entries;
    oldest?.forget();
  };

  return {
    session() {
      const own: Ring = { entries: new Set(), size: 0 };
      return {
        stream() {
          const events = new Set<Entry>();
          const forget = (entry: Entry): void => {
            events.delete(entry);
            for (const ring of [own, total]) {
              ring.entries.delete(entry);
              ring.size -= entry.text.length;
            }
          };
          return {
            append({ sequence, text }) {
              // What is larger than a session's share could only be kept instead of everything else.
              if (text.length > limits.sessionBytes) return;
              const entry: Entry = { sequence, text, forget: () => forget(entry) };
              events.add(entry);
              for (const ring of [own, total]) {
                ring.entries.add(entry);
                ring.size += text.length;
              }
              while (own.entries.size > limits.sessionEvents || own.size > limits.sessionBytes) {
                forgetOldest(own);
              }
              while (total.size > limits.totalBytes) forgetOldest(total);
            },
            after: (sequence) => [...events].filter((event) => event.sequence > sequence),
            clear() {
              for (const entry of events) entry.forget();
            },
          };
        },
      };
    },
  };
}
