import { LINE } from './log.ts';
import { EVERYTHING, lockZone } from './zones.ts';

/** A js_periodic handler: writes what `report` left to be logged. */
export function writeLog(): void {
  const zone = lockZone();
  zone.keys(EVERYTHING).forEach((key) => {
    const count = zone.get(key);
    if (key.startsWith(LINE) && count !== undefined && zone.delete(key)) {
      const more = count > 1 ? `, and ${count - 1} more like it` : '';
      ngx.log(ngx.ERR, `spawner: ${key.slice(LINE.length)}${more}`);
    }
  });
}
