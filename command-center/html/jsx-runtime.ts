import { Fragment as fragment, jsxDEV } from "npm:hono@4.13.19/jsx/jsx-dev-runtime";

/**
 * hono's JSX with narrower types: what an element may contain is words that stand in the page's own text, other elements,
 * or nothing. A number, a date, a null, and with them every bare value of a source, is a type error; a value is shown
 * by the components of `figure.tsx`, which take a `Figure`.
 */
export type Element = ReturnType<typeof fragment>;
export type Content = Element | string | false | undefined | readonly Content[];

export declare namespace JSX {
  type Element = ReturnType<typeof fragment>;
  type ElementType = string | ((props: never) => Content);
  interface ElementChildrenAttribute {
    children: Content;
  }
  interface IntrinsicElements {
    [tag: string]: Attributes;
  }
  interface IntrinsicAttributes {
    key?: string;
  }
}

/** Attributes carry places and lengths, so a number may stand there. */
interface Attributes {
  children?: Content;
  [attribute: string]: Content | number | boolean | null;
}

export const Fragment = (props: { children?: Content }): Element =>
  jsxDEV(fragment, props) as never;
export { jsxDEV as jsx, jsxDEV as jsxs };
