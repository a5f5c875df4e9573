import module from "canonicalize";

/** RFC 8785 by a library. Its types are those of a module, its code is a function. */
export const canonicalize = module as unknown as (value: unknown) => string | undefined;
