/**
 * Header values as bytes. njs reads a header as UTF-8 and puts U+FFFD where it is none, so a value that was not UTF-8
 * has to be read and written another way: here as a text of one character a byte.
 */
const LOST = '\ufffd';

/** Whether bytes of a value may be lost in its text. */
export function isLossy(text: string): boolean {
  return text.includes(LOST);
}

/**
 * The byte texts of a header's values. `joined` are the bytes of all of them as nginx joins them, with `, ` between;
 * a value may hold that too, so `texts`, what njs made of each, tell where one ends.
 */
export function byteTexts(joined: Buffer, texts: string[]): string[] {
  let start = 0;
  return texts.map((text) => {
    let end = start - 1;
    do {
      end = joined.indexOf(', ', end + 1);
    } while (end >= 0 && joined.toString('utf8', start, end) !== text);
    const value = joined.slice(start, end < 0 ? joined.length : end);
    start = end + 2;
    return String.fromCharCode.apply(null, value as unknown as number[]);
  });
}

export function toBuffer(byteText: string): Buffer {
  return Buffer.from(byteText.split('').map((char) => char.charCodeAt(0)));
}
