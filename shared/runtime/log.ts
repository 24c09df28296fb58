/** Structured logs: a constant message and fields. */

export type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

const order = { debug: 0, info: 1, warn: 2, error: 3 } as const;
export type LogLevel = keyof typeof order;

/** One JSON object a line. Errors in fields become their message and stack. */
export function jsonLog(write: (line: string) => void, level: LogLevel, base: Fields = {}): Log {
  const at =
    (name: LogLevel) =>
    (message: string, fields: Fields = {}) => {
      if (order[name] < order[level]) return;
      write(JSON.stringify({ level: name, time: new Date().toISOString(), message, ...base, ...fields }, plainErrors));
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

const plainErrors = (_key: string, value: unknown) =>
  value instanceof Error
    ? { name: value.name, message: value.message, stack: value.stack, ...(value.cause !== undefined && { cause: value.cause }) }
    : value;

export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
