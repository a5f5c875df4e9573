/** What rings in the platform and was not closed. */
export interface AlertFact {
  id: string;
  code: string;
  severity: "info" | "warning" | "critical";
  subject: string;
  value: string | null;
  threshold: string | null;
  task_id: string | null;
  opened_at: string;
  seen: number;
  acknowledged_by: string | null;
}

/** Whether effects may start. */
export interface StopFact {
  scope: "all" | "t3";
  state: "running" | "stopped" | "unknown";
  changed_at: string | null;
  changed_by: string | null;
  reason: string | null;
}
