export interface KpiFacts {
  window: string;
  current: readonly {
    kpi: string;
    subject: string;
    /** Null where there was no sample, which is not zero. */
    value: number | null;
    unit: string;
    samples: number;
    target: number | null;
    status: "unknown" | "no_target" | "met" | "missed";
  }[];
  hours: readonly {
    kpi: string;
    subject: string;
    unit: string;
    hour: string;
    value: number | null;
  }[];
}
