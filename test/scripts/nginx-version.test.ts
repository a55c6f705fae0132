import test from 'ava';
import { compareVersions, lineOf, parseBuild } from '../../scripts/nginx-version.ts';

test('versions are compared number by number', (t) => {
  const sorted = ['0.8.5', '0.8.10', '0.9.0', '1.0.0', '1.0.2', '1.30.0'];
  t.deepEqual(sorted.toReversed().toSorted(compareVersions), sorted);
  t.is(compareVersions('1.2.3', '1.2.3'), 0);
});

test('1.29.6 begins the current line', (t) => {
  t.deepEqual(['1.26.3', '1.29.5', '1.29.6', '1.30.6'].map(lineOf), [
    'stable',
    'stable',
    'current',
    'current',
  ]);
});

test('a build says its version and where its modules are', (t) => {
  const debian =
    'nginx version: nginx/1.26.3 (Debian)\nconfigure arguments: --prefix=/p --modules-path=/usr/lib/m --x';
  t.deepEqual(parseBuild(debian), { version: '1.26.3', modulesPath: '/usr/lib/m' });
  const other = 'nginx version: openresty/1.29.2.1\nconfigure arguments: --prefix=/opt/nginx';
  t.deepEqual(parseBuild(other), { version: '1.29.2', modulesPath: '/opt/nginx/modules' });
  t.is(parseBuild('nginx version: nginx/1.31.0\n')?.modulesPath, '/usr/local/nginx/modules');
  t.is(parseBuild('GNU coreutils 9.1\n'), undefined);
});
