// For `npm run test:long`, which chooses the engine.
export default {
  extensions: ['ts'],
  files: ['test/long/**/*.test.ts', 'test/nginx/**/*.test.ts', 'test/system/life.test.ts'],
  concurrency: 3,
  timeout: '2m',
};
