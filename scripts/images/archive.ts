import { spawn } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, linkSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { arch } from 'node:process';
import { Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** A layer as images refer to it. */
export interface PackedLayer {
  /** The compressed tar. */
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
const OCI = 'application/vnd.oci.image';

/** Packs the files below `folder` into the file `path`: the same files always give the same bytes. */
export async function packLayer(folder: string, path: string): Promise<PackedLayer> {
  const [diffId, digest] = [createHash('sha256'), createHash('sha256')];
  await tar(folder, [hashing(diffId), createGzip(), hashing(digest), createWriteStream(path)]);
  return { path, digest: hex(digest), diffId: hex(diffId), size: statSync(path).size };
}

/**
 * Writes an image to the file `archive`, in two forms at once: as the layout of the OCI (image-layout.md of
 * github.com/opencontainers/image-spec), and as what `docker load` reads. `scratch` is a folder of its own, on the same
 * file system as the layers. Returns the digest of the manifest, which names the image.
 */
export async function writeArchive(image: Image, archive: string, scratch: string): Promise<string> {
  const blobs = join(scratch, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const blob = async (type: string, content: object) => {
    const json = JSON.stringify(content);
    const digest = hex(createHash('sha256').update(json));
    await writeFile(join(blobs, fileOf(digest)), json);
    return { mediaType: `${OCI}.${type}+json`, digest, size: Buffer.byteLength(json) };
  };
  for (const { path, digest } of image.layers) linkSync(path, join(blobs, fileOf(digest)));
  const config = await blob('config.v1', {
    created: EPOCH,
    architecture: arch === 'x64' ? 'amd64' : arch,
    os: 'linux',
    config: image.config,
    rootfs: { type: 'layers', diff_ids: image.layers.map(({ diffId }) => diffId) },
    history: image.layers.map(() => ({ created: EPOCH, created_by: 'scripts/images' })),
  });
  const manifest = await blob('manifest.v1', {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config,
    layers: image.layers.map(({ digest, size }) => ({
      mediaType: `${OCI}.layer.v1.tar+gzip`,
      digest,
      size,
    })),
  });
  const annotations = {
    'org.opencontainers.image.ref.name': image.ref.split(':')[1],
    // containerd takes this name as it is, and looks images up by their full names: that of one without a host.
    'io.containerd.image.name': `docker.io/library/${image.ref}`,
  };
  const parts = {
    'oci-layout': { imageLayoutVersion: '1.0.0' },
    'index.json': { schemaVersion: 2, manifests: [{ ...manifest, annotations }] },
    'manifest.json': [
      {
        Config: `blobs/sha256/${fileOf(config.digest)}`,
        RepoTags: [image.ref],
        Layers: image.layers.map(({ digest }) => `blobs/sha256/${fileOf(digest)}`),
      },
    ],
  };
  for (const [name, content] of Object.entries(parts)) {
    await writeFile(join(scratch, name), JSON.stringify(content));
  }
  // Whoever finds the archive finds all of it.
  const unfinished = `${archive}.${process.pid}.new`;
  mkdirSync(dirname(archive), { recursive: true });
  try {
    await tar(scratch, [createWriteStream(unfinished)]);
    renameSync(unfinished, archive);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return manifest.digest;
}

/** Order, times and owners are the same wherever and by whomever it is made; modes are those of the files. */
async function tar(folder: string, sinks: NodeJS.WritableStream[]): Promise<void> {
  const options = ['--format=gnu', '--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  const child = spawn('tar', [...options, '--hard-dereference', '-C', folder, '-c', '.'], {
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

function fileOf(digest: string): string {
  return digest.replace('sha256:', '');
}
