// For `npm test`.

// What works most runs beside what waits most. The table of conformance waits for nginx' own timeouts, and so may not
// be slowed down: it begins, beside what has little to do. The shortest ones end it.
const ORDER = [
  'conformance/',
  'daemon/',
  'system/life',
  'system/promises',
  'nginx/',
  'system/',
  'scripts/',
  '',
];

export default {
  extensions: ['ts'],
  files: ['test/**/*.test.ts', '!test/cluster/**', '!test/long/**', '!test/programs/**'],
  sortTestFiles: (one, other) => placeOf(one) - placeOf(other) || one.localeCompare(other),
  concurrency: 4,
  timeout: '2m',
};

function placeOf(path) {
  return ORDER.findIndex((beginning) => path.includes(`/test/${beginning}`));
}
