/** Names with wild cards: `*` stands for anything but a slash, `**` for anything. Without regard to case. */
export const matches = (patterns: readonly string[], name: string): boolean =>
  patterns.some((pattern) => expressionOf(pattern).test(name));

function expressionOf(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*\/|\*\*|\*)/).map((part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    return part.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`, "i");
}
