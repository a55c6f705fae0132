import { rewriteHeaders } from './rewrite.ts';

/** What an answer needs that has something to rewrite. */
export function rareRewrite() {
  return { rewriteHeaders };
}
