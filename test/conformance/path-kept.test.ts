import { testTable } from './run-in.ts';

testTable('path-kept');
