export interface SidecarSettings {
  /** The app's port. */
  port: number;
  /** How long a probe's connection to the app may last. */
  probeSeconds: number;
}

/** Throws an Error that names the wrong variable. */
export function sidecarSettings(env: { [name: string]: string | undefined }): SidecarSettings {
  return {
    port: whole(env, 'SPAWNER_APPLICATION_PORT', 65535, ''),
    probeSeconds: whole(env, 'SPAWNER_PROBE_SECONDS', 86400, '1'),
  };
}

function whole(
  env: { [name: string]: string | undefined },
  name: string,
  most: number,
  otherwise: string,
): number {
  const text = env[name] || otherwise;
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < 1 || value > most) {
    throw new Error(`${name} is ${JSON.stringify(text)}: set a whole number from 1 to ${most}`);
  }
  return value;
}
