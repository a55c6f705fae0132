import { spawn } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { arch } from 'node:process';
import { Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** A layer as images refer to it. */
export interface PackedLayer {
  /** The compressed tar, absolute. */
  path: string;
  digest: string;
  size: number;
  /** The digest of the tar before compression. */
  diffId: string;
}

export interface Image {
  /** Such as `spawner-router:0.1.0`. */
  ref: string;
  layers: PackedLayer[];
  config: Record<string, unknown>;
}

const EPOCH = '1970-01-01T00:00:00Z';

/** Packs the files below `folder` into the file `path`: the same files always give the same bytes. */
export async function packLayer(folder: string, path: string): Promise<PackedLayer> {
  const [diffId, digest] = [createHash('sha256'), createHash('sha256')];
  await tar(folder, ['.'], [hashing(diffId), createGzip(), hashing(digest), createWriteStream(path)]);
  return { path, digest: hex(digest), diffId: hex(diffId), size: statSync(path).size };
}

/**
 * Writes an image to the file `archive`, in the form of `docker save` (v1.2.md of github.com/moby/docker-image-spec).
 * Its readers complete the image's name themselves; those of an OCI layout take names as they are, and would need one
 * with a registry's host. `scratch` is an empty folder. Returns the image's id: the digest of its configuration.
 */
export async function writeArchive(image: Image, archive: string, scratch: string): Promise<string> {
  const config = JSON.stringify({
    created: EPOCH,
    architecture: arch === 'x64' ? 'amd64' : arch,
    os: 'linux',
    config: image.config,
    rootfs: { type: 'layers', diff_ids: image.layers.map(({ diffId }) => diffId) },
    history: image.layers.map(() => ({ created: EPOCH, created_by: 'scripts/images' })),
  });
  const id = hex(createHash('sha256').update(config));
  const manifest = {
    Config: fileOf(id, 'json'),
    RepoTags: [image.ref],
    Layers: image.layers.map(({ digest }) => fileOf(digest, 'tar.gz')),
  };
  await writeFile(join(scratch, manifest.Config), config);
  await writeFile(join(scratch, 'manifest.json'), JSON.stringify([manifest]));
  // Not as hard links: tar, which may just read the same layer for another image, would take it for changed.
  for (const { path, digest } of image.layers) symlinkSync(path, join(scratch, fileOf(digest, 'tar.gz')));
  // Not as `.`: some readers look for exactly `manifest.json`, and `./manifest.json` is none.
  const names = ['manifest.json', manifest.Config, ...manifest.Layers];
  // Whoever finds the archive finds all of it.
  const unfinished = `${archive}.${process.pid}.new`;
  mkdirSync(dirname(archive), { recursive: true });
  try {
    await tar(scratch, ['--dereference', '--mode=644', ...names], [createWriteStream(unfinished)]);
    renameSync(unfinished, archive);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return id;
}

/** Order, times and owners are the same wherever and by whomever it is made. `args` end with what goes in. */
async function tar(folder: string, args: string[], sinks: NodeJS.WritableStream[]): Promise<void> {
  const options = ['--format=gnu', '--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  const child = spawn('tar', [...options, '-C', folder, '-c', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [[code], complaint] = await Promise.all([
    once(child, 'close'),
    text(child.stderr),
    pipeline([child.stdout, ...sinks]),
  ]);
  if (code !== 0) throw new Error(`tar can't pack ${folder}: ${complaint.trim()}`);
}

function hashing(hash: Hash): Transform {
  return new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

function hex(hash: Hash): string {
  return `sha256:${hash.digest('hex')}`;
}

function fileOf(digest: string, ending: string): string {
  return `${digest.replace('sha256:', '')}.${ending}`;
}
