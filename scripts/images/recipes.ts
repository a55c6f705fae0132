/** What is in each image, and how it starts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { arch } from 'node:process';
import { buildBundle, buildSidecar } from '../build.ts';
import { root } from '../nginx.ts';
import { bundle, bundleDaemon, daemonNodeFlags } from './bundle.ts';
import { layPrograms, place, USER } from './layer.ts';
import type { Packages } from './packages.ts';

export type ImageName = 'router' | 'daemon' | 'example';

export interface Layer {
  name: string;
  /** Makes the files of the layer below an empty folder. */
  fill(folder: string): Promise<void>;
}

export interface Recipe {
  /** From the bottom up. */
  layers: Layer[];
  /** The `config` of an image's configuration: github.com/opencontainers/image-spec, config.md. */
  config: Record<string, unknown>;
}

/** What the images need of Debian. */
export const PACKAGES = ['dash', 'libnginx-mod-http-js', 'libstdc++6', 'nginx'];

/** What only `npm start` needs. */
const NPM_START = ['nginx.conf', 'welcome.conf'];

/** Where Spawner's own files are in an image. */
const HOME = 'usr/share/spawner';

/** `version` is the project's. Layers that images share are the same object. */
export function recipes(packages: Packages, version: string): Record<ImageName, Recipe> {
  const inPackages = (path: string) => ({ from: join(packages.root, path), to: path });
  const inProject = (path: string, to: string) => ({ from: join(root, path), to });
  const config = (title: string, more: object) => ({
    User: `${USER}:${USER}`,
    WorkingDir: '/',
    Labels: {
      'org.opencontainers.image.title': title,
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.licenses': 'MIT',
    },
    ...more,
  });

  const nginx: Layer = {
    name: 'nginx',
    fill: async (folder) =>
      layPrograms(
        folder,
        packages,
        ['usr/bin/dash', 'usr/lib/nginx/modules/ngx_http_js_module.so', 'usr/sbin/nginx'].map(inPackages),
      ),
  };
  const node: Layer = {
    name: 'Node',
    async fill(folder) {
      layPrograms(folder, packages, [inProject('node_modules/node/bin/node', 'usr/bin/node')]);
      // npm's package `node` puts what it wraps there.
      const wrapped = `node_modules/node/node_modules/node-linux-${arch}`;
      place(folder, [inProject(`${wrapped}/LICENSE`, 'usr/share/doc/node/LICENSE')]);
    },
  };
  const router: Layer = {
    name: 'router',
    async fill(folder) {
      await buildBundle(join(folder, HOME, 'spawner.js'));
      await buildSidecar(join(folder, HOME, 'sidecar.js'));
      place(folder, [
        ...['entrypoint.sh', 'forked.sh', 'pool.sh'].map((name) =>
          inProject(`deploy/images/router/${name}`, `${HOME}/${name}`),
        ),
        // The entrypoint fills in the settings.
        ...readdirSync(join(root, 'nginx'))
          .filter((name) => name.endsWith('.conf') && !NPM_START.includes(name))
          .map((name) => inProject(`nginx/${name}`, `${HOME}/${name}`)),
      ]);
    },
  };
  const daemon: Layer = {
    name: 'daemon',
    fill: (folder) => bundleDaemon(join(folder, HOME, 'daemon.mjs')),
  };
  const example: Layer = {
    name: 'example',
    async fill(folder) {
      await bundle('examples/app/main.ts', join(folder, HOME, 'example.mjs'));
      place(folder, [inProject('examples/app/page.html', `${HOME}/page.html`)]);
    },
  };

  return {
    router: {
      layers: [nginx, router],
      config: config('Spawner router and sidecar', {
        Entrypoint: [`/${HOME}/entrypoint.sh`],
        Cmd: ['router'],
        ExposedPorts: { '8000/tcp': {}, '9145/tcp': {} },
        // nginx lets what runs end, WebSockets included; on SIGTERM it would cut them off.
        StopSignal: 'SIGQUIT',
      }),
    },
    daemon: {
      layers: [node, daemon],
      config: config('Spawner daemon', {
        Entrypoint: ['/usr/bin/node', ...daemonNodeFlags, `/${HOME}/daemon.mjs`],
        Env: ['NODE_ENV=production'],
        ExposedPorts: { '8080/tcp': {} },
      }),
    },
    example: {
      layers: [node, example],
      config: config('Spawner example app', {
        Entrypoint: ['/usr/bin/node', `/${HOME}/example.mjs`],
        Env: ['NODE_ENV=production', 'HOST=0.0.0.0', 'PORT=8080'],
        ExposedPorts: { '8080/tcp': {} },
      }),
    },
  };
}

/** Such as `0.1.0`: the version of the project, and of its images. */
export function projectVersion(): string {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
}
