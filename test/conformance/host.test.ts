import { testTable } from './run-in.ts';

testTable('host');
