import { raw as hono } from "npm:hono@4.13.19/html";
import type { Element } from "./jsx-runtime.ts";

/** Markup of this repository's own; nothing from a source ever passes here. */
export const raw = (markup: "<!doctype html>"): Element => hono(markup);
