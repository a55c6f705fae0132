import { appendFile, open, stat, truncate } from 'node:fs/promises';

const SHOWN_LINES = 20;
const SHOWN_BYTES = 8 * 1024;
const KEPT_BYTES = 64 * 1024;
const MOST_BYTES = 1024 * 1024;

/** The last lines of an app's output file; none if there is no such file. */
export async function lastLines(file: string): Promise<string[]> {
  const text = (await tail(file, SHOWN_BYTES)).toString('utf8').trimEnd();
  return text === '' ? [] : text.split('\n').slice(-SHOWN_LINES);
}

/** Cuts an output file that has grown long down to its end. The app writes on at the end: its file is open to append. */
export async function trim(file: string): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= MOST_BYTES) return;
  const kept = await tail(file, KEPT_BYTES);
  await truncate(file, 0);
  await appendFile(file, kept);
}

async function tail(file: string, bytes: number): Promise<Buffer> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return Buffer.alloc(0);
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, bytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
