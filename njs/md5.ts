// biome-ignore lint/style/useNodejsImportProtocol: njs knows its modules by the bare name only.
import crypto from 'crypto';

/** In lower-case hex, 32 digits: as nginx writes it, too. */
export function md5(text: string): string {
  return crypto.createHash('md5').update(text).digest('hex');
}
