import { z } from "zod";
import { criteria } from "../_domain/evaluation.ts";
import type { EvidenceRef } from "../_domain/result.ts";
import type { ReadWork, Rule, Subject } from "./critic-subject.ts";
import { isStale, sourcesAmong } from "./source-material.ts";

const retrieval = z.object({ chunks: z.array(z.object({ chunk_id: z.string() })) });

function retrievedChunks({ inputs }: Subject): Set<string> {
  const found = inputs.filter(({ type }) => type === "retrieval").flatMap(({ content }) => {
    const parsed = retrieval.safeParse(JSON.parse(content));
    return parsed.success ? parsed.data.chunks.map(({ chunk_id }) => chunk_id) : [];
  });
  return new Set(found);
}

const refsOf = (work: ReadWork): EvidenceRef[] =>
  work.type === "idea"
    ? work.idea.evidence
    : work.type === "result"
    ? work.result.evidence
    : work.type === "proposal"
    ? work.proposal.evidence
    : [];

/** All sources cited as they are: 2; some, or one cited that is not there: 1; none: 0. */
export const judgeEvidence: Rule = (work, subject) => {
  const sources = sourcesAmong(subject.inputs);
  const refs = refsOf(work);
  const holds = (ref: EvidenceRef) =>
    sources.some(({ artifact_id, checksum, node_id }) =>
      artifact_id === ref.artifact_id && checksum === ref.checksum && node_id === ref.node_id
    );
  // A source that was found before and not for this task is cited as such, and no other is.
  const hushed = sources.filter((source) =>
    refs.some((ref) =>
      ref.artifact_id === source.artifact_id && (ref.stale === true) !== isStale(source)
    )
  );
  const missing = sources.filter(({ artifact_id }) =>
    !refs.some((ref) => ref.artifact_id === artifact_id && holds(ref))
  );
  const false_ = refs.filter((ref) => !holds(ref));
  const known = retrievedChunks(subject);
  const invented = work.type === "idea"
    ? work.idea.similar.filter(({ chunk_id }) => !known.has(chunk_id))
    : [];
  const lost = [
    ...missing.map(({ node_id }) => `${node_id} is not cited by its id and checksum`),
    ...false_.map(({ node_id }) =>
      `${node_id} is cited with an id or checksum that it does not have`
    ),
    ...hushed.map(({ node_id }) => `${node_id} is cited as fresh or stale, and is the other`),
    ...invented.map(({ chunk_id }) => `chunk ${chunk_id} was not retrieved`),
  ];
  if (sources.length === missing.length) {
    return { mark: 0, lost: lost.length > 0 ? lost : ["there is no source to cite"] };
  }
  return { mark: lost.length === 0 ? criteria.evidence : 1, lost };
};
