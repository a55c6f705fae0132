/** The shared memory zones that nginx/spawner-http.conf declares, with their types. */

/** A count for `items()` that means all: without one it stops at 1,024. */
export const EVERYTHING = 1000000000;

export function routesZone(): NgxSharedDict<string> {
  return ngx.shared.spawner_routes as NgxSharedDict<string>;
}

export function activityZone(): NgxSharedDict<number> {
  return ngx.shared.spawner_activity as NgxSharedDict<number>;
}

/** A zone of its own, so that the lock can be taken however full the others are. */
export function lockZone(): NgxSharedDict<number> {
  return ngx.shared.spawner_lock as NgxSharedDict<number>;
}
