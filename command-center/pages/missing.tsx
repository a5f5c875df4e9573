import { type Frame, Page } from "../html/frame.tsx";

export const MissingPage = ({ frame, what }: { frame: Frame; what: string }) => (
  <Page frame={frame} title="Not found" lead={what}>
    <p>
      <a href="/command">To the brief</a>
    </p>
  </Page>
);
