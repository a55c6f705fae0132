// For scripts/test-cluster.ts, which says how many files may run at a time.
export default {
  extensions: ['ts'],
  files: ['test/cluster/**/*.test.ts'],
  timeout: '5m',
};
