import { md5 } from './md5.ts';
import { decodeRoute, isSessionId, type Route } from './route.ts';
import { EVERYTHING, routesZone } from './zones.ts';

/**
 * The RouteTable as a whole: its identity, whether the daemon has filled it, and its generations.
 * These facts live beside the routes, under keys that no session id can be, so an emptied zone loses them too.
 */
const BOOT = '!boot';
const FILLED = '!filled';
const POOL = '!pool';
const HIGHEST = '!highest';
const FLOOR = '!floor';

/**
 * A new one (32 hex digits) each time the table begins empty, and when a reload changed how this router keeps
 * connections (`pool`, njs/pool.ts): then all routes are to be written again.
 */
export function bootId(pool: string): string {
  const zone = routesZone();
  const writtenFor = md5(pool);
  const known = zone.get(BOOT);
  if (known !== undefined && zone.get(POOL) === writtenFor) {
    return known;
  }
  if (known !== undefined) {
    zone.set(FILLED, '0');
    zone.set(POOL, writtenFor);
    zone.set(BOOT, randomHex());
    return zone.get(BOOT) as string;
  }
  // All are made here, at full width, because a full zone overwrites a value but can't lengthen one.
  zone.add(FILLED, '0');
  zone.add(POOL, writtenFor);
  zone.add(HIGHEST, generationText(0));
  zone.add(FLOOR, generationText(0));
  zone.add(BOOT, randomHex());
  return zone.get(BOOT) as string;
}

export function isFilled(): boolean {
  return routesZone().get(FILLED) === '1';
}

export function markFilled(): void {
  routesZone().set(FILLED, '1');
}

/** The highest generation any write ever carried; 0 at first. */
export function highestGeneration(): number {
  return generationOf(HIGHEST);
}

export function raiseHighest(generation: number): void {
  raise(HIGHEST, generation);
}

/** A route that the table does not hold can't be written with a generation up to this one. */
export function floorGeneration(): number {
  return generationOf(FLOOR);
}

export function raiseFloor(generation: number): void {
  raise(FLOOR, generation);
}

export function readRoute(id: string): Route | undefined {
  const text = routesZone().get(id);
  return text === undefined ? undefined : decodeRoute(text);
}

/** Every entry, tombstones included. */
export function readTable(): { [id: string]: Route } {
  const routes: { [id: string]: Route } = {};
  routesZone()
    .items(EVERYTHING)
    .forEach((item) => {
      const route = decodeRoute(item[1]);
      if (isSessionId(item[0]) && route !== undefined) {
        routes[item[0]] = route;
      }
    });
  return routes;
}

function generationOf(key: string): number {
  return Number(routesZone().get(key) || 0);
}

function raise(key: string, generation: number): void {
  if (generation > generationOf(key)) {
    routesZone().set(key, generationText(generation));
  }
}

function generationText(generation: number): string {
  return String(generation).padStart(16, '0');
}

function randomHex(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16)) as Uint8Array;
  return Buffer.from(bytes).toString('hex');
}
