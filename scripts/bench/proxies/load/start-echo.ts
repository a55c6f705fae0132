import { join } from 'node:path';
import { listens, type Program, startProgram } from '../program.ts';

/** Backends on `ports` of 127.0.0.1 that send each WebSocket message back, all in one process. */
export function startEcho(ports: number[]): Promise<Program> {
  const args = [join(import.meta.dirname, 'echo.ts'), ...ports.map(String)];
  const ready = async () => (await Promise.all(ports.map(listens))).every(Boolean);
  return startProgram('the WebSocket backend', process.execPath, args, ready);
}
