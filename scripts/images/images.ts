/**
 * `npm run images`: builds the images of router, daemon and example app as archives, from Debian's packages and the
 * lock file, without a container engine. `--rootfs` instead writes the files of one image, for a Dockerfile to copy.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { type NginxLine, root } from '../nginx.ts';
import { type PackedLayer, packLayer, writeArchive } from './archive.ts';
import { setModes } from './layer.ts';
import { debianPackages } from './packages.ts';
import { type ImageName, type Layer, PACKAGES, projectVersion, type Recipe, recipes } from './recipes.ts';

export interface ImageOptions {
  /** The folder that gets the archives, absolute. */
  out: string;
  /** Debian stable or Debian testing, whose nginx and libraries go in. */
  line: NginxLine;
  /** What follows the colon in the images' names; else the project's version. */
  tag?: string;
  /** Is told each step. */
  say: (text: string) => void;
}

export interface BuiltImage {
  /** Such as `spawner-router:0.1.0`: what manifests call it. */
  ref: string;
  /** Absolute: what `docker load`, `skopeo copy docker-archive:…` and `ctr images import` take. */
  archive: string;
  /** Of the image's configuration, which is the image's id: `sha256:…`. */
  digest: string;
  /** Of the archive. */
  bytes: number;
}

const SUITES: Record<NginxLine, string> = { stable: 'trixie', current: 'forky' };
const NAMES = ['router', 'daemon', 'example'] as const;

/** Builds all images; archives that are there already are replaced. Throws an Error of one line. */
export async function buildImages(options: ImageOptions): Promise<Record<ImageName, BuiltImage>> {
  const { out, say } = options;
  const version = projectVersion();
  const all = await recipesFor(options, version);
  mkdirSync(out, { recursive: true });
  const scratch = mkdtempSync(join(out, 'new-'));
  const packed = new Map<Layer, Promise<PackedLayer>>();
  const pack = (layer: Layer) => {
    const found = packed.get(layer) ?? packOne(layer, scratch, say);
    packed.set(layer, found);
    return found;
  };
  const build = async (name: ImageName): Promise<BuiltImage> => {
    const { layers, config } = all[name];
    const ref = `spawner-${name}:${options.tag ?? version}`;
    const archive = join(out, `spawner-${name}.tar`);
    const image = { ref, config, layers: await Promise.all(layers.map(pack)) };
    const digest = await writeArchive(image, archive, mkdtempSync(join(scratch, 'archive-')));
    return { ref, archive, digest, bytes: statSync(archive).size };
  };
  try {
    const [router, daemon, example] = await Promise.all(NAMES.map(build));
    return { router, daemon, example } as Record<ImageName, BuiltImage>;
  } finally {
    await Promise.allSettled(packed.values());
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Writes all files of an image below `folder`, which must not exist or be empty. */
async function writeRootfs(name: ImageName, folder: string, options: ImageOptions): Promise<void> {
  const { layers } = (await recipesFor(options, projectVersion()))[name];
  mkdirSync(folder, { recursive: true });
  for (const layer of layers) await layer.fill(folder);
  setModes(folder);
}

async function recipesFor({ line, say }: ImageOptions, version: string): Promise<Record<ImageName, Recipe>> {
  return recipes(await debianPackages(SUITES[line], PACKAGES, say), version);
}

async function packOne(layer: Layer, scratch: string, say: (text: string) => void): Promise<PackedLayer> {
  say(`packing ${layer.name}`);
  const started = performance.now();
  const folder = mkdtempSync(join(scratch, 'layer-'));
  await layer.fill(folder);
  setModes(folder);
  const packed = await packLayer(folder, `${folder}.tar.gz`);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(`packed ${layer.name}: ${megabytes(packed.size)} compressed (${seconds} s)`);
  return packed;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

async function main(): Promise<void> {
  const flags = new Command('npm run images --')
    .description('Builds the images of router, daemon and example app, without a container engine.')
    .option('--out <folder>', 'where the archives go', relative(process.cwd(), join(root, 'dist', 'images')))
    .addOption(
      new Option(
        '--line <line>',
        "nginx and libraries of Debian's stable or of its testing release (current)",
      )
        .choices(['stable', 'current'])
        .default('stable'),
    )
    .addOption(
      new Option('--rootfs <image>', 'write the files of one image to --out instead').choices([...NAMES]),
    )
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse()
    .opts<{ out: string; line: NginxLine; rootfs?: ImageName }>();
  // npm runs its scripts in the project's folder; INIT_CWD is where the user is.
  const out = resolve(process.env.INIT_CWD ?? '.', flags.out);
  const options = { out, line: flags.line, say: (text: string) => console.log(`images: ${text}`) };
  if (flags.rootfs) return writeRootfs(flags.rootfs, out, options);
  const images = await buildImages(options);
  for (const { ref, archive, bytes, digest } of Object.values(images)) {
    console.log([ref.padEnd(24), megabytes(bytes).padStart(9), digest, relative('.', archive)].join('  '));
  }
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`images: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
