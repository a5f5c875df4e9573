/** A token, or the seconds until there is one; unknown where nobody can say, and whoever asks decides what that means. */
export type Token = "taken" | { wait: number } | "unknown";

/** Token buckets that all workers share. */
export interface Limiter {
  take(bucket: string, perMinute: number, burst: number): Promise<Token>;
}
