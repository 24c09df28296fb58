/** Counts what the process asks of its table, for `/metrics`: on AWS this is what is paid for. */
import { type Table, ThrottledError } from "../store/table.ts";

type Operation = "get" | "put" | "delete" | "query";
type Outcome = "ok" | "condition_failed" | "throttled" | "error";

export interface CountedTable extends Table {
  /** Prometheus' text format. */
  metrics(): string;
}

const operations: readonly Operation[] = ["get", "put", "delete", "query"];
const outcomes: readonly Outcome[] = ["ok", "condition_failed", "throttled", "error"];

export function countedTable(table: Table): CountedTable {
  const counts = new Map<string, number>();
  const counted = async <T>(operation: Operation, work: Promise<T>): Promise<T> => {
    const count = (outcome: Outcome) => counts.set(`${operation} ${outcome}`, (counts.get(`${operation} ${outcome}`) ?? 0) + 1);
    try {
      const result = await work;
      count((result as { readonly done?: boolean }).done === false ? "condition_failed" : "ok");
      return result;
    } catch (error) {
      count(error instanceof ThrottledError ? "throttled" : "error");
      throw error;
    }
  };
  return {
    get: (...given) => counted("get", table.get(...given)),
    put: (...given) => counted("put", table.put(...given)),
    delete: (...given) => counted("delete", table.delete(...given)),
    query: (...given) => counted("query", table.query(...given)),
    metrics() {
      const lines = [
        "# HELP binnacle_table_requests_total Requests to the table by operation and outcome; condition_failed means that somebody else was first.",
        "# TYPE binnacle_table_requests_total counter",
      ];
      for (const operation of operations) {
        for (const outcome of outcomes) {
          const value = counts.get(`${operation} ${outcome}`);
          if (value !== undefined) lines.push(`binnacle_table_requests_total{operation="${operation}",outcome="${outcome}"} ${value}`);
        }
      }
      return `${lines.join("\n")}\n`;
    },
  };
}
