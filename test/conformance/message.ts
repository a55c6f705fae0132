import type { Bytes } from './bytes.ts';

/** The head of a request or an answer. Texts are latin1: one character a byte, just as it arrived. */
export interface Head {
  /** The request line or status line. */
  line: string;
  /** Header lines in their order. */
  headers: string[];
  /** The value of a header, undefined if there is none; of several with that name all, joined by ` | `. */
  header(name: string): string | undefined;
}

export function readHead(text: string): Head {
  const [line = '', ...headers] = text.slice(0, -4).split('\r\n');
  return {
    line,
    headers,
    header(name) {
      const start = `${name.toLowerCase()}:`;
      const found = headers.filter((header) => header.toLowerCase().startsWith(start));
      return found.length === 0
        ? undefined
        : found.map((header) => header.slice(start.length).trim()).join(' | ');
    },
  };
}

/** What a body was cut off after is marked by this. */
export const CUT_OFF = '(cut off)';

/** A chunked body; the header lines after it go into `trailers`. */
export async function readChunks(bytes: Bytes, trailers: string[] = []): Promise<string> {
  let body = '';
  for (;;) {
    const size = Number.parseInt((await bytes.until('\r\n')) ?? '', 16);
    if (Number.isNaN(size)) return body + CUT_OFF;
    if (size === 0) break;
    body += (await bytes.exactly(size + 2))?.slice(0, -2) ?? CUT_OFF;
  }
  for (;;) {
    const line = (await bytes.until('\r\n')) ?? '\r\n';
    if (line === '\r\n') return body;
    trailers.push(line.slice(0, -2));
  }
}
