// For scripts/programs/test-programs.ts. Each test is a whole site and a browser: two at a time.
export default {
  extensions: ['ts'],
  files: ['test/programs/**/*.test.ts'],
  timeout: '2m',
  concurrency: 2,
  serial: true,
};
