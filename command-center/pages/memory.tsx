import { Show } from "../html/figure.tsx";
import { type Frame, Page } from "../html/frame.tsx";
import type { Note } from "../views/telling.ts";

/** Where a review of what the platform remembers will stand. */
export function MemoryPage({ frame, review }: { frame: Frame; review: Note }) {
  return (
    <Page
      frame={frame}
      title="Memory"
      lead="What the platform remembers, and what of it wants a look."
    >
      <section aria-labelledby="review">
        <h2 id="review">Memory review</h2>
        <p>
          <Show of={review} />
        </p>
      </section>
    </Page>
  );
}
