import { Graph, layout } from "@dagrejs/dagre";
import type { StepRow } from "../views/task.ts";
import { anchor } from "./table.tsx";
import { levelShown, Words } from "./figure.tsx";

const box = { width: 150, height: 54 };

/** The plan as a picture: who comes after whom, each step with its state in words. The table below says the same. */
export function Dag({ steps }: { steps: readonly StepRow[] }) {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 18, ranksep: 44, marginx: 6, marginy: 6 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set(steps.map(({ node_id }) => node_id));
  for (const { node_id } of steps) graph.setNode(node_id, { ...box });
  for (const { node_id, after } of steps) {
    for (const parent of after) if (known.has(parent)) graph.setEdge(parent, node_id);
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return (
    <div class="dag" role="region" aria-label="The plan as a picture" tabindex="0">
      <svg
        viewBox={`0 0 ${Math.ceil(width)} ${Math.ceil(height)}`}
        width={Math.ceil(width)}
        height={Math.ceil(height)}
        role="group"
        aria-label="Each step with its state; the table of steps below says the same"
      >
        {graph.edges().map((edge) => {
          const { points } = graph.edge(edge);
          return (
            <g class="edge">
              <path d={pathOf(points)} fill="none" />
              <path d={headOf(points)} />
            </g>
          );
        })}
        {steps.map((step) => {
          const { x, y } = graph.node(step.node_id);
          return (
            <a href={`#${anchor(step.key)}`} class={`node ${levelShown(step.status, step.level)}`}>
              <rect
                x={Math.round(x - box.width / 2)}
                y={Math.round(y - box.height / 2)}
                width={box.width}
                height={box.height}
                rx="6"
              />
              <Words of={step.node} x={Math.round(x)} y={Math.round(y - 5)} look="name" />
              <Words of={step.status} x={Math.round(x)} y={Math.round(y + 15)} look="status" />
            </a>
          );
        })}
      </svg>
    </div>
  );
}

interface Point {
  x: number;
  y: number;
}

const pathOf = (points: readonly Point[]): string =>
  points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${Math.round(x)} ${Math.round(y)}`).join("");

function headOf(points: readonly Point[]): string {
  const tip = points[points.length - 1];
  const before = points[points.length - 2];
  const turn = Math.atan2(tip.y - before.y, tip.x - before.x);
  const corner = (by: number) =>
    `${Math.round(tip.x - 8 * Math.cos(turn + by))} ${Math.round(tip.y - 8 * Math.sin(turn + by))}`;
  return `M${Math.round(tip.x)} ${Math.round(tip.y)}L${corner(0.45)}L${corner(-0.45)}Z`;
}
